// ignore-tree: a folder that an editor has open in, whether the text of a path in it may be read and sent out: by the ignore files
// of its folders, the deeper one first, as git reads them; also those above it up to the repository's top. Reads each once.
import { dirname, join, relative } from "node:path";
import { Ignored, outByName } from "./ignored.ts";

interface Deps {
  /** "" where there is none. */
  readonly readNow: (path: string) => string;
}

const ignoreFiles = [".gitignore", ".slipstreamignore"] as const;
/** What is remembered; folders past it are read again each time. */
const foldersMax = 20_000;
const levelsUpMax = 16;
const nothing = new Ignored();

export class IgnoreTree {
  readonly #deps: Deps;
  readonly #top: string;
  /** Of the open folder in the repository. */
  readonly #prefix: string;
  readonly #own: Ignored;
  readonly #known = new Map<string, Ignored>();

  constructor(root: string, deps: Deps) {
    this.#deps = deps;
    this.#top = repositoryOf(root, deps);
    this.#prefix = relative(this.#top, root).replaceAll("\\", "/");
    // Git's own list of a clone, which no file of the tree holds.
    this.#own = new Ignored(deps.readNow(join(this.#top, ".git/info/exclude")).split("\n"));
  }

  /** `path` is relative to the open folder, with slashes; `excludes` come before all ignore files. */
  out(path: string, excludes: Ignored, folder = false): boolean {
    if (outByName(path)) return true;
    const own = path.split("/");
    const whole = this.#prefix === "" ? own : [...this.#prefix.split("/"), ...own];
    // What is in a folder that is out is out, whatever is said of it.
    for (let depth = 1; depth <= whole.length; depth++) {
      const isFolder = depth < whole.length || folder;
      const above = whole.length - own.length;
      const asked = depth > above ? excludes.says(whole.slice(above, depth).join("/"), isFolder) : undefined;
      if ((asked ?? this.#says(whole.slice(0, depth), isFolder)) === "out") return true;
    }
    return false;
  }

  /** The ignore files of this folder have changed. */
  forget(folder: string): void {
    this.#known.delete([this.#prefix, folder].filter((part) => part !== "").join("/"));
  }

  #says(parts: readonly string[], folder: boolean): "out" | "in" | undefined {
    for (let from = parts.length - 1; from >= 0; from--) {
      const said = this.#of(parts.slice(0, from).join("/")).says(parts.slice(from).join("/"), folder);
      if (said) return said;
    }
    return this.#own.says(parts.join("/"), folder);
  }

  #of(folder: string): Ignored {
    const known = this.#known.get(folder);
    if (known) return known;
    const lines = ignoreFiles.flatMap((name) => this.#deps.readNow(join(this.#top, folder, name)).split("\n"));
    const read = new Ignored(lines);
    const ignored = read.empty ? nothing : read;
    if (this.#known.size < foldersMax) this.#known.set(folder, ignored);
    return ignored;
  }
}

/** The nearest folder above that git calls its own; none: the folder itself. */
function repositoryOf(root: string, { readNow }: Deps): string {
  let folder = root;
  for (let level = 0; level < levelsUpMax; level++) {
    // In a linked work tree it is a file.
    if (readNow(join(folder, ".git/HEAD")) !== "" || readNow(join(folder, ".git")) !== "") return folder;
    if (dirname(folder) === folder) break;
    folder = dirname(folder);
  }
  return root;
}
