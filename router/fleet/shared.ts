// shared: long beginnings that many sessions' prompts have in common: a system prompt, a repository's instructions. Digests of
// what was sent in; of a new prompt, how much of it other sessions' had too and which workers were sent that of late, out. Looked
// at in steps of `stepBlocks`, so that a prompt costs a few entries; digests are chained, and the tenant is in their seed. Bounded
// by `max` beginnings, least used first out; a worker that was sent none for `ttlMs` holds it no more.
import { Lru } from "../../lib/structures/lru.ts";
import type { Prompt, SharedBeginning } from "../completion.ts";

export interface SharedOptions {
  readonly max: number;
  readonly ttlMs: number;
  /** A beginning is looked at every so many blocks, and as far as so many steps. */
  readonly stepBlocks: number;
  readonly stepsMax: number;
  /** Workers that are remembered of one. */
  readonly workersMax: number;
}

interface Beginning {
  /** Who was first to have it; undefined: several have. */
  session: string | undefined;
  /** When each was last sent it. */
  readonly workers: Map<string, number>;
}

const digestBytes = 8;
const blockBytes = 64;

export class SharedBeginnings {
  readonly #options: SharedOptions;
  readonly #known: Lru<Beginning>;

  constructor(options: SharedOptions) {
    this.#options = options;
    this.#known = new Lru({ max: options.max });
  }

  sent(session: string, worker: string, { blocks }: Pick<Prompt, "blocks">, now: number): void {
    const { workersMax } = this.#options;
    for (const digest of this.#steps(blocks)) {
      const known = this.#known.get(digest, now);
      if (!known) {
        this.#known.set(digest, { session, workers: new Map([[worker, now]]) }, now);
        continue;
      }
      if (known.session !== session) known.session = undefined;
      // The one sent last is the last of the list.
      known.workers.delete(worker);
      known.workers.set(worker, now);
      for (const oldest of known.workers.keys()) {
        if (known.workers.size <= workersMax) break;
        known.workers.delete(oldest);
      }
    }
  }

  /** The longest beginning that others have as well; undefined: none. */
  of({ blocks }: Pick<Prompt, "blocks">, now: number): SharedBeginning | undefined {
    let found: { readonly digest: string; readonly step: number; readonly known: Beginning } | undefined;
    let step = 0;
    for (const digest of this.#steps(blocks)) {
      const known = this.#known.get(digest, now);
      if (!known || known.session !== undefined) break;
      found = { digest, step: ++step, known };
    }
    if (!found) return undefined;
    const { digest, known } = found;
    const holders = [...known.workers].flatMap(([worker, atMs]) => (now - atMs <= this.#options.ttlMs ? [worker] : []));
    return { name: digest, bytes: found.step * this.#options.stepBlocks * blockBytes, holders };
  }

  *#steps(blocks: Uint8Array): Generator<string> {
    const { stepBlocks, stepsMax } = this.#options;
    for (let step = 1; step <= stepsMax; step++) {
      const end = step * stepBlocks * digestBytes;
      if (end > blocks.length) return;
      yield Buffer.from(blocks.buffer, blocks.byteOffset + end - digestBytes, digestBytes).toString("latin1");
    }
  }
}
