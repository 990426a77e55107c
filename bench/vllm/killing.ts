// killing: two engines under load, one of them killed: what people get, before and after. Each asks again as soon as it has its answer.
import { systemClock } from "../../lib/clock.ts";
import { quantile } from "../../lib/structures/quantiles.ts";
import { Outcome, TriggerKind } from "../../proto/gen/slipstream/v1/completion_pb.ts";
import type { Fleet } from "./fleet.ts";

export interface KillReport {
  readonly completions: number;
  readonly after_kill: number;
  readonly failed: number;
  readonly expired: number;
  readonly p95_ms: { readonly before: number; readonly after: number };
}

interface Options {
  readonly fleet: Fleet;
  readonly callers: number;
  readonly seconds: number;
  readonly text: string;
  readonly kill: () => Promise<void>;
  readonly signal?: AbortSignal;
}

const deadlineMs = 20_000;

export async function benchKilling(options: Options): Promise<KillReport> {
  const { fleet, callers, seconds, text } = options;
  const startedMs = systemClock.now();
  let killedMs = Number.POSITIVE_INFINITY;
  const ends: { readonly startMs: number; readonly ms: number; readonly outcome: Outcome }[] = [];
  let asked = 0;
  const caller = async () => {
    while (systemClock.now() - startedMs < seconds * 1_000 && !options.signal?.aborted) {
      const number = asked++;
      const startMs = systemClock.now();
      const about = { kind: TriggerKind.INVOKED, language: "typescript", path: `${number}.ts`, deadlineMs };
      const { completion, nothing } = await fleet.ask({ ...about, prefix: `// ${number}\n${text.slice(0, 800 + (number % 97))}` });
      ends.push({ startMs, ms: systemClock.now() - startMs, outcome: (completion ?? nothing)?.outcome ?? Outcome.FAILED });
    }
  };
  const killer = async () => {
    await systemClock.sleep((seconds * 1_000) / 3);
    killedMs = systemClock.now();
    await options.kill();
  };
  await Promise.all([...Array.from({ length: callers }, caller), killer()]);
  const count = (outcome: Outcome) => ends.filter((end) => end.outcome === outcome).length;
  const slow = (list: typeof ends) =>
    quantile(
      list.map(({ ms }) => ms),
      0.95,
    );
  return {
    completions: ends.length,
    after_kill: ends.filter(({ startMs, ms }) => startMs + ms > killedMs).length,
    ...{ failed: count(Outcome.FAILED), expired: count(Outcome.EXPIRED) },
    p95_ms: {
      before: slow(ends.filter(({ startMs, ms }) => startMs + ms <= killedMs)),
      after: slow(ends.filter(({ startMs, ms }) => startMs + ms > killedMs)),
    },
  };
}
