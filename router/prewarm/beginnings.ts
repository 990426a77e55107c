// beginnings: prompts that begin with what other sessions' prompts begin with too in, those beginnings that were asked for most of
// late out, cut from a prompt that had it. What was asked for long ago counts for less. Bounded by `max` and `bytesMax`.
import { Lru } from "../../lib/structures/lru.ts";
import type { Prompt, Segment, SharedBeginning, Work } from "../completion.ts";
import { type Sent, sentOf } from "./recent.ts";

export interface Beginning {
  readonly name: string;
  readonly tenant: string;
  /** Cut after the beginning. */
  readonly prompt: Sent;
  readonly score: number;
}

interface Kept extends Beginning {
  readonly atMs: number;
}

export interface BeginningsOptions {
  readonly max: number;
  readonly bytesMax: number;
  /** A use counts for half after so long. */
  readonly halfLifeMs: number;
}

const digestBytes = 8;
const blockBytes = 64;

export class HotBeginnings {
  readonly #options: BeginningsOptions;
  readonly #kept: Lru<Kept>;

  constructor(options: BeginningsOptions) {
    this.#options = options;
    this.#kept = new Lru({ max: options.max, maxWeight: options.bytesMax, weigh: ({ prompt }) => prompt.bytes });
  }

  used({ tenant }: Pick<Work, "tenant">, prompt: Prompt, { name, bytes }: SharedBeginning, now: number): void {
    const known = this.#kept.get(name, now);
    const score = 1 + (known ? this.#score(known, now) : 0);
    const cut = known?.prompt ?? beginningOf(prompt, bytes);
    this.#kept.set(name, { name, tenant, prompt: cut, score, atMs: now }, now);
  }

  /** The most asked for first. */
  hottest(now: number): readonly Beginning[] {
    return [...this.#kept.entries()]
      .map(([, kept]) => ({ ...kept, score: this.#score(kept, now) }))
      .sort((a, b) => b.score - a.score);
  }

  #score({ score, atMs }: Kept, now: number): number {
    return score * 0.5 ** ((now - atMs) / this.#options.halfLifeMs);
  }
}

/** The first bytes of a prompt, in whole characters. */
export function beginningOf(prompt: Prompt, bytes: number): Sent {
  const segments: Segment[] = [];
  let left = bytes;
  for (const segment of prompt.segments) {
    if (left <= 0) break;
    const part = "text" in segment ? segment.text : segment.special;
    const size = Buffer.byteLength(part);
    if (size <= left) segments.push(segment);
    else if ("text" in segment) {
      // What is left of a character that is cut says nothing.
      const text = Buffer.from(part)
        .subarray(0, left)
        .toString("utf8")
        .replace(/\uFFFD+$/, "");
      if (text !== "") segments.push({ text });
    }
    left -= size;
  }
  const blocks = prompt.blocks.slice(0, Math.floor(bytes / blockBytes) * digestBytes);
  return { ...sentOf(prompt), segments, bytes, blocks };
}
