// memory: reports of what became of shown texts in; what they say about the next one out, fading with time. Holds a few numbers
// a document, `documentsMax` documents, for ten minutes.
import { Lru } from "../../lib/structures/lru.ts";
import type { Report } from "../completion.ts";
import type { Evidence } from "./evidence.ts";

interface Known {
  readonly shownAtMs: number | undefined;
  /** As of `atMs`. */
  readonly accepted: number;
  readonly rejected: number;
  readonly atMs: number;
}

const ttlMs = 600_000;
const acceptedHalfLifeMs = 10_000;
const rejectedHalfLifeMs = 5_000;
const rejectedMax = 3;
const partly = 0.7;
/** A text that stood for less was typed over, not judged. */
const judgedMs = 500;
/** Below it a fading trace says nothing. */
const noticeable = 0.01;

export class Memory {
  readonly #known: Lru<Known>;

  constructor(options: { readonly documentsMax: number }) {
    this.#known = new Lru({ max: options.documentsMax, ttlMs });
  }

  get size(): number {
    return this.#known.size;
  }

  observe({ document, reaction, shownMs }: Report, now: number): void {
    const before = this.#at(document, now);
    const after = next(before, reaction, shownMs, now);
    if (after) this.#known.set(document, after, now);
  }

  evidence(document: string, now: number): Evidence {
    const { accepted, rejected } = this.#at(document, now);
    return {
      ...(accepted > noticeable ? { accepted } : {}),
      ...(rejected > noticeable ? { rejected } : {}),
    };
  }

  #at(document: string, now: number): Known {
    const known = this.#known.get(document, now);
    if (!known) return { shownAtMs: undefined, accepted: 0, rejected: 0, atMs: now };
    const passed = Math.max(0, now - known.atMs);
    return {
      shownAtMs: known.shownAtMs,
      accepted: known.accepted * 0.5 ** (passed / acceptedHalfLifeMs),
      rejected: known.rejected * 0.5 ** (passed / rejectedHalfLifeMs),
      atMs: now,
    };
  }
}

function next(before: Known, reaction: Report["reaction"], shownMs: number, now: number): Known | undefined {
  const over = { ...before, shownAtMs: undefined };
  switch (reaction) {
    case "shown":
      return { ...before, shownAtMs: now };
    case "accepted":
      return { ...over, accepted: 1, rejected: 0 };
    case "partial":
      return { ...before, accepted: Math.max(before.accepted, partly), rejected: 0 };
    case "rejected": {
      const stoodMs = shownMs > 0 ? shownMs : before.shownAtMs === undefined ? judgedMs : now - before.shownAtMs;
      if (stoodMs < judgedMs) return over;
      return { ...over, accepted: 0, rejected: Math.min(rejectedMax, before.rejected + 1) };
    }
    case "ignored":
    case "superseded":
      return over;
    case "retained":
      return undefined;
  }
}
