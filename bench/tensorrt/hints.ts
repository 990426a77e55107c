// hints: what it is worth to tell a TensorRT-LLM which cached blocks may go. Prompts of people who write code (prompts.ts), as they are asked
// and end, go through the stand-in's cache (sim/tensorrt/blocks.ts) at several sizes: without hints, with those that the agent gives, and
// with all that it could give, as if nobody ever came back to where they were. Out: shares of prompt tokens that the cache had. The same
// seed gives the same figures. What was generated is not in the cache here.
import { StandInBlocks } from "../../sim/tensorrt/blocks.ts";
import { SpentPrefixes } from "../../workers/engine/tensorrt/hints/spent.ts";
import { blockTokens, type Layout, layouts, type PromptEvent, type PromptsOptions, promptsOf } from "./prompts.ts";

export interface HintsRow {
  readonly layout: Layout;
  readonly blocks: number;
  /** Of the blocks that the last prompt of every document has. */
  readonly size: number;
  /** Of prompt tokens, that were in the cache. */
  readonly found: Readonly<Record<Hinting, number>>;
  /** Blocks that had to go for others without hints, and that went by the agent's hints. */
  readonly gave_up: number;
  readonly told: number;
}

export interface HintsReport {
  readonly people: number;
  readonly seconds: number;
  readonly seed: number;
  readonly prompts: number;
  readonly rows: readonly HintsRow[];
}

const hintings = ["none", "agent", "all"] as const;
export type Hinting = (typeof hintings)[number];

const sizes = [0.5, 1, 1.5, 2, 4];
export async function benchHints(options: PromptsOptions): Promise<HintsReport> {
  const rows: HintsRow[] = [];
  let prompts = 0;
  for (const layout of layouts) {
    const events = await promptsOf(layout, options);
    const last = new Map<string, number>();
    for (const event of events)
      if ("keys" in event) {
        last.set(event.document, event.keys.length);
        prompts += 1;
      }
    const held = [...last.values()].reduce((sum, blocks) => sum + blocks, 0);
    for (const size of sizes) {
      const blocks = Math.round(held * size);
      const runs = hintings.map((hinting) => replayed(events, blocks, hinting));
      const found = Object.fromEntries(hintings.map((hinting, place) => [hinting, runs[place]?.found ?? 0])) as HintsRow["found"];
      rows.push({ layout, blocks, size, found, gave_up: runs[0]?.gaveUp ?? 0, told: runs[1]?.told ?? 0 });
    }
  }
  const { people, seconds, seed } = options;
  return { people, seconds, seed, prompts, rows };
}

function replayed(
  events: readonly PromptEvent[],
  blocks: number,
  hinting: Hinting,
): { found: number; gaveUp: number; told: number } {
  let nowMs = 0;
  let all = 0;
  let found = 0;
  let told = 0;
  const cache = new StandInBlocks({ blockTokens, blocks, truncates: "as_told" }, { tell: () => {} });
  const spent = new SpentPrefixes(
    { blockTokens, ...(hinting === "all" && { editTokensMax: Number.POSITIVE_INFINITY, freshMs: Number.POSITIVE_INFINITY }) },
    {
      clock: { now: () => nowMs },
      cut: ({ tokens, keep }) => {
        const before = cache.size;
        cache.truncate(tokens, keep);
        told += before - cache.size;
      },
    },
  );
  const ending = new Map<number, (computed: boolean) => void>();
  for (const [place, event] of events.entries()) {
    nowMs = event.atMs;
    if ("ended" in event) ending.get(event.ended)?.(true);
    else {
      all += event.tokens.length;
      found += cache.use(event.tokens, "", "");
      if (hinting !== "none") ending.set(place, spent.asked(event));
    }
  }
  return { found: all === 0 ? 0 : Math.round((10_000 * found) / all) / 10_000, gaveUp: cache.gaveUp, told };
}
