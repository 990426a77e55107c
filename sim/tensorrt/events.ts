// events: what a pretend engine's cache did in, its KV events out, to one reader: what is read is gone. Numbered as the engine numbers them;
// more than fit are lost, oldest first. Shapes: KVCacheEventSerializer (TensorRT-LLM, tensorrt_llm/_utils.py).
import type { Clock } from "../../lib/clock.ts";
import type { BlockChange } from "./blocks.ts";

export interface RawEvent {
  readonly id: number;
  readonly change: BlockChange | { readonly type: "created"; readonly blocks: number };
}

export class EventLog {
  readonly #max: number;
  readonly #clock: Clock;
  #kept: RawEvent[] = [];
  #next = 0;
  #lastMs = 0;
  readonly #listeners = new Set<() => void>();

  constructor(options: { readonly max: number; readonly blocks: number }, deps: { readonly clock: Clock }) {
    this.#max = options.max;
    this.#clock = deps.clock;
    this.push({ type: "created", blocks: options.blocks });
  }

  get kept(): number {
    return this.#kept.length;
  }

  push(change: RawEvent["change"]): void {
    if (this.#max === 0) return;
    this.#kept.push({ id: this.#next++, change });
    this.#lastMs = this.#clock.now();
    if (this.#kept.length > this.#max) this.#kept.shift();
    for (const heard of this.#listeners) heard();
  }

  /** For how long nothing has come. */
  get quietMs(): number {
    return this.#clock.now() - this.#lastMs;
  }

  take(): RawEvent[] {
    const taken = this.#kept;
    this.#kept = [];
    return taken;
  }

  listen(heard: () => void): () => void {
    this.#listeners.add(heard);
    return () => this.#listeners.delete(heard);
  }
}

/** As JSON: its hashes have 64 bits, which JSON.stringify would not write. */
export function jsonOf({ id, change }: RawEvent): string {
  const head = `{"event_id": ${id}, "data": `;
  const tail = `, "window_size": 4096}`;
  if (change.type === "created") return `${head}{"type": "created", "num_blocks_per_cache_level": [${change.blocks}, 0]}${tail}`;
  if (change.type === "removed") return `${head}{"type": "removed", "block_hashes": [${change.hashes.join(", ")}]}${tail}`;
  if (change.type === "moved")
    return `${head}{"type": "updated", "block_hash": ${change.hash}, "cache_level": {"type": "event_diff", "new_value": ${change.to}, "old_value": ${change.from}}, "priority": null}${tail}`;
  const blocks = change.blocks.map(
    ({ hash, tokens }) =>
      `{"type": "stored_block", "block_hash": ${hash}, "tokens": [${tokens.map((token) => `{"type": "unique_token", "token_id": ${token}, "token_extra_id": 0}`).join(", ")}], "cache_level": 0, "priority": 35}`,
  );
  return `${head}{"type": "stored", "parent_hash": ${change.parent}, "blocks": [${blocks.join(", ")}]}${tail}`;
}
