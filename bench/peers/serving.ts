// serving: a pretend GPU as an OpenAI-compatible server has it: prompts as text, a bounded batch with a first-come queue before
// it, stop strings, and an abort that leaves the queue at once and the batch at the end of the step that runs. Counts what each
// generation cost, aborted ones included. In virtual time it is called as it is, on a machine through front.ts.
import type { Clock } from "../../lib/clock.ts";
import { SlipstreamError } from "../../lib/errors.ts";
import type { SimulatedEngine } from "../../workers/engine/simulated/simulated.ts";
import type { Generation, Segment } from "../../workers/generation.ts";
import { Counted, type WorkerFigures } from "../keys/counted.ts";
import type { Ask, Chunk } from "./endpoint.ts";

export interface ServingFigures extends WorkerFigures {
  /** Requests that came, and those whose client went away before their end. */
  readonly requests: number;
  readonly aborted: number;
  /** Tokens of prompts, and those that memory held. */
  readonly promptTokens: number;
  readonly hitTokens: number;
}

/** A server refuses more. */
const waitingMax = 10_000;
const special = /(<\|(?:fim_prefix|fim_suffix|fim_middle|file_sep|repo_name)\|>)/;

export class Serving {
  readonly name: string;
  readonly #engine: SimulatedEngine;
  readonly #counted: Counted;
  readonly #clock: Clock;
  readonly #waiting: (() => void)[] = [];
  #running = 0;
  #nextId = 1n;
  #requests = 0;
  #aborted = 0;

  constructor(name: string, engine: SimulatedEngine, deps: { clock: Clock }) {
    this.name = name;
    this.#engine = engine;
    this.#clock = deps.clock;
    this.#counted = new Counted(name, engine, { clock: deps.clock, machineMs: () => deps.clock.now() });
  }

  get running(): number {
    return this.#running;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  get model(): string {
    return this.#engine.models[0]?.name ?? "";
  }

  get kvUsedShare(): number {
    const { kvBlocksUsed, kvBlocks } = this.#engine.load();
    return kvBlocksUsed / kvBlocks;
  }

  /** Since it was last asked. */
  take(): ServingFigures {
    const figures = this.#counted.take();
    const sum = (of: (cost: WorkerFigures["costs"][number]) => number) => figures.costs.reduce((all, cost) => all + of(cost), 0);
    const promptTokens = sum(({ prompt }) => prompt);
    const taken = { ...figures, requests: this.#requests, aborted: this.#aborted };
    this.#requests = 0;
    this.#aborted = 0;
    return { ...taken, promptTokens, hitTokens: promptTokens - sum(({ recomputed }) => recomputed) };
  }

  /** Resolves when the generation has ended in the engine, also one that was aborted; rejects when it never ran. */
  async complete(ask: Ask, signal: AbortSignal, say: (chunk: Chunk) => void): Promise<void> {
    this.#requests += 1;
    const id = this.#nextId++;
    const ends = new AbortController();
    const gone = () => {
      this.#aborted += 1;
      ends.abort(signal.reason);
    };
    if (signal.aborted) gone();
    signal.addEventListener("abort", gone, { once: true });
    try {
      await this.#seat(ends.signal);
      try {
        await this.#generate(id, ask, ends, say);
      } finally {
        this.#running -= 1;
        this.#waiting.shift()?.();
      }
    } finally {
      signal.removeEventListener("abort", gone);
    }
  }

  /** Read to the end even when nobody listens: the seat is free when the engine has ended. */
  async #generate(number: bigint, ask: Ask, ends: AbortController, say: (chunk: Chunk) => void): Promise<void> {
    const id = `${this.name} ${number}`;
    const pieces = this.#engine.generate(generationOf(number, ask, this.model, this.#clock.now()), ends.signal);
    let said = "";
    for (;;) {
      const step = await pieces.next();
      if (step.done) {
        if (step.value.kind === "failed") throw step.value.error;
        return;
      }
      if (ends.signal.aborted) continue;
      const from = said.length;
      said += step.value.text;
      const at = endOf(said, ask.stop);
      if (at !== undefined) ends.abort(new SlipstreamError("cancelled", "a stop string"));
      const text = said.slice(from, at);
      if (text !== "") say({ id, text });
    }
  }

  async #seat(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#running < this.#engine.slots) {
      this.#running += 1;
      return;
    }
    if (this.#waiting.length >= waitingMax) throw new SlipstreamError("overloaded", "too many requests wait");
    await new Promise<void>((resolve, reject) => {
      const enter = () => {
        signal.removeEventListener("abort", leave);
        this.#running += 1;
        resolve();
      };
      const leave = () => {
        const at = this.#waiting.indexOf(enter);
        if (at >= 0) this.#waiting.splice(at, 1);
        reject(signal.reason as Error);
      };
      this.#waiting.push(enter);
      signal.addEventListener("abort", leave, { once: true });
    });
  }
}

function endOf(text: string, stop: readonly string[]): number | undefined {
  const found = stop.map((each) => text.indexOf(each)).filter((at) => at >= 0);
  return found.length > 0 ? Math.min(...found) : undefined;
}

/** A prompt as text, cut at the model's special tokens, as its tokeniser does. */
function segmentsOf(prompt: string): Segment[] {
  return prompt.split(special).flatMap((part, nth) => (part === "" ? [] : [nth % 2 === 1 ? { special: part } : { text: part }]));
}

function generationOf(id: bigint, { prompt, maxTokens }: Ask, model: string, now: number): Generation {
  return {
    ...{ id, link: "http", affinity: "", lane: "inline", model, segments: segmentsOf(prompt) },
    sampling: { maxTokens, temperature: 0, topP: 1, topK: 0, seed: undefined, stop: [], speculation: "auto" },
    ...{ stopAtNewline: false, deadlineMs: Number.POSITIVE_INFINITY, receivedMs: now, cacheSalt: "" },
    ...{ blockDigests: new Uint8Array(), draftDepthHint: 0, traceparent: "" },
  };
}
