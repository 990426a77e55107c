// revision-window: what routers report of each revision of a pool in, what each did since a moment out: how soon its first text came,
// and how much it ended badly. A p95 of many seconds is theirs weighed by what each saw. Kept as sums, of seconds at first and of longer
// spans as they age: however many routers speak, a canary that is watched for days is seen whole.
import type { RevisionLoad } from "../../proto/gen/slipstream/v1/fleet_pb.ts";
import type { RevisionDid } from "../pool.ts";

type Told = Pick<RevisionLoad, "revision" | "firstTexts" | "firstTextP95Ms" | "expired" | "failed">;

interface Sum {
  readonly texts: number;
  readonly weighed: number;
  readonly expired: number;
  readonly failed: number;
}

interface Span {
  readonly fromMs: number;
  readonly sums: Map<string, Sum>;
}

/** Sums of that age cover so much time, the last row first that fits: about 500 in a week. What began in one is told from its next. */
const widths = [
  { ageMs: 86_400_000, widthMs: 3_600_000 },
  { ageMs: 7_200_000, widthMs: 600_000 },
  { ageMs: 600_000, widthMs: 60_000 },
  { ageMs: 60_000, widthMs: 10_000 },
  { ageMs: Number.NEGATIVE_INFINITY, widthMs: 1_000 },
] as const;
/** More than a week makes: a clock that is set back must not make more of them. */
const spansMax = 1_000;

export class RevisionWindow {
  readonly #options: { readonly windowMs: number; readonly revisionsMax: number };
  #spans: Span[] = [];

  constructor(options: { readonly windowMs: number; readonly revisionsMax: number }) {
    this.#options = options;
  }

  take(atMs: number, revisions: readonly Told[]): void {
    if (revisions.length === 0) return;
    const { sums } = this.#span(Math.floor(atMs / 1_000) * 1_000);
    for (const { revision, firstTexts, firstTextP95Ms, expired, failed } of revisions) {
      if (!sums.has(revision) && sums.size >= this.#options.revisionsMax) continue;
      add(sums, revision, { texts: firstTexts, weighed: firstTexts * firstTextP95Ms, expired, failed });
    }
  }

  /** By revision, of what was said since `sinceMs` and is not older than the window. */
  since(sinceMs: number, nowMs: number): ReadonlyMap<string, RevisionDid> {
    const fromMs = Math.max(sinceMs, nowMs - this.#options.windowMs);
    const all = new Map<string, Sum>();
    for (const span of this.#spans) if (span.fromMs >= fromMs) for (const [name, sum] of span.sums) add(all, name, sum);
    return new Map(
      [...all].map(([revision, { texts, weighed, expired, failed }]) => [
        revision,
        { texts, expired, failed, p95Ms: texts === 0 ? undefined : weighed / texts },
      ]),
    );
  }

  #span(fromMs: number): Span {
    const last = this.#spans.at(-1);
    if (last?.fromMs === fromMs) return last;
    const made: Span = { fromMs, sums: new Map() };
    this.#spans = [...this.#older(fromMs), made].slice(-spansMax);
    return made;
  }

  /** Neighbours become one as they age. */
  #older(nowMs: number): Span[] {
    const kept: Span[] = [];
    for (const span of this.#spans) {
      if (span.fromMs < nowMs - this.#options.windowMs) continue;
      const { widthMs } = widths.find(({ ageMs }) => nowMs - span.fromMs >= ageMs) ?? widths[4];
      const last = kept.at(-1);
      if (last && Math.floor(last.fromMs / widthMs) === Math.floor(span.fromMs / widthMs))
        for (const [name, sum] of span.sums) this.#join(last, name, sum);
      else kept.push({ fromMs: span.fromMs, sums: new Map(span.sums) });
    }
    return kept;
  }

  #join({ sums }: Span, name: string, sum: Sum): void {
    if (sums.has(name) || sums.size < this.#options.revisionsMax) add(sums, name, sum);
  }
}

function add(sums: Map<string, Sum>, name: string, more: Sum): void {
  const sum = sums.get(name) ?? { texts: 0, weighed: 0, expired: 0, failed: 0 };
  sums.set(name, {
    ...{ texts: sum.texts + more.texts, weighed: sum.weighed + more.weighed },
    ...{ expired: sum.expired + more.expired, failed: sum.failed + more.failed },
  });
}
