// spent: prompts as they are asked and end in, those beginnings of cached prompts out that nobody will ask for again. Of one document, when a
// newer prompt is an older one with a few tokens changed in one place (somebody types on), what the older one has beyond the whole blocks
// that both begin with is spent, as far as no other prompt that is remembered begins with it too. Never of a prompt that still runs, nor
// when the document changed otherwise (people come back to where they were), nor where its blocks may not be there: of one of long ago,
// or one that was stopped before its first token. An engine that reuses parts of blocks takes others for them: the newer prompt's.
// Bounded by the tokens that it remembers.
import type { Clock } from "../../../../lib/clock.ts";

export interface AskedPrefix {
  readonly tokens: readonly number[];
  /** Of its whole blocks, chained: two with the same key begin with the same tokens. */
  readonly keys: readonly number[];
  /** Prompts of the same one may follow each other; "": it follows nobody, and nobody follows it. */
  readonly document: string;
  /** Whether it shows where the document is now: a guess of what comes next does not. */
  readonly typed: boolean;
}

/** Of the cached `tokens`, all after the first `keep` may go. Both are whole blocks. */
export interface Cut {
  readonly tokens: readonly number[];
  readonly keep: number;
  /** Key of the first block that may go. */
  readonly first: number;
  readonly askedMs: number;
}

export interface SpentOptions {
  readonly blockTokens: number;
  readonly tokensMax?: number;
  readonly freshMs?: number;
  readonly editTokensMax?: number;
}

/** 2,000 prompts of 2,000 tokens, at 8 bytes each. */
const tokensUsual = 4_000_000;
/** What else is known of a prompt takes as much as so many: short ones are not remembered without end. */
const tokensBeside = 128;
/** Of one document: what is typed, what was guessed to come next, and what was spent and still runs. */
const perDocumentMax = 6;
/** A cache that gives up what was used so lately is too small for hints to help. */
const freshUsualMs = 30_000;
/** More tokens than this changed at once is no typing on: a pasted function, an accepted completion, another place. */
const editTokensUsual = 96;

interface Remembered extends AskedPrefix {
  readonly askedMs: number;
  running: boolean;
  computed: boolean;
  /** The prompt that it was followed by. */
  followed: Remembered | undefined;
}

export class SpentPrefixes {
  readonly #options: Required<SpentOptions>;
  readonly #deps: { readonly clock: Pick<Clock, "now">; readonly cut: (cut: Cut) => void };
  /** Oldest first. */
  readonly #all = new Set<Remembered>();
  readonly #documents = new Map<string, Remembered[]>();
  /** By how many of them a block is begun with. */
  readonly #holders = new Map<number, number>();
  #tokens = 0;

  constructor(options: SpentOptions, deps: { readonly clock: Pick<Clock, "now">; readonly cut: (cut: Cut) => void }) {
    this.#options = { tokensMax: tokensUsual, freshMs: freshUsualMs, editTokensMax: editTokensUsual, ...options };
    this.#deps = deps;
  }

  get remembered(): { readonly prompts: number; readonly documents: number; readonly blocks: number } {
    return { prompts: this.#all.size, documents: this.#documents.size, blocks: this.#holders.size };
  }

  /** To be called when it has ended, whichever way: whether the engine has computed it. */
  asked(prompt: AskedPrefix): (computed: boolean) => void {
    const asked: Remembered = { ...prompt, askedMs: this.#deps.clock.now(), running: true, computed: false, followed: undefined };
    const { document } = asked;
    this.#all.add(asked);
    this.#tokens += asked.tokens.length + tokensBeside;
    for (const key of asked.keys) this.#holders.set(key, (this.#holders.get(key) ?? 0) + 1);
    if (document !== "") {
      const others = this.#documents.get(document) ?? [];
      this.#documents.set(document, others);
      if (asked.typed)
        for (const other of others)
          if (!other.followed && typedOn(other.tokens, asked.tokens, this.#options.editTokensMax)) other.followed = asked;
      others.push(asked);
      if (others.length > perDocumentMax) this.#forget(others[0] as Remembered);
    }
    for (const oldest of this.#all) {
      if (this.#tokens <= this.#options.tokensMax) break;
      this.#forget(oldest);
    }
    return (computed) => this.#ended(asked, computed);
  }

  /** Whether it may still go: nobody has asked for it again meanwhile, and it is not of long ago. */
  stands({ first, askedMs }: Cut): boolean {
    return !this.#holders.has(first) && this.#deps.clock.now() - askedMs <= this.#options.freshMs;
  }

  #ended(asked: Remembered, computed: boolean): void {
    if (!asked.running) return;
    asked.running = false;
    asked.computed = computed;
    // What follows it may still be reading what both begin with, and takes what the engine gives it of the rest.
    for (const each of [...(this.#documents.get(asked.document) ?? [])])
      if (each.followed && !each.running && !each.followed.running) this.#spend(each);
  }

  #spend(spent: Remembered): void {
    this.#forget(spent);
    const { keys, tokens, askedMs, computed } = spent;
    const { blockTokens } = this.#options;
    const free = keys.findIndex((key) => !this.#holders.has(key));
    const first = keys[free];
    if (first === undefined || !computed) return;
    const cut = { tokens: tokens.slice(0, keys.length * blockTokens), keep: free * blockTokens, first, askedMs };
    if (this.stands(cut)) this.#deps.cut(cut);
  }

  #forget(old: Remembered): void {
    if (!this.#all.delete(old)) return;
    this.#tokens -= old.tokens.length + tokensBeside;
    for (const key of old.keys) {
      const holders = (this.#holders.get(key) ?? 1) - 1;
      if (holders > 0) this.#holders.set(key, holders);
      else this.#holders.delete(key);
    }
    const left = (this.#documents.get(old.document) ?? []).filter((each) => each !== old);
    if (left.length > 0) this.#documents.set(old.document, left);
    else this.#documents.delete(old.document);
  }
}

/** Whether all that is between what both begin with and what both end with is short. */
export function typedOn(older: readonly number[], newer: readonly number[], editTokensMax = editTokensUsual): boolean {
  const shorter = Math.min(older.length, newer.length);
  let begin = 0;
  while (begin < shorter && older[begin] === newer[begin]) begin += 1;
  let end = 0;
  while (end < shorter - begin && older[older.length - 1 - end] === newer[newer.length - 1 - end]) end += 1;
  return begin > 0 && Math.max(older.length, newer.length) - begin - end <= editTokensMax;
}
