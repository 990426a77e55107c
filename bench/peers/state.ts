// state: what a comparison has measured so far, in a file, so that one that was interrupted goes on where it was. A line of JSON
// each: the name of what was measured, with everything it depends on, what came of it, and which version of the program measured.
// Bounded by the runs of a comparison.
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { dirname } from "node:path";

export interface StateOptions {
  /** What is there is thrown away. */
  readonly fresh?: boolean;
  readonly version?: string;
  /** What another version measured is not known. */
  readonly ownOnly?: boolean;
}

interface Line {
  readonly key: string;
  readonly value: unknown;
  readonly version?: string;
}

export class State {
  readonly #path: string;
  readonly #version: string;
  readonly #known = new Map<string, Line>();
  readonly #others = new Set<string>();

  constructor(path: string, { fresh, version = "", ownOnly }: StateOptions = {}) {
    this.#path = path;
    this.#version = version;
    mkdirSync(dirname(path), { recursive: true });
    if (fresh) rmSync(path, { force: true });
    for (const text of existsSync(path) ? readFileSync(path, "utf8").split("\n") : []) {
      // The last line may be half a line, where a run was killed.
      try {
        const line = JSON.parse(text) as Line;
        if (!ownOnly || this.#isOwn(line)) this.#known.set(line.key, line);
      } catch {}
    }
  }

  /** What was asked for and is another version's. */
  get others(): number {
    return this.#others.size;
  }

  /** The value that is known, or the one that is measured now and kept. */
  async once<T>(of: object, measure: () => Promise<T>): Promise<T> {
    if (this.has(of)) return this.find(of) as T;
    const value = await measure();
    this.keep(of, value);
    return value;
  }

  has(of: object): boolean {
    return this.#known.has(JSON.stringify(of));
  }

  find<T>(of: object): T | undefined {
    const key = JSON.stringify(of);
    const line = this.#known.get(key);
    if (line && !this.#isOwn(line)) this.#others.add(key);
    return line?.value as T | undefined;
  }

  keep(of: object, value: unknown): void {
    const line: Line = { key: JSON.stringify(of), value, version: this.#version };
    this.#known.set(line.key, line);
    appendFileSync(this.#path, `${JSON.stringify(line)}\n`);
  }

  #isOwn({ version = "" }: Line): boolean {
    return version === this.#version;
  }
}
