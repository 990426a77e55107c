// archives: the images that were built here as files: which are old enough to go, and what is in one, layer by layer.
import { readdirSync, rmSync, statSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { command } from "../command.ts";

/** Of 300 MB each; a checkout and what it is compared with. */
const keptMax = 4;
/** A cluster that starts now may still read one. */
const restMs = 3_600_000;

export const used = (path: string) => utimesSync(path, new Date(), new Date());

/** Removes those that were not used for longest; returns their tags. */
export function prune(folder: string, now = Date.now(), kept = keptMax): string[] {
  const archives = readdirSync(folder)
    .flatMap((name) => {
      const tag = /^slipstream-([0-9a-f]{16}(?:-[a-z0-9]+)?)\.tar$/.exec(name)?.[1];
      return tag === undefined ? [] : [{ tag, path: join(folder, name), usedMs: statSync(join(folder, name)).mtimeMs }];
    })
    .sort((a, b) => b.usedMs - a.usedMs);
  const old = archives.slice(kept).filter(({ usedMs }) => now - usedMs > restMs);
  for (const { path } of old) rmSync(path, { force: true });
  return old.map(({ tag }) => tag);
}

export interface Layers {
  /** Digest of the image's settings, in which the layers' digests stand. */
  readonly config: string;
  readonly layers: readonly string[];
}

export async function layersOf(path: string): Promise<Layers> {
  const [image] = JSON.parse(await command(["tar", "-xOf", path, "manifest.json"], "not an archive of an image"));
  return { config: image.Config, layers: image.Layers };
}

/** Names, sizes, rights and digests of one layer's files, to say what two of them differ in. */
export async function filesOf(path: string, layer: string): Promise<string[]> {
  const each = 'printf "%s %s %s %s\\n" "$TAR_FILENAME" "$TAR_SIZE" "$TAR_MODE" "$(sha256sum | cut -c1-16)"';
  const listed = await command(
    ["bash", "-c", 'tar -xOf "$0" "$1" | tar -xf - --to-command "$2"', path, layer, each],
    "the layer cannot be read",
  );
  return listed.trim().split("\n").sort();
}
