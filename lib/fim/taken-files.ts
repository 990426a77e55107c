// taken-files: the pieces of a raw prompt that may hold other files in, those files and the path of the one being written out:
// between separator tokens, under headers in plain text, or as the comments that Continue sets before the prefix. What does
// not look like a header for sure stays where it is.

export interface OtherFile {
  readonly path: string;
  readonly text: string;
}

const separators = /<\|?(?:file_sep|file_separator|filename)\|?>/u;
const repositories = /^<\|?(?:repo_name|reponame)\|?>/u;
/** A file's name with its ending, as a header has it: no blanks, no signs of code. */
const path = String.raw`[\w@.~+\-/\\[\]]*[\w\]]\.\w{1,12}`;
const wholePath = new RegExp(`^${path}$`, "u");
const pathMax = 4_096;
const isPath = (text: string) => text.length <= pathMax && wholePath.test(text);

/** What stands before the parts. `open`: a separator right before them, so the prefix may begin with its path. */
export function precedingFiles(head: string): {
  readonly files: readonly OtherFile[];
  readonly path: string;
  readonly language: string;
  readonly open: boolean;
} {
  if (head.includes("###PATH:")) return labelled(head);
  const pieces = head.split(separators);
  const [lead = "", ...rest] = pieces;
  // Some separate files after them, some before: the last piece is the file being written, or nothing.
  const last = rest.pop();
  const named = last === undefined ? "" : lineOf(last);
  const current = named !== "" && isPath(named) && last?.trimEnd() === named;
  const files = [
    ...headed(lead.replace(repositories, ""), repositories.test(lead)),
    ...rest.map(fileOf),
    ...(last === undefined || current ? [] : [fileOf(last)]),
  ].filter(({ text }) => text.trim() !== "");
  const open = files.findIndex(({ path, text }) => path === "" && isPath(text.trim()));
  return {
    files: files.filter((_, i) => i !== open),
    path: current ? named : (files[open]?.text.trim() ?? ""),
    language: "",
    open: last === "",
  };
}

/** The beginning of the prefix: StarCoder2's path line, Codestral's headed files. */
export function prefixFiles(
  prefix: string,
  { family, pathMayLead }: { family: string; pathMayLead: boolean },
): { readonly files: readonly OtherFile[]; readonly path: string; readonly text: string } {
  const first = lineOf(prefix);
  if (pathMayLead && isPath(first)) return { files: [], path: first, text: prefix.slice(first.length + 1) };
  if (family !== "codestral" || !prefix.startsWith("+++++ ")) return { files: [], path: "", text: prefix };
  const pieces = prefix.split(/^\+{5} (?=\S+$)/mu).slice(1);
  const last = pieces.pop() ?? "";
  return { files: pieces.map(fileOf), path: lineOf(last), text: last.slice(lineOf(last).length + 1) };
}

/**
 * Continue's own: comments `Path: x` and the lines of x, file by file, then a comment with the path being written. Each of them
 * is a line before the prefix, so that an empty context leaves a line feed.
 */
export function commentedContext(prefix: string): {
  readonly files: readonly OtherFile[];
  readonly path: string;
  readonly text: string;
} {
  const none = { files: [], path: "", text: prefix };
  const lead = new RegExp(String.raw`^\n?(//|#|--|%|;|')(?= (?:Path: )?${path}\n)`, "u").exec(prefix);
  const mark = lead?.[1];
  if (!lead || mark === undefined) return none;
  const body = prefix.slice(prefix.startsWith("\n") ? 1 : 0);
  const lines = body.split("\n");
  const end = lines.findIndex((line) => !line.startsWith(`${mark} `) && line !== mark);
  const comments = lines.slice(0, end < 0 ? lines.length : end).map((line) => line.slice(mark.length + 1));
  const lastHeader = comments.findLastIndex((line) => line.startsWith("Path: "));
  const current = comments.findIndex((line, i) => i > lastHeader && isPath(line));
  // A path alone in a first line may be the file's own comment: only the line feed before it says that it was set there.
  if (current < 0 || (lastHeader < 0 && !prefix.startsWith("\n"))) return none;
  const files: OtherFile[] = [];
  for (const piece of comments
    .slice(0, current)
    .join("\n")
    .split(/^Path: /mu))
    if (piece.trim() !== "") files.push(fileOf(piece));
  return { files, path: comments[current] as string, text: lines.slice(current + 1).join("\n") };
}

/** CodeGeeX's labels. */
function labelled(head: string) {
  const pieces = head.split("###REFERENCE:\n");
  const current = pieces.pop() ?? "";
  const at = current.lastIndexOf("###PATH:");
  const own = current.slice(at);
  const label = (name: string) => new RegExp(`###${name}:(.*)\n`, "u").exec(own)?.[1] ?? "";
  const files = [...pieces, current.slice(0, at)]
    .map((piece) => fileOf(piece.replace(/^###PATH:/u, "")))
    .filter(({ text }) => text.trim() !== "");
  return { files, path: label("PATH"), language: label("LANGUAGE").toLowerCase(), open: false };
}

/** Text before any separator: a repository's name, files under DeepSeek's `#path`, one under our own comment, or just text. */
function headed(lead: string, named: boolean): OtherFile[] {
  const text = named ? lead.slice(lineOf(lead).length + 1) : lead;
  const pieces = text.split(new RegExp(`^(?=#${path}$)`, "mu"));
  if (pieces.length > 1 || text.startsWith("#"))
    return pieces.map((piece) => (isPath(lineOf(piece).slice(1)) ? fileOrPath(piece.slice(1)) : { path: "", text: piece }));
  return [fileOf(text)];
}

/** A header with nothing under it is the file being written. */
function fileOrPath(piece: string): OtherFile {
  const file = fileOf(piece);
  return file.text.trim() === "" ? { path: "", text: file.path } : file;
}

function fileOf(piece: string): OtherFile {
  const first = lineOf(piece);
  const named = first.replace(/^(?:\/\/|#|--) Path: /u, "");
  return isPath(named) ? { path: named, text: piece.slice(first.length + 1).trimEnd() } : { path: "", text: piece.trimEnd() };
}

function lineOf(text: string): string {
  const end = text.indexOf("\n");
  return end < 0 ? text : text.slice(0, end);
}
