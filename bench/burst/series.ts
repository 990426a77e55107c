// series: how each trigger ended and what was seen of a pool each second in, the curves and the figures of a burst out. Pure.
import { percentile } from "../../sim/statistics.ts";

/** How one trigger ended, as its person saw it. */
export interface Asked {
  /** On the run's clock. */
  readonly askedMs: number;
  readonly outcome: string;
  readonly reason?: string | undefined;
  /** What the router said of it: of errors the sentence. */
  readonly detail?: string | undefined;
  /** To the first text; absent: there was none. */
  readonly first_text_ms?: number | undefined;
  /** Whose it was, who computed it, and of how many tokens of its prompt; absent: nobody was asked. */
  readonly session?: string;
  readonly worker?: string;
  readonly prompt_tokens?: number;
  readonly recomputed_tokens?: number;
}

/** What of prompts was there already: of sessions that stayed where they were, and of those that came to another worker. */
export interface Reuse {
  readonly stayed: { readonly prompts: number; readonly reused_share: number | null };
  readonly moved: { readonly prompts: number; readonly reused_share: number | null };
  readonly kept_share: number | null;
}

/** Triggers that failed in one way. */
export interface Failure {
  readonly outcome: string;
  readonly detail: string;
  readonly triggers: number;
  /** Since the begin, of the first and the last of them. */
  readonly first_s: number;
  readonly last_s: number;
}

/** What the cluster's API said of a pool at one moment. */
export interface PoolSample {
  readonly atMs: number;
  readonly people: number;
  /** As the operator wants it. */
  readonly wanted: number;
  /** Pods that there are, that are ready, and that were asked to leave. */
  readonly pods: number;
  readonly ready: number;
  readonly leaving: number;
}

export interface Point {
  /** Since the begin. */
  readonly s: number;
  readonly people: number;
  readonly triggers_per_s: number;
  /** Of the ten seconds before; null: hardly anybody asked. */
  readonly p95_ms: number | null;
  readonly late_share: number;
  readonly wanted: number;
  readonly pods: number;
  readonly ready: number;
  readonly leaving: number;
}

export interface Phase {
  readonly name: "before" | "burst" | "after";
  readonly fromMs: number;
  readonly untilMs: number;
}

export interface PhaseFigures {
  readonly triggers: number;
  readonly triggers_per_s: number;
  /** With text, however it was found. */
  readonly answered: number;
  readonly p50_ms: number | null;
  readonly p95_ms: number | null;
  /** Late by load: the deadline passed without text, or it was refused for that beforehand. */
  readonly late: number;
  readonly failed: number;
  /** Of windows of ten seconds, those whose p95 is within the SLO. */
  readonly windows_held_share: number | null;
  readonly outcomes: Readonly<Record<string, number>>;
}

export interface BurstFigures {
  readonly phases: Readonly<Record<Phase["name"], PhaseFigures>>;
  readonly workers: Readonly<Record<"before" | "most" | "after", number>>;
  /** From the begin of the burst until p95 was within the SLO and stayed so for half a minute; 0: it never left; null: it did not come back. */
  readonly recovered_s: number | null;
  /** From its begin until the first worker more served; null: none came. */
  readonly first_worker_s: number | null;
  readonly failed: number;
  /** The most frequent first. */
  readonly failures: readonly Failure[];
  readonly reuse: Reuse;
  readonly series: readonly Point[];
}

const windowMs = 10_000;
const staysMs = 30_000;
/** A p95 of fewer says nothing. */
const answersMin = 10;

/** An error, or a connection that broke under it: no other end is a failure. */
const isFailed = ({ outcome }: Asked) => outcome === "failed" || outcome === "lost";
const isLate = ({ outcome, reason }: Asked) => outcome === "expired" || reason === "deadline" || reason === "brownout";

export function figuresOf(
  asked: readonly Asked[],
  samples: readonly PoolSample[],
  phases: readonly Phase[],
  options: { readonly sloMs: number; readonly deadlineMs: number },
): BurstFigures {
  const startMs = phases[0]?.fromMs ?? 0;
  const windows = (atMs: number) => asked.filter((each) => each.askedMs > atMs - windowMs && each.askedMs <= atMs);
  const series = samples.map(({ atMs, ...pool }): Point => {
    const of = windows(atMs);
    const s = Math.round((atMs - startMs) / 1_000);
    const spanMs = Math.max(1_000, Math.min(windowMs, atMs - startMs));
    return {
      ...{ s, ...pool, triggers_per_s: round((1_000 * of.length) / spanMs) },
      ...{ p95_ms: p95Of(of, options.deadlineMs), late_share: round(of.filter(isLate).length / Math.max(1, of.length)) },
    };
  });
  const within = (phase: Phase) => asked.filter(({ askedMs }) => askedMs >= phase.fromMs && askedMs < phase.untilMs);
  const named = Object.fromEntries(phases.map((phase) => [phase.name, phaseOf(within(phase), phase, options)]));
  const readyAt = (atMs: number) => [...samples].reverse().find((sample) => sample.atMs <= atMs)?.ready ?? 0;
  const burst = phases.find(({ name }) => name === "burst");
  const [burstMs, endMs] = [burst?.fromMs ?? 0, phases.at(-1)?.untilMs ?? 0];
  const before = readyAt(burstMs);
  const grown = samples.find(({ atMs, ready }) => atMs > burstMs && ready > before);
  return {
    phases: named as BurstFigures["phases"],
    workers: { before, most: Math.max(0, ...samples.map(({ ready }) => ready)), after: readyAt(endMs) },
    recovered_s: recoveredS(series, (burstMs - startMs) / 1_000, ((burst?.untilMs ?? 0) - startMs) / 1_000, options.sloMs),
    first_worker_s: grown ? Math.round((grown.atMs - burstMs) / 1_000) : null,
    failed: asked.filter(isFailed).length,
    failures: failuresOf(asked, startMs),
    reuse: reuseOf(asked),
    series,
  };
}

/** More ways to fail than this are told by their triggers' records. */
const failuresMax = 12;

function failuresOf(asked: readonly Asked[], startMs: number): readonly Failure[] {
  const ways = new Map<string, Failure>();
  for (const each of asked.filter(isFailed)) {
    const { outcome, detail = "", askedMs } = each;
    const at = Math.round((askedMs - startMs) / 1_000);
    const { triggers, first_s, last_s } = ways.get(`${outcome} ${detail}`) ?? { triggers: 0, first_s: at, last_s: at };
    const way = { outcome, detail, triggers: triggers + 1, first_s: Math.min(first_s, at), last_s: Math.max(last_s, at) };
    ways.set(`${outcome} ${detail}`, way);
  }
  return [...ways.values()].sort((one, other) => other.triggers - one.triggers).slice(0, failuresMax);
}

/** Who is late waited for as long as anybody does: left out, the worst would make the figure better. */
function p95Of(asked: readonly Asked[], deadlineMs: number): number | null {
  const times = asked.flatMap((each) => (isLate(each) ? [deadlineMs] : (each.first_text_ms ?? [])));
  return times.length < answersMin ? null : round(percentile(times, 0.95));
}

function phaseOf(
  asked: readonly Asked[],
  { fromMs, untilMs }: Phase,
  { sloMs, deadlineMs }: { readonly sloMs: number; readonly deadlineMs: number },
): PhaseFigures {
  const texts = asked.flatMap(({ first_text_ms: ms }) => ms ?? []);
  const outcomes: Record<string, number> = {};
  for (const { outcome } of asked) outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
  const windows: number[] = [];
  for (let at = fromMs; at + windowMs <= untilMs; at += windowMs) {
    const p95 = p95Of(
      asked.filter((each) => each.askedMs >= at && each.askedMs < at + windowMs),
      deadlineMs,
    );
    if (p95 !== null) windows.push(p95);
  }
  return {
    ...{ triggers: asked.length, triggers_per_s: round((1_000 * asked.length) / Math.max(1, untilMs - fromMs)) },
    answered: texts.length,
    p50_ms: texts.length < answersMin ? null : round(percentile(texts, 0.5)),
    p95_ms: p95Of(asked, deadlineMs),
    ...{ late: asked.filter(isLate).length, failed: asked.filter(isFailed).length },
    windows_held_share: windows.length === 0 ? null : round(windows.filter((ms) => ms <= sloMs).length / windows.length),
    outcomes,
  };
}

/** A session that was silent for longer is not cold because it moved. */
const movedWithinMs = 15_000;

function reuseOf(asked: readonly Asked[]): Reuse {
  const last = new Map<string, Asked>();
  const sums = { stayed: { prompts: 0, prompt: 0, computed: 0 }, moved: { prompts: 0, prompt: 0, computed: 0 } };
  for (const each of asked) {
    const { session, worker, prompt_tokens: prompt = 0, recomputed_tokens: computed = 0, askedMs } = each;
    if (session === undefined || !worker || prompt === 0) continue;
    const before = last.get(session);
    last.set(session, each);
    if (!before || askedMs - before.askedMs > movedWithinMs) continue;
    const sum = sums[before.worker === worker ? "stayed" : "moved"];
    Object.assign(sum, { prompts: sum.prompts + 1, prompt: sum.prompt + prompt, computed: sum.computed + computed });
  }
  const of = ({ prompts, prompt, computed }: (typeof sums)["stayed"]) => ({
    prompts,
    reused_share: prompt === 0 ? null : round(1 - computed / prompt),
  });
  const [stayed, moved] = [of(sums.stayed), of(sums.moved)];
  const isKnown = stayed.reused_share !== null && moved.reused_share !== null;
  return {
    stayed,
    moved,
    kept_share: isKnown ? round((moved.reused_share ?? 0) / Math.max(1e-9, stayed.reused_share ?? 0)) : null,
  };
}

function recoveredS(series: readonly Point[], fromS: number, untilS: number, sloMs: number): number | null {
  const during = series.filter(({ s }) => s > fromS && s <= untilS);
  const isOver = ({ p95_ms: ms }: Point) => ms !== null && ms > sloMs;
  if (!during.some(isOver)) return 0;
  const staysS = staysMs / 1_000;
  const back = during.find(
    ({ s }, i) =>
      during.slice(0, i).some(isOver) &&
      s + staysS <= untilS &&
      !during.some((each) => each.s >= s && each.s <= s + staysS && isOver(each)),
  );
  return back ? Math.round(back.s - fromS) : null;
}

const round = (value: number) => Math.round(value * 1_000) / 1_000;
