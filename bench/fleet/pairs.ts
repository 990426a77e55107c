// pairs: arrivals at routers and generations at engines in; of each trigger that came to another router while its predecessor was
// decoding, how long it took to stop that one. Pure.
import type { Arrival, Told } from "./router-process.ts";
import type { Ran } from "./worker-process.ts";

export interface Pair {
  readonly atMs: number;
  /** From the newer trigger's arrival to the engine's being told to stop the older one; undefined: it never was. */
  readonly abortMs?: number;
  /** To its having stopped. */
  readonly stoppedMs?: number;
  /** To the news at the older one's router. */
  readonly toldMs?: number;
}

export function pairsOf(
  routers: readonly { readonly name: string; readonly arrivals: readonly Arrival[] }[],
  told: readonly Told[],
  ran: readonly Ran[],
): Pair[] {
  const arrivals = routers
    .flatMap(({ name, arrivals: own }) => own.map((arrival) => ({ ...arrival, router: name })))
    .sort((a, b) => a.atMs - b.atMs);
  const running = new Map<string, Ran[]>();
  for (const one of ran) running.set(one.document, [...(running.get(one.document) ?? []), one]);
  const keyOf = (document: string, number: string | number) => `${document} ${number}`;
  const heard = new Map(told.map(({ document, sequence, atMs }) => [keyOf(document, sequence), atMs]));
  const last = new Map<string, (typeof arrivals)[number]>();
  const pairs: Pair[] = [];
  for (const arrival of arrivals) {
    const before = last.get(arrival.document);
    last.set(arrival.document, arrival);
    if (!before || before.router === arrival.router) continue;
    const older = running
      .get(arrival.document)
      ?.filter(
        ({ link, beganMs, overMs }) =>
          link === before.router && beganMs >= before.atMs && beganMs < arrival.atMs && overMs > arrival.atMs,
      )
      .at(-1);
    // Cut where its text ends, before anybody typed on.
    if (!older || (older.abortedMs !== undefined && older.abortedMs < arrival.atMs)) continue;
    const news = heard.get(keyOf(arrival.document, arrival.trigger.slice(arrival.trigger.lastIndexOf("-") + 1)));
    const { atMs } = arrival;
    const { abortedMs, overMs } = older;
    if (news !== undefined && abortedMs !== undefined && abortedMs >= news)
      pairs.push({ atMs, toldMs: news - atMs, abortMs: abortedMs - atMs, stoppedMs: overMs - atMs });
    // Not cut meanwhile either, where its text came to an end: nobody stopped it.
    else if (news === undefined && abortedMs === undefined) pairs.push({ atMs });
  }
  return pairs;
}
