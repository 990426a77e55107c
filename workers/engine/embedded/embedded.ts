// embedded: llama.cpp in a child process behind the Engine interface. A Generation in, Pieces and one Finished out; at most
// `slots` at once, each with the context of the model; a child that dies fails what ran and is told by `died`.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import type { Clock } from "../../../lib/clock.ts";
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
import type { Capability, Engine, KvEvent } from "../engine.ts";
import { AcceptanceWindow } from "./acceptance-window.ts";
import { defaultChildEntry, EngineChild } from "./child-process.ts";
import { checkGgufFile, unusable } from "./gguf-file.ts";
import { blockTokens, type FromChild, fromFailure, type SpeculationState, segmentsMax, toFinished } from "./messages.ts";

export interface EmbeddedOptions {
  readonly modelPath: string;
  /** What the model is called here; default: the name in the file. */
  readonly modelName?: string;
  /** Default: one fewer than cores. With all of them, llama.cpp's barriers wait for every other process of the machine. */
  readonly threads?: number;
  readonly slots?: number;
  /** Prompt tokens evaluated in one go: what an abort, or a step of another generation, may have to wait for. */
  readonly chunkTokens?: number;
  /** Contexts of models that could hold more are cut to this; each slot has its own. */
  readonly contextTokensMax?: number;
  /** Tokens at the beginning of a completion whose probability is told. */
  readonly confidenceTokens?: number;
  /** A GGUF file with the same vocabulary that drafts for the model; none: drafts come from lookups alone. */
  readonly draftPath?: string;
  /** For measurements: see pace.ts. */
  readonly paceMs?: number;
  /** Compiled module of the child process. */
  readonly childEntry?: string;
  readonly startTimeoutMs?: number;
}

interface Deps {
  readonly clock: Clock;
  readonly log?: Log;
}

/** For measurements: a generation that drafts exactly so. */
export interface Fixed {
  readonly source: "none" | "lookup" | "model";
  readonly length: number;
}

type Ready = Extract<FromChild, { kind: "ready" }>;

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
  #nextId = 0;
  #closing = false;
  #gone: SlipstreamError | undefined;
  #load: EngineLoad;
  #speculation: SpeculationState;
  readonly #acceptance: AcceptanceWindow;

  private constructor(parts: { child: EngineChild; ready: Ready; slots: number }, deps: Deps) {
    this.models = [parts.ready.model];
    this.#load = parts.ready.load;
    this.#speculation = parts.ready.speculation;
    this.#acceptance = new AcceptanceWindow(parts.ready.speculation, deps);
    this.capabilities = parts.ready.speculates ? ["speculation"] : [];
    this.slots = parts.slots;
    this.#child = parts.child;
    this.#log = deps.log;
    parts.child.onMessage((message) => this.#receive(message));
    this.died = new Promise((resolve) => {
      void parts.child.ended.then((how) => {
        this.#gone = new SlipstreamError("engine_failed", `the engine's process died: ${how}`);
        for (const running of this.#running.values()) this.#end(running, { kind: "failed", error: this.#gone, usage: noUsage() });
        this.#running.clear();
        if (this.#closing) return;
        this.#log?.error({ how, said: this.#child.lastWords }, "embedded engine died");
        resolve(this.#gone);
      });
    });
  }

  /** Starts the child and loads the model; throws `model_unusable` or `unsupported` with a sentence. */
  static async start(options: EmbeddedOptions, deps: Deps): Promise<EmbeddedEngine> {
    await checkGgufFile(options.modelPath);
    const draftPath = await draftOf(options, deps.log);
    const slots = options.slots ?? 4;
    const child = new EngineChild({ entry: options.childEntry ?? defaultChildEntry() }, deps);
    child.send({
      kind: "start",
      modelPath: options.modelPath,
      modelName: options.modelName,
      draftPath,
      paceMs: options.paceMs ?? 0,
      threads: options.threads ?? Math.max(1, availableParallelism() - 1),
      slots,
      chunkTokens: options.chunkTokens ?? 64,
      contextTokensMax: options.contextTokensMax ?? 4_096,
      confidenceTokens: options.confidenceTokens ?? 8,
    });
    try {
      const ready = await loaded(child, options, deps.clock);
      deps.log?.info(
        { model: ready.model.name, contextTokens: ready.model.contextTokens, draft: ready.draft, pid: child.pid },
        "embedded engine loaded its model",
      );
      return new EmbeddedEngine({ child, ready, slots }, deps);
    } catch (error) {
      child.kill();
      await child.ended;
      throw error;
    }
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
    // Never full: a generation has at most one piece a token, a flush and its end.
    const mailbox = new Mailbox<Piece | Finished>({ max: piecesMax + 2, full: "refuse" });
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

/** A draft model that is not there costs speed alone, so the engine starts without it, and says so. */
async function draftOf({ draftPath }: EmbeddedOptions, log: Log | undefined): Promise<string | undefined> {
  if (draftPath === undefined) return undefined;
  if (!existsSync(draftPath)) {
    log?.warn({ draftPath }, "there is no such draft model: nothing is drafted by a model, lookups go on");
    return undefined;
  }
  await checkGgufFile(draftPath);
  return draftPath;
}

/** Waits until the child has the model, refuses it, ends, or takes too long. */
function loaded(child: EngineChild, options: EmbeddedOptions, clock: Clock): Promise<Ready> {
  const timeoutMs = options.startTimeoutMs ?? 60_000;
  return new Promise((resolve, reject) => {
    const timer = clock.timer(timeoutMs, () => reject(unusable(options.modelPath, `it did not load within ${timeoutMs} ms`)));
    const settle = (act: () => void) => {
      timer[Symbol.dispose]();
      act();
    };
    child.onMessage((message) => {
      if (message.kind === "ready") settle(() => resolve(message));
      if (message.kind === "refused") settle(() => reject(fromFailure(message.error)));
    });
    void child.ended.then((how) =>
      settle(() =>
        reject(
          unusable(options.modelPath, `the process that loads it died (${how}); it is corrupt, or there is too little memory`),
        ),
      ),
    );
  });
}
