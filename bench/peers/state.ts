// state: what a comparison has measured so far, in a file, so that one that was interrupted goes on where it was. A line of JSON
// each: the name of what was measured, with everything it depends on, and what came of it. Bounded by the runs of a comparison.
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { dirname } from "node:path";

export class State {
  readonly #path: string;
  readonly #known = new Map<string, unknown>();

  /** `fresh`: what is there is thrown away. */
  constructor(path: string, options: { readonly fresh?: boolean } = {}) {
    this.#path = path;
    mkdirSync(dirname(path), { recursive: true });
    if (options.fresh) rmSync(path, { force: true });
    for (const line of existsSync(path) ? readFileSync(path, "utf8").split("\n") : []) {
      // The last line may be half a line, where a run was killed.
      try {
        const { key, value } = JSON.parse(line) as { key: string; value: unknown };
        this.#known.set(key, value);
      } catch {}
    }
  }

  /** The value that is known, or the one that is measured now and kept. */
  async once<T>(of: object, measure: () => Promise<T>): Promise<T> {
    const key = JSON.stringify(of);
    if (this.#known.has(key)) return this.#known.get(key) as T;
    const value = await measure();
    this.keep(of, value);
    return value;
  }

  has(of: object): boolean {
    return this.#known.has(JSON.stringify(of));
  }

  find<T>(of: object): T | undefined {
    return this.#known.get(JSON.stringify(of)) as T | undefined;
  }

  keep(of: object, value: unknown): void {
    const key = JSON.stringify(of);
    this.#known.set(key, value);
    appendFileSync(this.#path, `${JSON.stringify({ key, value })}\n`);
  }
}
