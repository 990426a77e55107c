// glob: does a path match one of these? "**" is any folders, "*" and "?" stay within one. A glob may match from any folder on,
// as the router does not know where a project begins; a leading "/" holds it to the beginning, a trailing one means all
// beneath. Never slower than path × glob, whatever a document holds.

export function matchesAny(path: string, globs: readonly Glob[]): boolean {
  const parts = path.replaceAll("\\", "/").replace(/^\//, "").split("/");
  return globs.some((glob) => wild(glob, parts, isAnyFolders, isName));
}

/** Parts of a path, each a folder or a name. */
export type Glob = readonly string[];

export function globOf(text: string): Glob {
  const anchored = text.startsWith("/");
  const parts = text.replace(/^\//, "").split("/");
  if (parts.at(-1) === "") parts[parts.length - 1] = "**";
  return anchored ? parts : ["**", ...parts];
}

const isAnyFolders = (part: string) => part === "**";
const isName = (glob: string, name: string) => wild([...glob], [...name], isAnyText, isCharacter);
const isAnyText = (part: string) => part === "*";
const isCharacter = (glob: string, character: string) => glob === "?" || glob === character;

/** The two-finger match: a wildcard takes nothing at first, and one part more each time the rest does not fit. */
function wild(
  pattern: readonly string[],
  parts: readonly string[],
  isWild: (part: string) => boolean,
  equal: (pattern: string, part: string) => boolean,
): boolean {
  let [at, part, lastWild, resume] = [0, 0, -1, 0];
  while (part < parts.length) {
    const wanted = pattern[at];
    if (wanted !== undefined && isWild(wanted)) {
      [lastWild, resume] = [at, part];
      at += 1;
    } else if (wanted !== undefined && equal(wanted, parts[part] as string)) {
      at += 1;
      part += 1;
    } else if (lastWild >= 0) {
      resume += 1;
      [at, part] = [lastWild + 1, resume];
    } else return false;
  }
  while (pattern[at] !== undefined && isWild(pattern[at] as string)) at += 1;
  return at === pattern.length;
}
