// peers: how workers of one pool and model do in, what is usual among them out: how soon they answer, what a prompt token and a
// step take them. A worker is late by what its like take, never by itself: where a load makes all of them slow, nobody is. Each
// measure is kept in order as it changes; bounded by the workers that are among them.
import type { LinkGeneration } from "./generation.ts";
import { Usual } from "./promptness.ts";
import type { Stalls } from "./stalls.ts";

export interface Peers {
  /** Milliseconds to a first delta. */
  readonly firsts: Usual;
  /** Of one prompt token, and of a step, by what workers say of their engines. */
  readonly prompts: Usual;
  readonly steps: Usual;
  /** Those of their generations that wait for a first delta. */
  readonly stalls: Stalls<LinkGeneration>;
}

export const newPeers = (stalls: (firsts: Usual) => Stalls<LinkGeneration>): Peers => {
  const firsts = new Usual();
  return { firsts, prompts: new Usual(), steps: new Usual(), stalls: stalls(firsts) };
};

/** What is late: so many times what is usual. A step computes prompts as well, now and then twice as long as one that does not. */
const lateTimes = 2;
const slowTimes = 3;
/** What an engine said of its steps before that is over: who does something says so more often. */
const freshMs = 1_500;
/** So much of a prompt is computed along, whatever the rate. */
const warmTokensMax = 128;

export interface Answered {
  readonly tookMs: number;
  /** Prompt tokens that were computed before it. */
  readonly computed: number;
  /** When it was sent. */
  readonly sinceMs: number;
}

/** One worker's engine among its peers'. */
export class Speed {
  #peers: Peers | undefined;
  #promptMs: number | undefined;
  #stepMs: number | undefined;
  #saidMs = Number.NEGATIVE_INFINITY;

  among(peers: Peers | undefined): void {
    const [promptMs, stepMs] = [this.#promptMs, this.#stepMs];
    this.#be(undefined, undefined);
    this.#peers = peers;
    this.#be(promptMs, stepMs);
  }

  /** What it says of itself; 0: it does not know. */
  said(
    { prefillTokensPerSecond, stepMs }: { readonly prefillTokensPerSecond: number; readonly stepMs: number },
    now: number,
  ): void {
    this.#saidMs = now;
    this.#be(prefillTokensPerSecond > 0 ? 1_000 / prefillTokensPerSecond : undefined, stepMs > 0 ? stepMs : undefined);
  }

  forget(): void {
    this.#be(undefined, undefined);
  }

  /** Was it late with an answer, for the prompt that it was? Undefined: that says nothing. */
  late({ tookMs, computed, sinceMs }: Answered): boolean | undefined {
    const { firsts, prompts, steps } = this.#peers ?? {};
    const usual = steps?.expectedMs;
    const [firstMs, promptMs] = [firsts?.expectedMs, prompts?.expectedMs];
    // Who answers as soon as others do is not slow, whatever a pause has made of its steps.
    if (firstMs === undefined || tookMs <= firstMs) return false;
    const ofLate = sinceMs + tookMs - this.#saidMs <= freshMs;
    if (usual !== undefined && this.#stepMs !== undefined && ofLate && this.#stepMs > slowTimes * usual) return true;
    const more = Math.max(0, computed - warmTokensMax);
    if (more > 0 && promptMs === undefined) return undefined;
    return tookMs > lateTimes * (firstMs + more * (promptMs ?? 0));
  }

  #be(promptMs: number | undefined, stepMs: number | undefined): void {
    this.#peers?.prompts.changed(this.#promptMs, promptMs);
    this.#peers?.steps.changed(this.#stepMs, stepMs);
    [this.#promptMs, this.#stepMs] = [promptMs, stepMs];
  }
}
