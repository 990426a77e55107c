// workspace: the folders that an editor has open in, code of other files that helps at a cursor out: the declarations of the names
// around it. Reads files in small steps while nothing is asked, so that a first completion never waits for it; files that are
// ignored, hold secrets by name, or are too many or too large are not read.
import type { Dirent } from "node:fs";
import { join } from "node:path";
import type { Clock } from "../../lib/clock.ts";
import { languageOf } from "../../lib/languages.ts";
import { Ignored } from "./ignored.ts";
import { type Declared, declarations, namesNear } from "./symbols.ts";

export interface Found extends Declared {
  readonly path: string;
}

interface Deps {
  readonly clock: Clock;
  readonly files: {
    readonly list: (folder: string) => Promise<readonly Pick<Dirent, "name" | "isDirectory" | "isFile">[]>;
    /** "" where it is longer than `bytesMax`, or cannot be read. */
    readonly read: (path: string, bytesMax: number) => Promise<string>;
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
const ignoreFiles = [".gitignore", ".slipstreamignore"];

export class Workspace {
  readonly #deps: Deps;
  readonly #ignored = new Map<string, Ignored>();
  readonly #declared = new Map<string, Found[]>();
  readonly #byFile = new Map<string, readonly string[]>();
  #excludes: readonly string[];
  read = 0;

  constructor(excludes: readonly string[], deps: Deps) {
    this.#excludes = excludes;
    this.#deps = deps;
  }

  set excludes(patterns: readonly string[]) {
    this.#excludes = patterns;
    for (const ignored of this.#ignored.values()) ignored.add(patterns);
  }

  /** Whether the file's text is never sent. `path` is relative to `root`; undefined: outside of every folder. */
  excluded(root: string | undefined, path: string): boolean {
    const ignored = root === undefined ? undefined : this.#ignored.get(root);
    return (ignored ?? new Ignored(this.#excludes)).out(path);
  }

  /** What the folder's own ignore file says; before any of its documents is opened. */
  async prepare(root: string): Promise<void> {
    const ignored = new Ignored();
    for (const name of ignoreFiles) ignored.add((await this.#deps.files.read(join(root, name), fileBytesMax)).split("\n"));
    ignored.add(this.#excludes);
    this.#ignored.set(root, ignored);
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
        if (this.excluded(root, path)) continue;
        if (entry.isDirectory()) folders.push(path);
        else if (entry.isFile() && languageOf(path) !== "") {
          this.learn(path, await files.read(join(root, path), fileBytesMax));
          this.read += 1;
        }
        if (clock.now() - turnMs < stepMs) continue;
        await clock.sleep(pauseMs, signal).catch(() => {});
        turnMs = clock.now();
      }
    }
  }

  /** A file's declarations take the place of those it had. */
  learn(path: string, text: string): void {
    for (const name of this.#byFile.get(path) ?? []) {
      const left = (this.#declared.get(name) ?? []).filter((each) => each.path !== path);
      if (left.length > 0) this.#declared.set(name, left);
      else this.#declared.delete(name);
    }
    const names: string[] = [];
    for (const declared of declarations(text)) {
      const known = this.#declared.get(declared.name) ?? [];
      if (known.length >= perNameMax || (known.length === 0 && this.#declared.size >= namesMax)) continue;
      this.#declared.set(declared.name, [...known, { ...declared, path }]);
      names.push(declared.name);
    }
    this.#byFile.set(path, names);
  }

  /** Declarations in other files of what is named near the cursor, the nearest name first; what `lookMs` allow. */
  near(path: string, text: string, offset: number): Found[] {
    const until = this.#deps.clock.now() + lookMs;
    const found: Found[] = [];
    for (const name of namesNear(text, offset)) {
      if (found.length >= foundMax || this.#deps.clock.now() > until) break;
      const elsewhere = this.#declared.get(name)?.find((each) => each.path !== path);
      if (elsewhere && !found.includes(elsewhere)) found.push(elsewhere);
    }
    return found;
  }
}
