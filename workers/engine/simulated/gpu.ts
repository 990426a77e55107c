// gpu: the steps of a pretend GPU. Sequences in; their KV, pieces and ends out, one step after the other under the injected
// clock while there is work. Continuous batching: whoever arrives joins the next step, whoever ends leaves with this one.
import type { Clock } from "../../../lib/clock.ts";
import type { SlipstreamError } from "../../../lib/errors.ts";
import type { Random } from "../../../lib/random.ts";
import type { Finish, Finished } from "../../generation.ts";
import type { KvEvent } from "../engine.ts";
import { Blocks } from "./blocks.ts";
import { type PlanOptions, planStep, type Step } from "./plan.ts";
import { Recent } from "./recent.ts";
import type { Sequence } from "./sequence.ts";

export const blockTokens = 16;
/** A process that slept longer does not catch up on the steps it missed. */
const catchUpMaxMs = 50;

export interface GpuOptions {
  readonly plan: PlanOptions;
  readonly kvBlocks: number;
  readonly stall: { readonly probability: number; readonly ms: number } | undefined;
  readonly abortMs: number;
}

export class Gpu {
  readonly recent: Recent;
  readonly blocks: Blocks;
  readonly #options: GpuOptions;
  readonly #deps: { readonly clock: Clock; readonly random: Random; readonly onKv: (event: KvEvent) => void };
  /** In order of rank, then of arrival; admitted once they hold a lease on memory. */
  #sequences: Sequence[] = [];
  /** Time of all steps so far. */
  busyMs = 0;
  /** Times as slow as its profile: a card that throttles, a neighbour on it. */
  slowness = 1;
  /** When the running step ends; undefined: nothing runs. */
  #stepEndsMs: number | undefined;

  constructor(options: GpuOptions, deps: { clock: Clock; random: Random; onKv: (event: KvEvent) => void }) {
    this.#options = options;
    this.#deps = deps;
    this.recent = new Recent(deps);
    this.blocks = new Blocks({ capacity: options.kvBlocks });
  }

  get sequences(): readonly Sequence[] {
    return this.#sequences;
  }

  /** Prompt tokens that are still to be computed; of one that waits for the next step, those that memory does not hold. */
  left(sequence: Sequence): number {
    if (sequence.lease) return sequence.promptTokens - sequence.computed;
    return Math.max(1, sequence.promptTokens - this.blocks.lookup(sequence.chain.blocks) * blockTokens);
  }

  add(sequence: Sequence): void {
    const behind = this.#sequences.findIndex((other) => other.rank > sequence.rank);
    this.#sequences.splice(behind < 0 ? this.#sequences.length : behind, 0, sequence);
    this.#start(this.#deps.clock.now());
  }

  /** Everything ends as failed and all KV is lost. */
  clear(error: SlipstreamError): void {
    for (const sequence of this.#sequences) sequence.finish({ kind: "failed", error, usage: sequence.usage });
    this.#sequences = [];
    this.blocks.clear();
    this.#deps.onKv({ stored: [], removed: [], cleared: true });
  }

  abort(sequence: Sequence): void {
    if (sequence.finished || sequence.abortedMs !== undefined) return;
    sequence.abortedMs = this.#deps.clock.now();
    // What no step works on ends now; the rest when the step that runs ends.
    if (!sequence.lease && this.#options.abortMs === 0) this.#remove(sequence, { kind: "aborted", usage: sequence.usage });
  }

  #remove(sequence: Sequence, finished: Finished): void {
    const now = this.#deps.clock.now();
    const { usage } = sequence;
    if (!sequence.lease) usage.queueMs = now - sequence.arrivedMs;
    else if (sequence.firstTokenMs === undefined) usage.prefillMs = now - sequence.admittedMs;
    else usage.decodeMs = now - sequence.firstTokenMs;
    sequence.finish(finished);
    this.#sequences = this.#sequences.filter((other) => other !== sequence);
  }

  /** Begins a step unless one runs. The next begins where the last one ended, so that late timers do not slow the GPU. */
  #start(dueMs: number): void {
    if (this.#stepEndsMs !== undefined) return;
    this.#admit();
    const running = this.#sequences.filter((sequence) => sequence.lease);
    if (running.length === 0) return;
    const step = planStep(running, this.#options.plan);
    const { stall } = this.#options;
    const stallMs = stall && this.#deps.random.next() < stall.probability ? stall.ms : 0;
    const ms = step.ms * this.slowness + stallMs;
    this.#stepEndsMs = dueMs + ms;
    this.#deps.clock.timer(this.#stepEndsMs - this.#deps.clock.now(), () => {
      const endedMs = this.#stepEndsMs as number;
      this.#stepEndsMs = undefined;
      this.busyMs += ms;
      this.recent.step(ms);
      share(step, ms);
      this.#finish(step);
      this.#start(Math.max(endedMs, this.#deps.clock.now() - catchUpMaxMs));
    });
  }

  /** Memory for a whole generation is set aside at once: nobody is thrown out later for want of a block. */
  #admit(): void {
    for (const sequence of this.#sequences) {
      if (sequence.lease || sequence.abortedMs !== undefined) continue;
      const { chain, promptTokens, tokensMax, work } = sequence;
      // The last token is always computed: the first new one comes from it.
      const shareMax = Math.floor((promptTokens - 1) / blockTokens);
      const lease = this.blocks.lease(chain.blocks, shareMax, blocksFor(promptTokens + tokensMax), work.blockDigests);
      if (!lease) return;
      sequence.lease = lease;
      sequence.admittedMs = this.#deps.clock.now();
      sequence.computed = lease.hits * blockTokens;
      sequence.usage.cachedTokens = sequence.computed;
      sequence.usage.queueMs = sequence.admittedMs - sequence.arrivedMs;
    }
  }

  #finish(step: Step): void {
    const prefilled = step.prefill.reduce((sum, { tokens }) => sum + tokens, 0);
    this.recent.prefill(prefilled, step.prefillMs);
    for (const { sequence, tokens } of step.prefill) if (!sequence.finished) this.#prefill(sequence, tokens);
    for (const { sequence, depth } of step.decode) if (!sequence.finished) this.#decode(sequence, depth);
    const now = this.#deps.clock.now();
    for (const sequence of [...this.#sequences])
      if (sequence.abortedMs !== undefined && now >= sequence.abortedMs + this.#options.abortMs)
        this.#remove(sequence, { kind: "aborted", usage: sequence.usage });
    const { stored, removed } = this.blocks.changes();
    if (stored.length + removed.length > 0) this.#deps.onKv({ stored, removed, cleared: false });
  }

  #prefill(sequence: Sequence, tokens: number): void {
    const from = Math.floor(sequence.computed / blockTokens);
    sequence.computed += tokens;
    sequence.usage.recomputedTokens += tokens;
    const to = Math.floor(sequence.computed / blockTokens);
    for (const block of sequence.chain.blocks.slice(from, to)) sequence.lease?.commit(block);
    if (!sequence.prefilled) return;
    const now = this.#deps.clock.now();
    sequence.usage.prefillMs = now - sequence.admittedMs;
    sequence.firstTokenMs = now;
    if (sequence.tokensMax === 0) this.#remove(sequence, { kind: "done", finish: "length", usage: sequence.usage });
    else this.#say(sequence, 1);
  }

  #decode(sequence: Sequence, depth: number): void {
    let accepted = 0;
    while (accepted < depth && sequence.random.next() < this.#options.plan.agreement) accepted += 1;
    sequence.usage.drafted += depth;
    sequence.usage.draftAccepted += accepted;
    this.recent.block(depth, accepted);
    this.#say(sequence, accepted + 1);
  }

  /** The next `tokens` of the text as one piece; ends at the model's own end, the length, or the first newline if asked. */
  #say(sequence: Sequence, tokens: number): void {
    const { usage, chain, work, tokensMax } = sequence;
    let text = "";
    let said = 0;
    let end: Finish | undefined;
    while (said < tokens && !end) {
      const next = sequence.text.next();
      if (next.done) {
        end = "stop";
        break;
      }
      text += next.value;
      said += 1;
      const bytes = Buffer.from(next.value);
      const full = chain.blocks.length;
      chain.piece(bytes, 0, bytes.length, false);
      for (const block of chain.blocks.slice(full)) sequence.lease?.commit(block);
      if (work.stopAtNewline && next.value.includes("\n")) end = "cut";
      else if (usage.completionTokens + said >= tokensMax) end = "length";
    }
    usage.completionTokens += said;
    if (said > 0 && sequence.abortedMs === undefined)
      sequence.push({ text, tokens: said, confidence: 0.5 + sequence.random.next() / 2, ...sequence.promptUse() });
    if (end) this.#remove(sequence, { kind: "done", finish: end, usage });
  }
}

/** A step's time to those that ran in it: a prompt's by its tokens, a decode's by equal parts; together it is all of it. */
function share({ prefill, decode, prefillMs, ms: plannedMs }: Step, ms: number): void {
  const slower = plannedMs > 0 ? ms / plannedMs : 1;
  const forPrompts = decode.length === 0 ? ms : prefill.length === 0 ? 0 : prefillMs * slower;
  const tokens = prefill.reduce((sum, each) => sum + each.tokens, 0);
  for (const { sequence, tokens: own } of prefill) sequence.usage.engineMs += (forPrompts * own) / Math.max(1, tokens);
  for (const { sequence } of decode) sequence.usage.engineMs += (ms - forPrompts) / decode.length;
}

/** Blocks that hold so many tokens. */
export const blocksFor = (tokens: number): number => Math.ceil(tokens / blockTokens);
