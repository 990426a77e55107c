// kv-batch: the payload of an engine's KV events in, our three kinds out. Newer engines write each event as a map with its type,
// older ones as a list in the order of the fields; block hashes are numbers or bytes. What is no event is passed over; a payload that
// is no batch throws a RangeError.
import type { KvMessage } from "../../kv-message.ts";
import { type Packed, unpack } from "./message-pack.ts";

/** Fields in the order of the older, listed form. */
const listed: Readonly<Record<string, readonly string[]>> = {
  BlockStored: ["block_hashes", "parent_block_hash", "token_ids", "block_size", "lora_id", "medium", "lora_name", "extra_keys"],
  BlockRemoved: ["block_hashes", "medium"],
  AllBlocksCleared: [],
};

/** Blocks elsewhere than in the accelerator's memory are not what a step can use at once. */
const near: readonly unknown[] = ["GPU", null, undefined];

export function readKvBatch(payload: Buffer): KvMessage[] {
  const batch = unpack(payload);
  const events = Array.isArray(batch) ? batch[1] : undefined;
  if (!Array.isArray(events)) throw new RangeError("it is no batch of events");
  return events.flatMap((event: Packed) => {
    const fields = fieldsOf(event);
    const message = fields && messageOf(fields);
    return message ? [message] : [];
  });
}

type Fields = Readonly<Record<string, Packed | undefined>>;

function fieldsOf(event: Packed): Fields | undefined {
  if (Array.isArray(event)) {
    const [type, ...values] = event as Packed[];
    const names = typeof type === "string" ? listed[type] : undefined;
    return names && { type, ...Object.fromEntries(names.map((name, index) => [name, values[index]])) };
  }
  return typeof event === "object" && event !== null && !Buffer.isBuffer(event) ? (event as Fields) : undefined;
}

function messageOf(fields: Fields): KvMessage | undefined {
  if (fields["type"] === "AllBlocksCleared") return { kind: "cleared" };
  if (!near.includes(fields["medium"]) || fields["locality"] === "REMOTE") return undefined;
  // A model with several kinds of attention tells each kind's blocks; the first kind is the one that holds whole prompts.
  if (typeof fields["group_idx"] === "number" && fields["group_idx"] > 0) return undefined;
  const hashes = list(fields["block_hashes"]).flatMap((hash) => named(hash) ?? []);
  if (fields["type"] === "BlockRemoved") return { kind: "removed", hashes };
  if (fields["type"] !== "BlockStored") return undefined;
  const tokens = list(fields["token_ids"]).map(Number);
  const [keys] = list(fields["extra_keys"]);
  const adapter = typeof fields["lora_name"] === "string" ? fields["lora_name"] : "";
  // Of a first block: the adapter's name where there is one, then the tenant's salt.
  const salt = list(keys).filter((key) => typeof key === "string")[adapter === "" ? 0 : 1];
  return {
    ...{ kind: "stored", hashes, tokens, adapter },
    parent: named(fields["parent_block_hash"]),
    blockTokens: Number(fields["block_size"] ?? 0),
    salt: typeof salt === "string" ? salt : "",
  };
}

function list(value: Packed | undefined): readonly Packed[] {
  return Array.isArray(value) ? (value as readonly Packed[]) : [];
}

function named(hash: Packed | undefined): string | undefined {
  if (typeof hash === "bigint" || typeof hash === "number") return hash.toString(36);
  return Buffer.isBuffer(hash) ? hash.toString("hex") : undefined;
}
