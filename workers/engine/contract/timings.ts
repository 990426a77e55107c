// timings: a running engine in, how fast it is out, as a router's generations would meet it: the first text of a prompt that is new and
// of one that it had, a token after the first, and how soon a generation that is told to stop has stopped.
import { quantile } from "../../../lib/structures/quantiles.ts";
import { codeOf, quiet, ran, type Subject, wish } from "./trying.ts";

export interface Spread {
  readonly p50: number;
  readonly most: number;
}

/** Milliseconds. */
export interface Timings {
  readonly rounds: number;
  readonly first_ms: Spread;
  /** The same prompt again. */
  readonly again_first_ms: Spread;
  readonly token_ms: Spread;
  /** Until its end is known here. */
  readonly stop_ms: Spread;
  /** Until the engine's own count is back; absent: it has none that is its own. */
  readonly back_ms?: Spread;
}

const longTokens = 200;

export async function timingsOf(
  subject: Subject,
  options: { readonly rounds: number; readonly signal: AbortSignal },
): Promise<Timings> {
  const lists = { first: [] as number[], again: [] as number[], token: [] as number[], stop: [] as number[], back: [] as number[] };
  let rounds = 0;
  for (; rounds < options.rounds && !options.signal.aborted; rounds++) {
    const work = () => wish(subject, codeOf(`timing ${rounds}`));
    const fresh = await timed(subject, work());
    lists.first.push(fresh.firstMs);
    lists.token.push(...fresh.tokenMs);
    lists.again.push((await timed(subject, work())).firstMs);
    const stopped = await stop(subject, rounds);
    lists.stop.push(stopped.stopMs);
    if (subject.counted) lists.back.push(stopped.backMs);
  }
  const { first, again, token, back } = lists;
  return {
    rounds,
    ...{ first_ms: spread(first), again_first_ms: spread(again), token_ms: spread(token), stop_ms: spread(lists.stop) },
    ...(back.length > 0 && { back_ms: spread(back) }),
  };
}

async function timed(subject: Subject, work: ReturnType<typeof wish>): Promise<{ firstMs: number; tokenMs: number[] }> {
  const { clock, engine } = subject;
  const startedMs = clock.now();
  const at: { ms: number; tokens: number }[] = [];
  await ran(engine, work, { piece: ({ tokens }) => void at.push({ ms: clock.now(), tokens }) });
  const [first, last] = [at[0], at.at(-1)];
  if (!first) throw new Error("it said nothing");
  const after = at.slice(1).reduce((sum, { tokens }) => sum + tokens, 0);
  return {
    firstMs: first.ms - startedMs,
    tokenMs: last && after > 0 ? [(last.ms - first.ms) / after] : [],
  };
}

async function stop(subject: Subject, round: number): Promise<{ stopMs: number; backMs: number }> {
  const { clock, engine } = subject;
  const leaving = new AbortController();
  let toldMs = clock.now();
  await ran(engine, wish(subject, codeOf(`timing stop ${round}`), { sampling: { maxTokens: longTokens } }), {
    signal: leaving.signal,
    piece: (_, count) => {
      if (count !== 2) return;
      toldMs = clock.now();
      leaving.abort();
    },
  });
  const stopMs = clock.now() - toldMs;
  await quiet(subject);
  return { stopMs, backMs: clock.now() - toldMs };
}

function spread(values: readonly number[]): Spread {
  const rounded = (q: number) => Math.round(100 * quantile(values, q)) / 100;
  return { p50: rounded(0.5), most: rounded(1) };
}
