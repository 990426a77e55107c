// kv-events: an answer of trtllm-serve's POST /kv_cache_events in, its events in our words out. Pure. Shapes as KVCacheEventSerializer
// writes them (TensorRT-LLM, tensorrt_llm/_utils.py, commit of 1.2): created, stored, removed, updated. An event names neither tenant
// nor adapter; that is found by the tokens (origins.ts). Hashes have 64 bits, more than a number holds: they are read as they stand.
import { z } from "zod";
import type { KvMessage } from "../kv-message.ts";

export interface NumberedEvent {
  readonly id: number;
  /** Of engines that share a model out by attention, each of which counts for itself. */
  readonly rank: number;
  /** Undefined: it says nothing of a block. */
  readonly message: KvMessage | undefined;
}

const hash = z.union([z.number(), z.string()]).transform(String);
const tokenShape = z.looseObject({ token_id: z.number().int().min(0) });
const levelShape = z.looseObject({ new_value: z.number(), old_value: z.number() });
const dataShape = z.discriminatedUnion("type", [
  z.looseObject({ type: z.literal("created") }),
  z.looseObject({
    type: z.literal("stored"),
    parent_hash: hash.nullish(),
    blocks: z.array(z.looseObject({ block_hash: hash, tokens: z.array(tokenShape), cache_level: z.number().nullish() })),
  }),
  z.looseObject({ type: z.literal("removed"), block_hashes: z.array(hash) }),
  z.looseObject({ type: z.literal("updated"), block_hash: hash, cache_level: levelShape.nullish() }),
]);
const eventShape = z.looseObject({
  event_id: z.number().int().min(0),
  data: z.unknown(),
  window_size: z.number().nullish(),
  attention_dp_rank: z.number().int().min(0).nullish(),
});

/** Events that take a block away, or may: one that cannot be read is as one that was never told. */
const takes = z.looseObject({ type: z.enum(["removed", "updated"]) });

/** Of the levels of its cache, the accelerator's own memory. */
const near = 0;

/** A model with windows of attention tells the blocks of each; those of the widest hold whole prompts. */
export class KvEventReader {
  readonly #blockTokens: number;
  #window: number | undefined;

  constructor(options: { blockTokens: number }) {
    this.#blockTokens = options.blockTokens;
  }

  /** Undefined: the answer is no list of events. One of a kind that is not known has its number, and says nothing. */
  read(text: string): NumberedEvent[] | undefined {
    const list = listIn(text);
    return list?.flatMap((event) => {
      const read = eventShape.safeParse(event);
      if (!read.success) return [];
      const { event_id: id, window_size: window, attention_dp_rank: rank } = read.data;
      const data = dataShape.safeParse(read.data.data);
      if (!data.success) return takes.safeParse(read.data.data).success ? [] : [{ id, rank: rank ?? 0, message: undefined }];
      if (typeof window === "number") this.#window = Math.max(this.#window ?? 0, window);
      const narrow = typeof window === "number" && window < (this.#window as number);
      return [{ id, rank: rank ?? 0, message: narrow ? undefined : this.#message(data.data) }];
    });
  }

  #message(data: z.infer<typeof dataShape>): KvMessage | undefined {
    if (data.type === "removed") return { kind: "removed", hashes: data.block_hashes };
    if (data.type === "updated") {
      const level = data.cache_level;
      return level ? { kind: "moved", hashes: [data.block_hash], near: level.new_value === near } : undefined;
    }
    if (data.type !== "stored") return undefined;
    // The last block of a text may be part of one, which nothing can follow.
    const partial = data.blocks.findIndex(({ tokens }) => tokens.length !== this.#blockTokens);
    const blocks = partial < 0 ? data.blocks : data.blocks.slice(0, partial);
    if (blocks.length === 0) return undefined;
    return {
      ...{ kind: "stored", blockTokens: this.#blockTokens, adapter: "", salt: "" },
      hashes: blocks.map(({ block_hash: name }) => name),
      parent: data.parent_hash ?? undefined,
      tokens: blocks.flatMap(({ tokens }) => tokens.map(({ token_id: id }) => id)),
    };
  }
}

/** Numbers that a double does not hold, outside of texts, of which events have none with digits alone. */
const longNumber = /([[:,\s])(\d{16,})(?=[\],}\s])/g;

function listIn(text: string): readonly unknown[] | undefined {
  try {
    const list: unknown = JSON.parse(text.replace(longNumber, '$1"$2"'));
    return Array.isArray(list) ? list : undefined;
  } catch {
    return undefined;
  }
}
