// tried: whether a trtllm-serve lets go of cached blocks when told to, and how it must be told how many: tried out on prompts of its own.
// Its counting is not what its field says: the sources at hand keep one block more (WindowBlockManager::truncateBlocks looks whether what
// it has passed is more than what stays), and would keep none more if somebody mended that. Told too little, it would take what others
// need, so that it is used only where two blocks of four are left for sure.
import type { Clock } from "../../../../lib/clock.ts";
import { below, type Random } from "../../../../lib/random.ts";
import type { Answer } from "../../http.ts";
import { truncateBody, truncatePath } from "./sender.ts";

export interface Truncating {
  /** It keeps so many blocks as are meant when told so many tokens less. */
  readonly less: number;
}

interface Trying {
  readonly model: string;
  /** Whether prompts will be asked with one at this page. */
  readonly priority: boolean;
  readonly blockTokens: number;
  readonly less: number;
  readonly tries: number;
}

interface Deps {
  readonly ask: (path: string, body: object) => Promise<Answer>;
  readonly clock: Clock;
  readonly random: Random;
  readonly signal: AbortSignal;
}

/** It does it between two steps, and without any at the next one. */
const triesUsual = 3;
const pauseMs = 50;
/** Every vocabulary has so many. */
const tokensSafe = 256;
const blocks = 4;
const stay = 2;

/** Undefined: it has no such page, or does not do it, or does not say what it has cached. */
export async function tryTruncating(
  { tries = triesUsual, ...options }: Omit<Trying, "less" | "tries"> & { readonly tries?: number },
  deps: Deps,
): Promise<Truncating | undefined> {
  const { status } = await deps.ask(truncatePath, truncateBody([], 0));
  if (status !== 200) return undefined;
  for (const less of [1, 0]) {
    const left = await leftOf({ ...options, less, tries }, deps);
    if (left === stay * options.blockTokens) return { less };
    // It has lost what it should have kept, or nothing: no other number would help.
    if (left === undefined || left >= blocks * options.blockTokens) return undefined;
  }
  return undefined;
}

/** Of a prompt of four blocks, after it was told to keep two. */
async function leftOf(
  { model, priority, blockTokens, less, tries }: Trying,
  { ask, clock, random, signal }: Deps,
): Promise<number | undefined> {
  // The last token is always computed.
  const prompt = Array.from({ length: blocks * blockTokens + 1 }, () => 1 + below(random, tokensSafe));
  const asked = { model, prompt, max_tokens: 1, temperature: 0, top_k: 1, ...(priority && { priority: 0.5 }) };
  const cached = async () => cachedOf(await ask("/v1/completions", asked));
  if ((await cached()) === undefined) return undefined;
  const cut = { tokens: prompt.slice(0, blocks * blockTokens), keep: stay * blockTokens };
  const { status } = await ask(truncatePath, truncateBody([cut], less));
  if (status !== 200) return undefined;
  let left: number | undefined;
  for (let tried = 0; tried < tries; tried++) {
    left = await cached();
    if (left === undefined || left < blocks * blockTokens) break;
    await clock.sleep(pauseMs, signal);
  }
  return left;
}

function cachedOf({ text }: Answer): number | undefined {
  try {
    const { usage } = JSON.parse(text) as { usage?: { prompt_tokens_details?: { cached_tokens?: unknown } | null } };
    const told = usage?.prompt_tokens_details?.cached_tokens;
    return typeof told === "number" ? told : undefined;
  } catch {
    return undefined;
  }
}
