// sequence-pool: the model's sequences and what KV each holds. `claim` gives the best idle one for a prompt, or waits for the
// next that comes back; at most `slots` claims are out and `waitingMax` wait. Runs in the child process.
import assert from "node:assert/strict";
import type { LlamaContextSequence, Token } from "node-llama-cpp";
import type { Clock } from "../../../lib/clock.ts";
import { blockTokens } from "./messages.ts";
import { chooseSlot, type IdleSlot } from "./slot-choice.ts";

export interface Claim {
  readonly sequence: LlamaContextSequence;
  /** Of the draft model; it keeps itself in step (drafting.ts). */
  readonly draft: LlamaContextSequence | undefined;
  /** Tokens of the prompt whose KV is kept. */
  readonly cached: number;
  release(): void;
}

export interface Wanted {
  readonly tokens: readonly number[];
  readonly salt: string;
  readonly affinity: string;
}

/** A generation that ends in this moment still holds its sequence while the next arrives; more than one each never does. */
const waitingPerSlot = 2;

class Slot implements IdleSlot {
  readonly sequence: LlamaContextSequence;
  readonly draft: LlamaContextSequence | undefined;
  salt = "";
  affinity = "";
  usedMs = 0;
  busy = false;

  constructor(sequence: LlamaContextSequence, draft: LlamaContextSequence | undefined) {
    this.sequence = sequence;
    this.draft = draft;
  }

  get tokens(): readonly Token[] {
    return this.sequence.contextTokens;
  }
}

export class SequencePool {
  readonly #slots: readonly Slot[];
  readonly #canTrim: boolean;
  readonly #clock: Clock;
  #waiting: (() => void)[] = [];

  constructor(
    options: { sequences: readonly LlamaContextSequence[]; drafts: readonly LlamaContextSequence[]; canTrim: boolean },
    deps: { clock: Clock },
  ) {
    this.#slots = options.sequences.map((sequence, index) => new Slot(sequence, options.drafts[index]));
    this.#canTrim = options.canTrim;
    this.#clock = deps.clock;
  }

  get idle(): number {
    return this.#slots.filter((slot) => !slot.busy).length;
  }

  get blocksUsed(): number {
    return this.#slots.reduce((sum, slot) => sum + Math.ceil(slot.sequence.nextTokenIndex / blockTokens), 0);
  }

  get blocks(): number {
    return this.#slots.reduce((sum, slot) => sum + Math.ceil(slot.sequence.contextSize / blockTokens), 0);
  }

  /** Undefined when the signal aborts before a sequence is free. */
  async claim(wanted: Wanted, signal: AbortSignal): Promise<Claim | undefined> {
    while (this.idle === 0 && !signal.aborted) await this.#nextRelease(signal);
    if (signal.aborted) return undefined;
    const choice = chooseSlot(
      this.#slots.filter((slot) => !slot.busy),
      wanted,
    );
    assert(choice, "an idle sequence");
    const { slot } = choice;
    slot.busy = true;
    slot.usedMs = this.#clock.now();
    slot.affinity = wanted.affinity;
    try {
      // The last token is always evaluated anew: its logits choose the first token of the completion.
      const cached = await this.#keep(slot, Math.min(choice.common, wanted.tokens.length - 1));
      // What another salt computed is not reused by the draft model either.
      if (slot.salt !== wanted.salt) await slot.draft?.clearHistory();
      slot.salt = wanted.salt;
      return { sequence: slot.sequence, draft: slot.draft, cached, release: () => this.#release(slot) };
    } catch (error) {
      this.#release(slot);
      throw error;
    }
  }

  async #keep(slot: Slot, common: number): Promise<number> {
    const held = slot.sequence.nextTokenIndex;
    const kept = common === held || this.#canTrim ? common : 0;
    if (kept === 0) await slot.sequence.clearHistory();
    else if (kept < held) await slot.sequence.eraseContextTokenRanges([{ start: kept, end: held }]);
    return kept;
  }

  #release(slot: Slot): void {
    slot.busy = false;
    slot.usedMs = this.#clock.now();
    this.#waiting.shift()?.();
  }

  #nextRelease(signal: AbortSignal): Promise<void> {
    assert(this.#waiting.length < this.#slots.length * waitingPerSlot, "more generations than the agent may send");
    return new Promise((resolve) => {
      const wake = () => {
        signal.removeEventListener("abort", leave);
        resolve();
      };
      const leave = () => {
        this.#waiting = this.#waiting.filter((other) => other !== wake);
        resolve();
      };
      this.#waiting.push(wake);
      signal.addEventListener("abort", leave, { once: true });
    });
  }
}
