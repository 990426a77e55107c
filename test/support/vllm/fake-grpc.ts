// fake-grpc: a server that speaks vLLM's gRPC as recorded from a real one (test/golden/vllm), with a pretend model whose vocabulary is
// the built-in one's, a real prefix cache and its events. For fast tests; the real one is in test/system.
import { join } from "node:path";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { invalid, SlipstreamError } from "../../../lib/errors.ts";
import { type Call, type GrpcServer, mount, startGrpcServer } from "../../../lib/grpc/server.ts";
import { packageRoot } from "../../../lib/package-root.ts";
import { Mailbox } from "../../../lib/structures/mailbox.ts";
import {
  FlushCacheResponseSchema,
  GetTokenizerChunkSchema,
  type KvCacheEvent,
  KvCacheEventSchema,
  KvCacheTier,
  type KvEventBatch,
  KvEventBatchSchema,
  ProfileResponseSchema,
} from "../../../proto/gen/third_party/common_pb.ts";
import {
  AbortResponseSchema,
  EmbedResponseSchema,
  type GenerateRequest,
  type GenerateResponse,
  GenerateResponseSchema,
  GetLoadsResponseSchema,
  GetModelInfoResponseSchema,
  GetServerInfoResponseSchema,
  HealthCheckResponseSchema,
  VllmEngine,
} from "../../../proto/gen/third_party/vllm_engine_pb.ts";
import { FileTokenizer } from "../../../workers/engine/file-tokenizer.ts";
import { pause } from "../until.ts";
import { type BlockEvent, FakeBlocks } from "./blocks.ts";

export interface FakeGrpcOptions {
  readonly model?: string;
  readonly contextTokens?: number;
  readonly blocks?: number;
  readonly stepMs?: number;
  readonly perStep?: number;
  readonly text?: string;
  /** False: started without --kv-events-config. */
  readonly events?: boolean;
}

/** What the next generation meets. */
export type GrpcFault = "broken" | "full" | "cut" | "empty" | "error_end";

const blockTokens = 32;

export class FakeVllmGrpc {
  readonly requests: GenerateRequest[] = [];
  faults: GrpcFault[] = [];
  running = 0;
  aborted = 0;
  /** So many of the next batches of events reach nobody. */
  loseNext = 0;
  readonly blocks: FakeBlocks;
  readonly #options: FakeGrpcOptions;
  readonly #tokenizer: FileTokenizer;
  readonly #subscribers = new Set<Mailbox<KvEventBatch>>();
  readonly #killed = new AbortController();
  /** Requests that are to stop. */
  readonly #named = new Set<string>();
  #server: GrpcServer | undefined;
  #sequence = 0n;

  private constructor(options: FakeGrpcOptions, tokenizer: FileTokenizer) {
    this.#options = options;
    this.#tokenizer = tokenizer;
    this.blocks = new FakeBlocks({ blockTokens, blocks: options.blocks ?? 4_096 }, { tell: (events) => this.#publish(events) });
  }

  static async start(options: FakeGrpcOptions = {}): Promise<FakeVllmGrpc> {
    const fake = new FakeVllmGrpc(options, await FileTokenizer.open(modelFolder));
    fake.#server = await startGrpcServer(
      { address: "127.0.0.1:0", messageBytesMax: 4 << 20, streamsPerConnectionMax: 1_000 },
      { name: "vllm", failed: () => {}, mounts: [fake.#mount()] },
    );
    return fake;
  }

  get url(): string {
    return `grpc://127.0.0.1:${this.#server?.port}`;
  }

  /** As kill -9: every stream breaks, and nobody listens. */
  async kill(): Promise<void> {
    this.#killed.abort();
    this.#server?.close();
  }

  #mount() {
    const { model = "slipstream-fim-4m", contextTokens = 2_048 } = this.#options;
    const profile = async () => create(ProfileResponseSchema);
    return mount(VllmEngine, {
      healthCheck: async () => create(HealthCheckResponseSchema, { healthy: true, message: "Health" }),
      getModelInfo: async () =>
        create(GetModelInfoResponseSchema, {
          ...{ modelPath: modelFolder, tokenizerPath: modelFolder, isGeneration: true, maxContextLength: contextTokens },
          ...{ vocabSize: 4_096, servedModelName: model, modelType: "llama", architectures: ["LlamaForCausalLM"] },
          maxReqInputLen: contextTokens,
        }),
      getServerInfo: async () =>
        create(GetServerInfoResponseSchema, {
          blockSize: blockTokens,
          maxNumSeqs: 8,
          dataParallelSize: 1,
        }),
      generate: (request, call) => this.#generate(request, call),
      subscribeKvEvents: (_request, call) => this.#subscribed(call),
      abort: async ({ requestIds }) => {
        for (const id of requestIds) this.#named.add(id);
        return create(AbortResponseSchema);
      },
      embed: async () => create(EmbedResponseSchema),
      flushCache: async () => create(FlushCacheResponseSchema),
      startProfile: profile,
      stopProfile: profile,
      getLoads: async () =>
        create(GetLoadsResponseSchema, { dpRankCount: 1, version: "0.32.0", loads: [{ numRunningReqs: this.running }] }),
      getTokenizer: async function* () {
        yield create(GetTokenizerChunkSchema);
      },
    });
  }

  async *#generate(request: GenerateRequest, { signal }: Call): AsyncGenerator<GenerateResponse> {
    const { stepMs = 1, perStep = 1, text = "a + b; // 漢字\n}\n", contextTokens = 2_048 } = this.#options;
    this.requests.push(request);
    const fault = this.faults.shift();
    const prompt = request.input.case === "tokenized" ? request.input.value.inputIds : [];
    const { maxTokens = 16, stop = [], logprobs } = request.samplingParams ?? {};
    if (prompt.length >= contextTokens) throw invalid("prompt", "the prompt is too long");
    if (fault === "broken") throw new SlipstreamError("internal", "EngineCore encountered an issue");
    if (fault === "full") throw new SlipstreamError("overloaded", "the queue is full");
    this.running += 1;
    try {
      const counts = { promptTokens: prompt.length, cachedTokens: this.blocks.use(prompt, "", "") };
      const story = this.#tokenizer.encodeText(text.repeat(1 + Math.ceil(Math.min(maxTokens, contextTokens) / 4)));
      let [given, said, reason] = [0, "", ""];
      while (reason === "") {
        await pause(stepMs);
        if (this.#killed.signal.aborted) throw new SlipstreamError("unavailable", "the process was killed");
        if (signal.aborted) return;
        if (this.#named.delete(request.requestId)) reason = "abort";
        const tokenIds: number[] = [];
        while (reason === "" && tokenIds.length < perStep) {
          const token = story[given] as number;
          tokenIds.push(token);
          given += 1;
          said += Buffer.from(this.#tokenizer.spell(token) ?? []).toString("latin1");
          if (stop.some((word) => said.includes(Buffer.from(word).toString("latin1")))) reason = "stop";
          else if (given >= Math.min(maxTokens, contextTokens - prompt.length)) reason = "length";
        }
        const outputLogprobs =
          logprobs === undefined ? {} : { outputLogprobs: { tokenLogprobs: tokenIds.map(() => -0.1), tokenIds } };
        const chunk = { tokenIds, completionTokens: tokenIds.length, ...counts, ...outputLogprobs };
        yield response({ case: "chunk", value: chunk });
        if (fault === "cut") throw new SlipstreamError("unavailable", "the connection is gone");
        if (fault === "empty") yield response({ case: undefined });
        if (reason !== "") {
          const finishReason = fault === "error_end" ? "error" : reason;
          yield response({
            case: "complete",
            value: { outputIds: tokenIds, finishReason, completionTokens: tokenIds.length, ...counts },
          });
        }
      }
    } finally {
      this.running -= 1;
      if (signal.aborted) this.aborted += 1;
    }
  }

  async *#subscribed({ signal }: Call): AsyncGenerator<KvEventBatch> {
    if (this.#options.events === false) throw new SlipstreamError("unsupported", "KV cache events not enabled");
    const inbox = new Mailbox<KvEventBatch>({ max: 10_000, full: "refuse" });
    const end = () => inbox.end();
    this.#subscribers.add(inbox);
    signal.addEventListener("abort", end, { once: true });
    this.#killed.signal.addEventListener("abort", end, { once: true });
    yield create(KvEventBatchSchema, { load: { loadOnly: true } });
    try {
      yield* inbox;
    } finally {
      this.#subscribers.delete(inbox);
    }
  }

  #publish(events: readonly BlockEvent[]): void {
    this.#sequence += 1n;
    const batch = create(KvEventBatchSchema, { sequenceNumber: this.#sequence, events: events.map(kvEvent) });
    if (this.loseNext > 0) this.loseNext -= 1;
    else for (const inbox of this.#subscribers) inbox.push(batch);
  }
}

const modelFolder = join(packageRoot(), "models");

function response(said: MessageInitShape<typeof GenerateResponseSchema>["response"]): GenerateResponse {
  return create(GenerateResponseSchema, { response: said } as MessageInitShape<typeof GenerateResponseSchema>);
}

function kvEvent(event: BlockEvent): KvCacheEvent {
  return create(KvCacheEventSchema, { data: dataOf(event) });
}

function dataOf({
  type,
  block_hashes: hashes = [],
  parent_block_hash: parent,
  token_ids: tokens = [],
  block_size: size = blockTokens,
}: BlockEvent): NonNullable<MessageInitShape<typeof KvCacheEventSchema>["data"]> {
  const signed = hashes.map((hash) => BigInt.asIntN(64, hash));
  if (type === "AllBlocksCleared") return { case: "cleared", value: {} };
  if (type === "BlockRemoved") return { case: "removed", value: { blockHashes: signed, tier: KvCacheTier.DEVICE, medium: "GPU" } };
  const blocks = signed.map((blockHash, index) => ({
    ...{ blockHash, blockSize: size },
    tokenIds: tokens.slice(index * size, (index + 1) * size),
  }));
  const after = parent == null ? {} : { parentBlockHash: BigInt.asIntN(64, parent) };
  return { case: "stored", value: { blocks, ...after, tier: KvCacheTier.DEVICE, medium: "GPU" } };
}
