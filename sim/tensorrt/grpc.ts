// grpc: a server that speaks TensorRT-LLM's gRPC (trtllm.TrtllmService, proto/third_party/smg-grpc-proto) as its servicer does
// (tensorrt_llm/grpc/smg/servicer.py and request_manager.py), before a pretend engine: chunks of new tokens, a last message with all of
// them, an Abort that does not know a request before it was taken up, and a cache salt that is not read.
import { setMaxListeners } from "node:events";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { type Clock, systemClock } from "../../lib/clock.ts";
import { invalid, SlipstreamError } from "../../lib/errors.ts";
import { type Call, type GrpcServer, mount, startGrpcServer } from "../../lib/grpc/server.ts";
import { Mailbox } from "../../lib/structures/mailbox.ts";
import { GetTokenizerChunkSchema, type KvEventBatch, KvEventBatchSchema } from "../../proto/gen/third_party/common_pb.ts";
import {
  AbortResponseSchema,
  EmbedResponseSchema,
  type GenerateRequest,
  type GenerateResponse,
  GenerateResponseSchema,
  GetModelInfoResponseSchema,
  GetServerInfoResponseSchema,
  HealthCheckResponseSchema,
  TrtllmService,
} from "../../proto/gen/third_party/trtllm_service_pb.ts";
import type { RawEvent } from "./events.ts";
import { type ModelStep, priorityUsual, type StandInModel } from "./model.ts";
import { type StandInOptions, standInFolder, standInModel } from "./stand-in.ts";

export type GrpcFault = "broken" | "cut" | "empty" | "error_end";

interface Options extends StandInOptions {
  /** Between a request's arrival and its being known by its name. */
  readonly takeUpMs?: number;
}

export class StandInGrpc {
  readonly requests: GenerateRequest[] = [];
  readonly engine: StandInModel;
  /** Aborts that it was asked for, by whether it knew the request. */
  readonly aborts: boolean[] = [];
  faults: GrpcFault[] = [];
  healthy = true;
  /** Requests that it has looked at, whatever became of them. */
  takenUp = 0;
  /** So many of the next events reach nobody. */
  loseNext = 0;
  readonly #clock: Clock;
  readonly #takeUpMs: number;
  readonly #known = new Map<string, () => void>();
  readonly #killed = new AbortController();
  #server: GrpcServer | undefined;

  private constructor(engine: StandInModel, clock: Clock, takeUpMs: number) {
    this.engine = engine;
    this.#clock = clock;
    this.#takeUpMs = takeUpMs;
    // One for each generation under way.
    setMaxListeners(0, this.#killed.signal);
  }

  static async start({ takeUpMs = 0, ...options }: Options = {}, clock: Clock = systemClock): Promise<StandInGrpc> {
    const stand = new StandInGrpc(await standInModel(options, clock), clock, takeUpMs);
    stand.#server = await startGrpcServer(
      { address: `127.0.0.1:${options.port ?? 0}`, messageBytesMax: 32 << 20, streamsPerConnectionMax: 1_000 },
      { name: "tensorrt", failed: () => {}, mounts: [stand.#mount()] },
    );
    return stand;
  }

  get url(): string {
    return `grpc://127.0.0.1:${this.#server?.port}`;
  }

  get running(): number {
    return this.engine.running;
  }

  /** As kill -9: every stream breaks, and nobody listens. */
  async kill(): Promise<void> {
    this.engine.kill();
    this.#killed.abort();
    this.#server?.close();
  }

  #mount() {
    const { contextTokens } = this.engine.options;
    return mount(TrtllmService, {
      healthCheck: async () => create(HealthCheckResponseSchema, { status: this.healthy ? "OK" : "Executor is unhealthy" }),
      getModelInfo: async () =>
        create(GetModelInfoResponseSchema, {
          ...{ modelId: standInFolder, maxInputLen: 0, maxSeqLen: contextTokens, vocabSize: 4_096 },
        }),
      getServerInfo: async () =>
        create(GetServerInfoResponseSchema, {
          ...{ version: "1.3.0rc29", backend: "tensorrt-llm", tensorParallelSize: 1, pipelineParallelSize: 1 },
          ...{ contextParallelSize: 1, worldSize: 1 },
        }),
      generate: (request, call) => this.#generate(request, call),
      abort: async ({ requestId }) => {
        const stop = this.#known.get(requestId);
        this.#known.delete(requestId);
        stop?.();
        this.aborts.push(stop !== undefined);
        const message = `Request ${requestId} ${stop ? "aborted" : "not found"}`;
        return create(AbortResponseSchema, { success: stop !== undefined, message });
      },
      embed: async () => create(EmbedResponseSchema),
      getTokenizer: async function* () {
        yield create(GetTokenizerChunkSchema);
      },
      subscribeKvEvents: (_request, call) => this.#subscribed(call),
    });
  }

  async *#generate(request: GenerateRequest, { signal }: Call): AsyncGenerator<GenerateResponse> {
    this.requests.push(request);
    const fault = this.faults.shift();
    if (!request.tokenized) throw invalid("tokenized", "Missing tokenized input");
    const tokens = request.tokenized.inputTokenIds;
    if (fault === "broken") throw new SlipstreamError("internal", "CUDA out of memory");
    if (this.#takeUpMs > 0) await this.#clock.sleep(this.#takeUpMs, signal).catch(() => {});
    this.takenUp += 1;
    const steps = new Mailbox<ModelStep>({ max: request.maxTokens + 8, full: "refuse" });
    let stop: () => void;
    try {
      // Neither the salt nor how long blocks are to be kept is read.
      stop = this.engine.submit(
        { tokens, maxTokens: request.maxTokens, stop: request.stop, salt: "", adapter: "", priority: priorityUsual },
        (step) => {
          steps.push(step);
          if (step.finish !== undefined) steps.end();
        },
      );
    } catch (thrown) {
      throw invalid("prompt", (thrown as Error).message);
    }
    this.#known.set(request.requestId, stop);
    const left = () => {
      stop();
      steps.end();
    };
    if (signal.aborted) left();
    signal.addEventListener("abort", left, { once: true });
    const killed = () => steps.end(new SlipstreamError("unavailable", "the process was killed"));
    this.#killed.signal.addEventListener("abort", killed, { once: true });
    try {
      for await (const step of steps) {
        if (fault === "cut" && step.given.length > 1) throw new SlipstreamError("unavailable", "the connection is gone");
        if (fault === "empty") yield response({ case: undefined });
        yield* said(request, tokens.length, step, fault === "error_end");
      }
    } finally {
      this.#known.delete(request.requestId);
      signal.removeEventListener("abort", left);
      this.#killed.signal.removeEventListener("abort", killed);
    }
  }

  /** Events have one reader; each is a batch of its own, numbered by subscription. */
  async *#subscribed({ signal }: Call): AsyncGenerator<KvEventBatch> {
    if (this.engine.options.eventsMax === 0) throw new SlipstreamError("unsupported", "KV cache events not enabled");
    const inbox = new Mailbox<RawEvent>({ max: 100_000, full: "refuse" });
    const end = () => inbox.end();
    const give = () => {
      for (const event of this.engine.events.take()) inbox.push(event);
    };
    const release = this.engine.events.listen(give);
    signal.addEventListener("abort", end, { once: true });
    this.#killed.signal.addEventListener("abort", end, { once: true });
    give();
    let number = 0n;
    try {
      for await (const event of inbox) {
        const batch = batchOf(event, number);
        if (!batch) continue;
        number += 1n;
        if (this.loseNext > 0) this.loseNext -= 1;
        else yield batch;
      }
    } finally {
      release();
    }
  }
}

function* said(request: GenerateRequest, promptTokens: number, step: ModelStep, fails: boolean): Generator<GenerateResponse> {
  const counts = { promptTokens, cachedTokens: step.cached, completionTokens: step.given.length };
  const sure = (tokens: readonly number[]) =>
    request.outputConfig?.logprobs === undefined ? [] : tokens.map((tokenId) => ({ tokenId, logprob: -0.1 }));
  const { requestId } = request;
  if (request.streaming && step.tokens.length > 0)
    yield response({ case: "chunk", value: { tokenIds: [...step.tokens], ...counts, logprobs: sure(step.tokens) } }, requestId);
  if (step.finish === undefined) return;
  const finishReason = fails ? "error" : step.finish;
  yield response(
    { case: "complete", value: { outputTokenIds: [...step.given], finishReason, ...counts, logprobs: sure(step.given) } },
    requestId,
  );
}

function response(said: MessageInitShape<typeof GenerateResponseSchema>["response"], requestId = ""): GenerateResponse {
  return create(GenerateResponseSchema, { requestId, response: said } as MessageInitShape<typeof GenerateResponseSchema>);
}

/** As tensorrt_llm/grpc/kv_events.py: what is created or moved has no message. */
function batchOf({ id, change }: RawEvent, sequenceNumber: bigint): KvEventBatch | undefined {
  const eventId = BigInt(id);
  const signed = (hash: bigint) => BigInt.asIntN(64, hash);
  if (change.type === "removed")
    return create(KvEventBatchSchema, {
      sequenceNumber,
      events: [{ eventId, data: { case: "removed", value: { blockHashes: change.hashes.map(signed) } } }],
    });
  if (change.type !== "stored") return undefined;
  const blocks = change.blocks.map(({ hash, tokens }) => ({
    ...{ blockHash: signed(hash), tokenIds: [...tokens], blockSize: tokens.length },
  }));
  const after = change.parent === null ? {} : { parentBlockHash: signed(change.parent) };
  return create(KvEventBatchSchema, {
    sequenceNumber,
    events: [{ eventId, data: { case: "stored", value: { blocks, ...after } } }],
  });
}
