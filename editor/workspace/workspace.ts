// workspace: the folders that an editor has open in, code of other files that helps at a cursor out: the declarations of the names
// around it. Reads files in small steps while nothing is asked, so that a first completion never waits for it; files that are
// ignored, hold secrets by name, or are too many or too large are not read.
import type { Dirent } from "node:fs";
import { join } from "node:path";
import type { Clock } from "../../lib/clock.ts";
import { languageOf } from "../../lib/languages.ts";
import { IgnoreTree } from "./ignore-tree.ts";
import { Ignored, outByName } from "./ignored.ts";
import { type Declared, declarations, namesNear } from "./symbols.ts";

export interface Found extends Declared {
  /** In its folder. */
  readonly path: string;
  readonly root: string;
}

interface Deps {
  readonly clock: Clock;
  readonly files: {
    readonly list: (folder: string) => Promise<readonly Pick<Dirent, "name" | "isDirectory" | "isFile">[]>;
    /** "" where it is longer than `bytesMax`, or cannot be read. */
    readonly read: (path: string, bytesMax: number) => Promise<string>;
    /** The same at once, for the few files that say what may be read at all. */
    readonly readNow: (path: string) => string;
  };
}

const filesMax = 20_000;
const fileBytesMax = 256 << 10;
const namesMax = 50_000;
const perNameMax = 4;
/** Of one turn of the reading; between two of them whatever is asked is answered. */
const stepMs = 4;
const pauseMs = 2;
const foundMax = 6;
const lookMs = 2;

export class Workspace {
  readonly #deps: Deps;
  readonly #ignored = new Map<string, IgnoreTree>();
  readonly #declared = new Map<string, Found[]>();
  readonly #byFile = new Map<string, { readonly root: string; readonly path: string; readonly names: readonly string[] }>();
  /** Files read, by folder. */
  readonly #read = new Map<string, number>();
  #excludes: Ignored;

  constructor(excludes: readonly string[], deps: Deps) {
    this.#excludes = new Ignored(excludes);
    this.#deps = deps;
  }

  set excludes(patterns: readonly string[]) {
    this.#excludes = new Ignored(patterns);
  }

  /** Whether the file's text is never sent. `path` is relative to `root`; undefined: outside of every folder. */
  excluded(root: string | undefined, path: string, folder = false): boolean {
    const tree = root === undefined ? undefined : this.#treeOf(root);
    return tree ? tree.out(path, this.#excludes, folder) : outByName(path) || this.#excludes.says(path, folder) === "out";
  }

  /** Files read of all folders that are open. */
  get read(): number {
    return [...this.#read.values()].reduce((sum, files) => sum + files, 0);
  }

  /** The folder is open no more: nothing of it helps out, and others may have as many files again. */
  forget(root: string): void {
    this.#ignored.delete(root);
    this.#read.delete(root);
    for (const [file, { root: of, path }] of [...this.#byFile]) if (of === root) this.#unlearn(file, root, path);
  }

  /** An ignore file of the folder was changed. */
  ignoresChanged(root: string, folder: string): void {
    this.#ignored.get(root)?.forget(folder);
  }

  #treeOf(root: string): IgnoreTree {
    const known = this.#ignored.get(root);
    if (known) return known;
    const tree = new IgnoreTree(root, this.#deps.files);
    this.#ignored.set(root, tree);
    return tree;
  }

  /** Reads the folder until its end, a bound, or the signal. */
  async index(root: string, signal: AbortSignal): Promise<void> {
    const { clock, files } = this.#deps;
    const folders = [""];
    let turnMs = clock.now();
    for (let folder = folders.shift(); folder !== undefined && this.read < filesMax; folder = folders.shift()) {
      const entries = await files.list(join(root, folder)).catch(() => []);
      for (const entry of entries) {
        if (signal.aborted || this.read >= filesMax) return;
        const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
        if (this.excluded(root, path, entry.isDirectory())) continue;
        if (entry.isDirectory()) folders.push(path);
        else if (entry.isFile() && languageOf(path) !== "") {
          const text = await files.read(join(root, path), fileBytesMax);
          // The folder may have gone meanwhile.
          if (signal.aborted) return;
          this.learn(root, path, text);
          this.#read.set(root, (this.#read.get(root) ?? 0) + 1);
        }
        if (clock.now() - turnMs < stepMs) continue;
        await clock.sleep(pauseMs, signal).catch(() => {});
        turnMs = clock.now();
      }
    }
  }

  /** A file's declarations take the place of those it had. */
  learn(root: string, path: string, text: string): void {
    const file = join(root, path);
    this.#unlearn(file, root, path);
    const names: string[] = [];
    for (const declared of declarations(text)) {
      const known = this.#declared.get(declared.name) ?? [];
      if (known.length >= perNameMax || (known.length === 0 && this.#declared.size >= namesMax)) continue;
      this.#declared.set(declared.name, [...known, { ...declared, path, root }]);
      names.push(declared.name);
    }
    if (names.length > 0) this.#byFile.set(file, { root, path, names });
  }

  #unlearn(file: string, root: string, path: string): void {
    for (const name of this.#byFile.get(file)?.names ?? []) {
      const left = (this.#declared.get(name) ?? []).filter((each) => each.path !== path || each.root !== root);
      if (left.length > 0) this.#declared.set(name, left);
      else this.#declared.delete(name);
    }
    this.#byFile.delete(file);
  }

  /** Declarations in other files of what is named near the cursor, the nearest name first; what `lookMs` allow. */
  near(root: string | undefined, path: string, text: string, offset: number): Found[] {
    const until = this.#deps.clock.now() + lookMs;
    const found: Found[] = [];
    for (const name of namesNear(text, offset)) {
      if (found.length >= foundMax || this.#deps.clock.now() > until) break;
      // What may be sent may have changed since it was read.
      const elsewhere = this.#declared
        .get(name)
        ?.find((each) => (each.path !== path || each.root !== root) && !this.excluded(each.root, each.path));
      if (elsewhere && !found.includes(elsewhere)) found.push(elsewhere);
    }
    return found;
  }
}
