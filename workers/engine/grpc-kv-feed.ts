// grpc-kv-feed: an engine's KV events over its gRPC in (smg.grpc.common, the same for vLLM and TensorRT-LLM), each batch once and in order out. What is missed is told as "lost", and all is asked for
// anew: its relay then begins with the blocks that are there. Ends for good where the engine tells no events.
import { create, type DescMethodServerStreaming } from "@bufbuild/protobuf";
import type { Clock } from "../../lib/clock.ts";
import { SlipstreamError } from "../../lib/errors.ts";
import type { GrpcClient } from "../../lib/grpc/client.ts";
import {
  type KvBlocksRemoved,
  type KvBlocksStored,
  KvCacheLocality,
  KvCacheTier,
  type KvEventBatch,
  type KvEventBatchSchema,
  SubscribeKvEventsRequestSchema,
} from "../../proto/gen/third_party/common_pb.ts";
import type { KvMessage } from "./kv-message.ts";
import type { Feed, FeedDeps } from "./kv-watch.ts";

const firstPauseMs = 50;
const pauseMaxMs = 2_000;

export type KvEventsMethod = DescMethodServerStreaming<typeof SubscribeKvEventsRequestSchema, typeof KvEventBatchSchema>;

export class GrpcKvFeed implements Feed {
  readonly #client: GrpcClient;
  readonly #method: KvEventsMethod;
  readonly #clock: Clock;
  readonly #deps: FeedDeps;
  readonly #over = new AbortController();
  /** Number of the last batch; undefined: none has come on this subscription. */
  #last: bigint | undefined;
  #synced = false;

  constructor(deps: FeedDeps & { readonly client: GrpcClient; readonly method: KvEventsMethod; readonly clock: Clock }) {
    this.#client = deps.client;
    this.#method = deps.method;
    this.#clock = deps.clock;
    this.#deps = deps;
    void this.#run();
  }

  get synced(): boolean {
    return this.#synced;
  }

  close(): void {
    this.#over.abort();
  }

  async #run(): Promise<void> {
    const { signal } = this.#over;
    for (let pauseMs = firstPauseMs; !signal.aborted; pauseMs = Math.min(pauseMaxMs, 2 * pauseMs)) {
      try {
        const request = create(SubscribeKvEventsRequestSchema, { loadRecordsBeforeFirstBatch: true });
        for await (const batch of this.#client.serverStream(this.#method, request, { signal })) {
          pauseMs = firstPauseMs;
          if (!this.#take(batch)) break;
        }
      } catch (thrown) {
        if (SlipstreamError.from(thrown).code === "unsupported") return;
      }
      if (this.#synced) this.#deps.lost();
      this.#synced = false;
      this.#last = undefined;
      await this.#clock.sleep(pauseMs, signal).catch(() => {});
    }
  }

  /** False when batches are missing. */
  #take(batch: KvEventBatch): boolean {
    const { sequenceNumber: number, load, snapshot, events } = batch;
    // A record of the load repeats the last number, and shows that the stream is alive.
    if (!load?.loadOnly) {
      if (this.#last !== undefined && number !== this.#last + 1n && !snapshot) return false;
      this.#last = number;
    }
    this.#synced = true;
    const messages = load?.loadOnly ? [] : events.flatMap(({ data }) => messageOf(data) ?? []);
    if (messages.length > 0) this.#deps.take(messages);
    return true;
  }
}

function messageOf(data: KvEventBatch["events"][number]["data"]): KvMessage | undefined {
  if (data.case === "cleared") return { kind: "cleared" };
  if (data.case === undefined || elsewhere(data.value)) return undefined;
  if (data.case === "removed") return { kind: "removed", hashes: data.value.blockHashes.map(named) };
  const { blocks, parentBlockHash, loraName, cacheSalt } = data.value;
  return {
    kind: "stored",
    hashes: blocks.map(({ blockHash }) => named(blockHash)),
    parent: parentBlockHash === undefined ? undefined : named(parentBlockHash),
    tokens: blocks.flatMap(({ tokenIds }) => tokenIds),
    blockTokens: blocks[0]?.blockSize ?? 0,
    adapter: loraName ?? "",
    salt: cacheSalt ?? "",
  };
}

/** Blocks that a step cannot use at once, or that are no whole prompt's. */
function elsewhere({ tier, groupIdx, locality }: KvBlocksStored | KvBlocksRemoved): boolean {
  const near = tier === undefined || tier === KvCacheTier.DEVICE || tier === KvCacheTier.UNSPECIFIED;
  return !near || (groupIdx ?? 0) > 0 || locality === KvCacheLocality.REMOTE;
}

function named(hash: bigint): string {
  return BigInt.asUintN(64, hash).toString(36);
}
