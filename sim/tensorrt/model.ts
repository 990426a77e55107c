// model: a pretend TensorRT-LLM executor: requests in, tokens step by step out, for whichever server stands before it. One step serves all
// that run and takes the time of a GPU profile (workers/engine/simulated/profiles.ts); an abort takes effect at the end of a step;
// more requests than seats wait, by their priority where the engine was started so: higher first.
import type { Clock } from "../../lib/clock.ts";
import type { FileTokenizer } from "../../workers/engine/file-tokenizer.ts";
import { type Profile, stepMs } from "../../workers/engine/simulated/profiles.ts";
import { StandInBlocks, type Truncates } from "./blocks.ts";
import { EventLog } from "./events.ts";
import { IterationLog } from "./iterations.ts";

export interface ModelOptions {
  readonly blockTokens: number;
  readonly blocks: number;
  readonly seats: number;
  /** scheduler_config.waiting_queue_policy */
  readonly policy: "fcfs" | "priority";
  /** Tokens of a step; more than one: it drafts, and all is accepted. */
  readonly perStep: number;
  readonly contextTokens: number;
  /** What it says, over and over. */
  readonly text: string;
  readonly pace: Pick<Profile, "prefillTokensPerSecond" | "s0Ms" | "s1Ms">;
  /** kv_cache_config.event_buffer_max_size; 0: no events. */
  readonly eventsMax: number;
  /** What is left of a prompt that it is told to shorten. */
  readonly truncates?: Truncates;
}

export interface ModelRequest {
  readonly tokens: readonly number[];
  readonly maxTokens: number;
  readonly stop: readonly string[];
  readonly salt: string;
  readonly adapter: string;
  readonly priority: number;
}

export interface ModelStep {
  readonly tokens: readonly number[];
  readonly finish: "stop" | "length" | "cancelled" | undefined;
  /** Of the prompt. */
  readonly cached: number;
  /** All tokens until now. */
  readonly given: readonly number[];
}

/** The engine's own default. */
export const priorityUsual = 0.5;

interface Sequence {
  readonly request: ModelRequest;
  readonly listener: (step: ModelStep) => void;
  readonly order: number;
  readonly arrivedMs: number;
  readonly stopTokens: readonly (readonly number[])[];
  readonly given: number[];
  cached: number;
  prefillMs: number;
  toldMs: number | undefined;
}

export class StandInModel {
  readonly options: ModelOptions;
  readonly events: EventLog;
  readonly iterations = new IterationLog();
  readonly blocks: StandInBlocks;
  /** Requests that it ended because it was told to. */
  aborted = 0;
  /** Of the last one of them: when it was told, when it ended it, and the number of that step. */
  lastAbort = { toldMs: 0, endedMs: 0, step: 0 };
  readonly #clock: Clock;
  readonly #tokenizer: FileTokenizer;
  readonly #running = new Set<Sequence>();
  #waiting: Sequence[] = [];
  #truncations: (() => void)[] = [];
  #order = 0;
  #stepping = false;
  #dead = false;

  constructor(options: ModelOptions, deps: { readonly clock: Clock; readonly tokenizer: FileTokenizer }) {
    this.options = options;
    this.#clock = deps.clock;
    this.#tokenizer = deps.tokenizer;
    this.events = new EventLog({ max: options.eventsMax, blocks: options.blocks }, deps);
    this.blocks = new StandInBlocks(options, { tell: (change) => this.events.push(change) });
  }

  get running(): number {
    return this.#running.size + this.#waiting.length;
  }

  /** Throws what the engine refuses. The returned function tells it to stop. */
  submit(request: ModelRequest, listener: (step: ModelStep) => void): () => void {
    const { contextTokens, seats } = this.options;
    if (request.tokens.length + request.maxTokens > contextTokens)
      throw new RangeError(
        `The sum of prompt length (${request.tokens.length}), query length (0) and max_tokens (${request.maxTokens}) should not exceed max_seq_len (${contextTokens})`,
      );
    const stopTokens = request.stop.map((text) => this.#tokenizer.encodeText(text));
    const sequence: Sequence = {
      ...{ request, listener, stopTokens, order: this.#order++, arrivedMs: this.#clock.now() },
      ...{ given: [], cached: 0, prefillMs: 0, toldMs: undefined },
    };
    if (this.#running.size < seats) this.#seat(sequence);
    else this.#waiting.push(sequence);
    return () => {
      sequence.toldMs ??= this.#clock.now();
    };
  }

  /** Done after the next step. */
  truncate(tokens: readonly number[], keep: number): void {
    this.#truncations.push(() => this.blocks.truncate(tokens, keep));
  }

  /** From now on it does nothing. */
  kill(): void {
    this.#dead = true;
    this.#running.clear();
    this.#waiting = [];
  }

  #seat(sequence: Sequence): void {
    const { tokens, salt, adapter } = sequence.request;
    sequence.cached = this.blocks.use(tokens, salt, adapter);
    sequence.prefillMs = ((tokens.length - sequence.cached) / this.options.pace.prefillTokensPerSecond) * 1_000;
    this.#running.add(sequence);
    this.iterations.queued((this.#clock.now() - sequence.arrivedMs) / 1_000);
    if (!this.#stepping) void this.#steps();
  }

  async #steps(): Promise<void> {
    this.#stepping = true;
    const { pace } = this.options;
    while (this.#running.size > 0 && !this.#dead) {
      const costs = { ...pace, draftMsPerToken: 0, acceptedPerBlock: 1, kvBlocks: 0 };
      const ms = Math.max(stepMs(costs, this.#running.size, 0, 0), ...[...this.#running].map(({ prefillMs }) => prefillMs));
      await this.#clock.sleep(ms);
      if (this.#dead) break;
      this.#step(ms);
    }
    this.#stepping = false;
  }

  #step(ms: number): void {
    const { perStep, blocks, blockTokens } = this.options;
    let drafting = 0;
    for (const sequence of [...this.#running]) {
      sequence.prefillMs = 0;
      const tokens = sequence.toldMs !== undefined ? [] : this.#next(sequence, perStep);
      if (tokens.length > 0 && perStep > 1) drafting += 1;
      this.#told(sequence, tokens);
    }
    this.#waiting = this.#waiting.filter((sequence) => {
      if (sequence.toldMs !== undefined) this.#told(sequence, []);
      return sequence.toldMs === undefined;
    });
    this.iterations.push({
      ...{ ms, running: this.#running.size, waiting: this.#waiting.length, used: this.blocks.size, blocks, blockTokens },
      drafts:
        perStep > 1 ? { requests: drafting, drafted: drafting * (perStep - 1), accepted: drafting * (perStep - 1) } : undefined,
    });
    for (const truncate of this.#truncations.splice(0)) truncate();
    while (this.#running.size < this.options.seats && this.#waiting.length > 0) this.#seat(this.#best());
  }

  #next({ given, request, stopTokens }: Sequence, perStep: number): number[] {
    const story = this.#story();
    const tokens: number[] = [];
    while (tokens.length < perStep && given.length < request.maxTokens) {
      const token = story[given.length % story.length] as number;
      given.push(token);
      tokens.push(token);
      if (stopTokens.some((stop) => endsWith(given, stop))) break;
    }
    return tokens;
  }

  #told(sequence: Sequence, tokens: readonly number[]): void {
    const { given, request, stopTokens, cached, listener, toldMs } = sequence;
    const stopped = stopTokens.some((stop) => endsWith(given, stop));
    const whole = given.length >= request.maxTokens;
    const finish = stopped ? "stop" : whole ? "length" : toldMs !== undefined ? "cancelled" : undefined;
    if (finish !== undefined) this.#running.delete(sequence);
    if (finish === "cancelled") {
      this.aborted += 1;
      this.lastAbort = { toldMs: toldMs as number, endedMs: this.#clock.now(), step: this.iterations.count + 1 };
    }
    listener({ tokens, finish, cached, given });
  }

  /** Of those that wait. */
  #best(): Sequence {
    const higher = (a: Sequence, b: Sequence) =>
      (this.options.policy === "priority" ? b.request.priority - a.request.priority : 0) || a.order - b.order;
    return this.#waiting.sort(higher).shift() as Sequence;
  }

  #storyTokens: readonly number[] | undefined;
  #story(): readonly number[] {
    this.#storyTokens ??= this.#tokenizer.encodeText(this.options.text);
    return this.#storyTokens;
  }
}

/** A stop string ends a text only where it was written in the tokens that the string is cut into by itself. */
function endsWith(given: readonly number[], stop: readonly number[]): boolean {
  return (
    stop.length > 0 && given.length >= stop.length && stop.every((token, i) => given[given.length - stop.length + i] === token)
  );
}
