// embedded: llama.cpp in a child process behind the Engine interface. A Generation in, Pieces and one Finished out; at most
// `slots` at once, each with the context of the model; a child that dies fails what ran and is told by `died`.
import assert from "node:assert/strict";
import { SlipstreamError } from "../../../lib/errors.ts";
import type { Log } from "../../../lib/log.ts";
import { Mailbox } from "../../../lib/structures/mailbox.ts";
import {
  type Acceptance,
  type EngineLoad,
  type Finished,
  type Generation,
  type Model,
  noUsage,
  type Piece,
  type Segment,
} from "../../generation.ts";
import { AcceptanceWindow } from "../acceptance-window.ts";
import type { Capability, Engine, KvEvent, Tokenized } from "../engine.ts";
import { takenBackMax } from "../healing.ts";
import type { EngineChild } from "./child-process.ts";
import { blockTokens, type FromChild, fromFailure, type SpeculationState, segmentsMax, toFinished } from "./messages.ts";
import { type Deps, type EmbeddedOptions, type Started, startChild } from "./starting.ts";

export { ggufFileAt } from "./gguf-file.ts";
export type { EmbeddedOptions } from "./starting.ts";

/** For measurements: a generation that drafts exactly so. */
export interface Fixed {
  readonly source: "none" | "lookup" | "model";
  readonly length: number;
}

interface Running {
  readonly kind: "generate" | "warm";
  readonly mailbox: Mailbox<Piece | Finished>;
}

export class EmbeddedEngine implements Engine {
  readonly name = "embedded";
  readonly models: readonly Model[];
  readonly capabilities: readonly Capability[];
  readonly slots: number;
  readonly blockTokens = blockTokens;
  readonly died: Promise<Error>;
  readonly #child: EngineChild;
  readonly #log: Log | undefined;
  readonly #running = new Map<number, Running>();
  /** Bounded by the agent. */
  readonly #tokenizing = new Map<number, (answer: Tokenized | Error) => void>();
  #nextId = 0;
  #closing = false;
  #gone: SlipstreamError | undefined;
  #load: EngineLoad;
  #speculation: SpeculationState;
  readonly #acceptance: AcceptanceWindow;

  private constructor(parts: Started, deps: Deps) {
    this.models = [parts.ready.model];
    this.#load = parts.ready.load;
    this.#speculation = parts.ready.speculation;
    this.#acceptance = new AcceptanceWindow(parts.ready.speculation, deps);
    this.capabilities = parts.ready.speculates ? ["speculation", "tokenize"] : ["tokenize"];
    this.slots = parts.slots;
    this.#child = parts.child;
    this.#log = deps.log;
    parts.child.onMessage((message) => this.#receive(message));
    this.died = new Promise((resolve) => {
      void parts.child.ended.then((how) => {
        this.#gone = new SlipstreamError("engine_failed", `the engine's process died: ${how}`);
        for (const running of this.#running.values()) this.#end(running, { kind: "failed", error: this.#gone, usage: noUsage() });
        this.#running.clear();
        for (const answer of [...this.#tokenizing.values()]) answer(this.#gone);
        if (this.#closing) return;
        this.#log?.error({ how, said: this.#child.lastWords }, "embedded engine died");
        resolve(this.#gone);
      });
    });
  }

  /** Starts the child and loads the model; throws `model_unusable` or `unsupported` with a sentence. */
  static async start(options: EmbeddedOptions, deps: Deps): Promise<EmbeddedEngine> {
    return new EmbeddedEngine(await startChild(options, deps), deps);
  }

  /** Of the child process. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  async *generate(work: Generation, signal: AbortSignal, fixed?: Fixed): AsyncGenerator<Piece, Finished> {
    if (work.segments.length > segmentsMax) {
      return {
        kind: "failed",
        error: new SlipstreamError("invalid_request", `segments: more than ${segmentsMax}`),
        usage: noUsage(),
      };
    }
    const generations = [...this.#running.values()].filter((running) => running.kind === "generate").length;
    assert(generations < this.slots || this.#gone, "more generations than slots");
    const { lane, segments, cacheSalt, affinity } = work;
    const { maxTokens, temperature, topP, topK, seed } = work.sampling;
    const sampling = { maxTokens, temperature, topP, topK, seed };
    const speculation = { mode: work.sampling.speculation, lengthMax: work.draftDepthHint, ...(fixed && { fixed }) };
    const end = yield* this.#run("generate", signal, maxTokens, (id) => ({
      kind: "generate",
      id,
      lane,
      segments: [...segments],
      cacheSalt,
      affinity,
      sampling,
      speculation,
    }));
    return end;
  }

  async warm(_model: string, segments: readonly Segment[], signal: AbortSignal, cacheSalt: string): Promise<void> {
    const reading = this.#run("warm", signal, 1, (id) => ({
      kind: "warm",
      id,
      segments: [...segments],
      cacheSalt,
      affinity: "",
    }));
    while (!(await reading.next()).done);
  }

  tokenize(_model: string, segments: readonly Segment[], signal: AbortSignal): Promise<Tokenized> {
    if (this.#gone) return Promise.reject(this.#gone);
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      const left = () => this.#tokenizing.get(id)?.(signal.reason as Error);
      this.#tokenizing.set(id, (answer) => {
        this.#tokenizing.delete(id);
        signal.removeEventListener("abort", left);
        if (answer instanceof Error) reject(answer);
        else resolve(answer);
      });
      signal.addEventListener("abort", left, { once: true });
      this.#child.send({ kind: "tokenize", id, segments: [...segments] });
    });
  }

  load(): EngineLoad {
    return { ...this.#load, running: this.#running.size };
  }

  acceptance(): Acceptance {
    return this.#acceptance.value;
  }

  /** What the controller did since the start, and the costs it measured. */
  speculation(): SpeculationState {
    return this.#speculation;
  }

  /** KV is kept by token, not by byte block, and "kv_events" is not among the capabilities: there is nothing to tell. */
  onKv(_listener: (event: KvEvent) => void): void {}

  async close(): Promise<void> {
    this.#closing = true;
    await this.#child.close();
  }

  async *#run(
    kind: Running["kind"],
    signal: AbortSignal,
    piecesMax: number,
    message: (id: number) => Parameters<EngineChild["send"]>[0],
  ): AsyncGenerator<Piece, Finished> {
    if (this.#gone) return { kind: "failed", error: this.#gone, usage: noUsage() };
    if (signal.aborted) return { kind: "aborted", usage: noUsage() };
    const id = this.#nextId++;
    // Never full: a piece a token, one for each that only spells again what healing took back, a flush and the end.
    const mailbox = new Mailbox<Piece | Finished>({ max: piecesMax + takenBackMax + 2, full: "refuse" });
    this.#running.set(id, { kind, mailbox });
    const abort = () => this.#child.send({ kind: "abort", id });
    signal.addEventListener("abort", abort, { once: true });
    this.#child.send(message(id));
    let ended = false;
    try {
      for await (const item of mailbox) {
        if (!("kind" in item)) yield item;
        else {
          ended = true;
          return item;
        }
      }
      throw new SlipstreamError("internal", "a generation ended without its end");
    } finally {
      signal.removeEventListener("abort", abort);
      // A reader that leaves early: the entry stays until the child has really stopped.
      if (!ended) abort();
    }
  }

  #receive(message: FromChild): void {
    if (message.kind === "load") {
      this.#load = message.load;
      this.#speculation = message.speculation;
      this.#acceptance.add(message.speculation);
    }
    if (message.kind === "tokens") {
      const { ids, pieces, error } = message;
      const tokenized = { ids, pieces: pieces.map((piece) => Buffer.from(piece, "base64")) };
      this.#tokenizing.get(message.id)?.(error ? fromFailure(error) : tokenized);
      return;
    }
    if (message.kind !== "piece" && message.kind !== "ended") return;
    const running = this.#running.get(message.id);
    if (!running) return;
    if (message.kind === "ended") {
      this.#running.delete(message.id);
      this.#end(running, toFinished(message.how));
      return;
    }
    const { text, tokens, confidence, prompt } = message;
    running.mailbox.push({ text, tokens, ...(confidence !== undefined && { confidence }), ...(prompt && { prompt }) });
  }

  #end({ mailbox }: Running, how: Finished): void {
    mailbox.push(how);
    mailbox.end();
  }
}
