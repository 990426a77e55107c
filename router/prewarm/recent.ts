// recent: the last prompt of each session in, as it was sent to a worker; what another worker would need to hold the session, out.
// Bounded by `sessionsMax` and `bytesMax`; a session that is forgotten is computed anew where it goes.
import { Lru } from "../../lib/structures/lru.ts";
import type { Prompt, Work } from "../completion.ts";

/** A prompt without what only its own generation needs. */
export type Sent = Pick<Prompt, "model" | "pool" | "segments" | "bytes" | "blocks">;

export interface Recent {
  readonly session: string;
  readonly document: string;
  readonly tenant: string;
  readonly prompt: Sent;
}

/** Objects and names of an entry. */
const overheadBytes = 512;

export class RecentPrompts {
  readonly #last: Lru<Recent>;

  constructor({ sessionsMax, bytesMax }: { readonly sessionsMax: number; readonly bytesMax: number }) {
    this.#last = new Lru({
      max: sessionsMax,
      maxWeight: bytesMax,
      weigh: ({ prompt }) => prompt.bytes + prompt.blocks.length + overheadBytes,
    });
  }

  sent({ session, document, tenant }: Pick<Work, "session" | "document" | "tenant">, prompt: Prompt): void {
    this.#last.set(session, { session, document, tenant, prompt: sentOf(prompt) }, 0);
  }

  of(session: string): Recent | undefined {
    return this.#last.get(session, 0);
  }

  get bytes(): number {
    return this.#last.weight;
  }
}

export function sentOf({ model, pool, segments, bytes, blocks }: Sent): Sent {
  return { model, segments, bytes, blocks, ...(pool !== undefined && { pool }) };
}
