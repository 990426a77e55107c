// aborts: from a Cancel's arrival at the agent until the engine is told to stop, over and over: generations that have just begun to speak,
// one after the other, on an idle engine, beside others that fill its seats, and behind new prompts that came with it in one read.
import { processorMs, systemClock } from "../../lib/clock.ts";
import { quantile } from "../../lib/structures/quantiles.ts";
import type { StoppingAgent } from "./stops.ts";

export interface AbortRow {
  /** "behind": behind prompts that came in the same read. */
  readonly engine: "idle" | "saturated" | "behind";
  readonly cancels: number;
  readonly issued_ms: Spread;
  /** What this process had of the processor meanwhile: the rest of the time others had it, the engine woken by the close among them. */
  readonly own_ms: Spread;
}

interface Spread {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly most: number;
}

/** This process's own code is compiled in the first ones. */
const usualWarmCancels = 200;
const longTokens = 1_400;
/** A worker that is slow takes fewer than the engine has seats. Who is refused asks again after a while, or nothing else would be done. */
const refusedMs = 5;
/** Prompts that come with a Cancel, and their length: new to the agent, so that each has to be encoded. */
const behind = { prompts: 5, bytes: 2_000 };

interface Options {
  readonly cancels: number;
  /** Before them, not counted. */
  readonly warmCancels?: number;
  /** Of a saturated engine. */
  readonly others: number;
  readonly text: string;
  readonly signal?: AbortSignal;
}

export async function benchAborts(options: Options, deps: { readonly agent: StoppingAgent }): Promise<AbortRow[]> {
  const rows: AbortRow[] = [];
  for (const engine of ["idle", "saturated", "behind"] as const) rows.push(await cancelled(engine, options, deps.agent));
  return rows;
}

async function cancelled(
  engine: AbortRow["engine"],
  { cancels, warmCancels = usualWarmCancels, others, text: source, signal }: Options,
  { end, told }: StoppingAgent,
): Promise<AbortRow> {
  const over = new AbortController();
  const ask = (text: string, maxTokens = longTokens) =>
    end.ask({ segments: [{ part: { case: "text", value: text } }], sampling: { maxTokens }, cacheSalt: "a" });
  // Others go on the whole time: one that has ended is asked again.
  const other = async (number: number) => {
    for (let turn = 0; !over.signal.aborted; turn++) {
      const { id, over: ended } = ask(`// other ${number} ${turn}\n`);
      const stop = () => end.cancel(id);
      over.signal.addEventListener("abort", stop, { once: true });
      if ((await ended).how === "refused") await systemClock.sleep(refusedMs);
      over.signal.removeEventListener("abort", stop);
    }
  };
  const running = Array.from({ length: engine === "saturated" ? others : 0 }, (_, number) => other(number));
  const [issued, own]: [number[], number[]] = [[], []];
  for (let turn = -warmCancels; turn < cancels && !signal?.aborted; turn++) {
    const { id, first, over: ended } = ask(`// ${engine} ${turn}\nconst a = `);
    await first;
    // As a frame from the wire comes: in a turn of the loop of its own.
    await systemClock.sleep(1);
    const [startedMs, startedCpu] = [systemClock.now(), processorMs()];
    const before = Array.from({ length: engine === "behind" ? behind.prompts : 0 }, (_, number) => {
      const from = (turn + warmCancels) * behind.prompts + number;
      return ask(`// ${from}\n${source.slice(from, from + behind.bytes)}`, 1).over;
    });
    end.cancel(id);
    const { how } = await ended;
    await Promise.all(before);
    if (how === "refused") await systemClock.sleep(refusedMs);
    if (turn < 0 || how !== "cancelled") continue;
    issued.push(told().ms - startedMs);
    own.push(told().cpuMs - startedCpu);
  }
  over.abort();
  await Promise.all(running);
  return { engine, cancels: issued.length, issued_ms: spread(issued), own_ms: spread(own) };
}

function spread(values: readonly number[]): Spread {
  const at = (part: number) => quantile(values, part);
  return { p50: at(0.5), p90: at(0.9), p99: at(0.99), most: at(1) };
}
