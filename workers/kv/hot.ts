// hot: the prompts that were computed in, those worth computing again out, when an engine comes back with nothing: the last of each
// session, the newest last. Holds at most `max`, and none longer than `bytesMax`.
import type { Segment } from "../generation.ts";
import type { Warming } from "./warming.ts";

export interface HotOptions {
  readonly max: number;
  readonly bytesMax: number;
}

interface Computed {
  readonly affinity: string;
  readonly model: string;
  readonly segments: readonly Segment[];
  readonly cacheSalt: string;
}

export class HotPrefixes {
  readonly #options: HotOptions;
  /** By tenant and session, oldest first. */
  readonly #last = new Map<string, Warming>();

  constructor(options: HotOptions) {
    this.#options = options;
  }

  computed({ affinity, model, segments, cacheSalt }: Computed): void {
    // Who names no session does not come again.
    if (affinity === "") return;
    const bytes = segments.reduce((sum, part) => sum + Buffer.byteLength("text" in part ? part.text : part.special), 0);
    if (bytes > this.#options.bytesMax) return;
    const session = `${cacheSalt}\u0000${affinity}`;
    this.#last.delete(session);
    this.#last.set(session, { model, segments, cacheSalt });
    for (const oldest of this.#last.keys()) {
      if (this.#last.size <= this.#options.max) return;
      this.#last.delete(oldest);
    }
  }

  /** Oldest first. */
  all(): Warming[] {
    return [...this.#last.values()];
  }
}
