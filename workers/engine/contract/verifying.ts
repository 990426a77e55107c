// verifying: the contract's items and a running engine in, what became of each out: tried one after the other within a time, and told as
// it goes. What nobody wants tried, and all after one that did not end, is said not to have been tried.
import type { Clock } from "../../../lib/clock.ts";
import { SlipstreamError } from "../../../lib/errors.ts";
import type { Ability } from "./abilities.ts";
import type { Item } from "./contract.ts";
import type { Subject } from "./trying.ts";

/** "lacking": not there, as the table says; "more": there all the same. */
export type Became = "held" | "broken" | "lacking" | "more" | "not_tried";

export interface Verified {
  /** A sentence of the contract. */
  readonly name: string;
  /** Undefined: of a promise, which every engine keeps. */
  readonly ability: Ability | undefined;
  readonly became: Became;
  readonly ms: number;
  /** Of one that is broken or was not tried; "": there is nothing to say. */
  readonly why: string;
}

export interface VerifyOptions {
  /** Most time of one item. */
  readonly limitMs: number;
  /** Abilities that are not to be tried, with the reason. */
  readonly without: Readonly<Partial<Record<Ability, string>>>;
}

interface Deps {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Told before each item, and what became of it. */
  readonly progress?: (item: Item, verified: Verified | undefined) => void;
}

const whyMax = 400;

export async function verifyItems(
  items: readonly Item[],
  subject: Subject,
  options: VerifyOptions,
  { clock, signal, progress }: Deps,
): Promise<Verified[]> {
  const all: Verified[] = [];
  let over: string | undefined;
  void subject.engine.died.then((why) => {
    over ??= `the engine is gone: ${why.message}`;
  });
  for (const item of items) {
    if (signal.aborted) over ??= "interrupted";
    const why = over ?? (item.ability && !item.lacking ? options.without[item.ability] : undefined);
    progress?.(item, undefined);
    const startedMs = clock.now();
    const ended = why === undefined ? await tried(item, subject, options.limitMs, { clock, signal }) : notTried(why);
    if (ended.last) over ??= ended.last;
    const verified = {
      ...{ name: item.name, ability: item.ability, became: ended.became, ms: Math.round(clock.now() - startedMs) },
      why: ended.why.replace(/\s+/g, " ").trim().slice(0, whyMax),
    };
    all.push(verified);
    progress?.(item, verified);
  }
  return all;
}

interface Ended {
  readonly became: Became;
  readonly why: string;
  /** Why nothing is tried after it. */
  readonly last?: string;
}

const notTried = (why: string, last?: string): Ended => ({ became: "not_tried", why, ...(last !== undefined && { last }) });

async function tried(
  { check, lacking }: Item,
  subject: Subject,
  limitMs: number,
  { clock, signal }: Pick<Deps, "clock" | "signal">,
): Promise<Ended> {
  const over = new AbortController();
  const late = new SlipstreamError("deadline_exceeded", `it was not over within ${limitMs} ms`);
  const waited = clock.sleep(limitMs, AbortSignal.any([signal, over.signal])).then(
    () => Promise.reject(late),
    (why: unknown) => Promise.reject(why),
  );
  try {
    await Promise.race([check(subject), waited]);
    return lacking ? { became: "lacking", why: "" } : { became: "held", why: "" };
  } catch (thrown) {
    if (signal.aborted) return notTried("interrupted");
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    if (thrown === late) return { became: "broken", why, last: "the one before did not end" };
    // What the table has not and the engine has all the same costs nobody anything.
    return lacking ? { became: "more", why } : { became: "broken", why };
  } finally {
    over.abort();
    waited.catch(() => {});
  }
}
