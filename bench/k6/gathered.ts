// gathered: the lines of k6's JSON output in, what the report needs out: figures of each second, histograms of the times, and a record a
// trigger. Holds a small row a second, at most `secondsMax`, whatever the number of triggers.
import { wallOf } from "../../lib/clock.ts";
import { Histogram } from "../../lib/structures/histogram.ts";
import type { Records } from "../records/records.ts";

interface Point {
  readonly metric?: string;
  readonly type?: string;
  readonly data?: {
    readonly time: string;
    readonly value: number;
    readonly tags?: Readonly<Record<string, string>>;
    readonly metadata?: Readonly<Record<string, string>>;
  };
}

interface Second {
  triggers: number;
  readonly firstText: Histogram;
  readonly outcomes: Record<string, number>;
}

/** Two days. */
const secondsMax = 2 * 24 * 3_600;

export class Gathered {
  readonly #records: Records;
  readonly #run: string;
  readonly seconds: Second[] = [];
  readonly tiers = new Map<
    string,
    { readonly firstText: Histogram; readonly answer: Histogram; readonly outcomes: Record<string, number> }
  >();
  #startMs: number | undefined;

  constructor(run: string, records: Records) {
    this.#run = run;
    this.#records = records;
  }

  /** A line that is no JSON is none of the output: k6 says other things too. */
  line(text: string): void {
    if (!text.startsWith("{")) return;
    const { metric, type, data } = JSON.parse(text) as Point;
    if (type !== "Point" || metric !== "slipstream_answer_ms" || !data) return;
    const { value: totalMs, time, tags = {}, metadata = {} } = data;
    const endMs = wallOf(time);
    this.#startMs ??= endMs - totalMs;
    const dueMs = endMs - totalMs - this.#startMs;
    const firstMs = metadata["first_ms"] === undefined ? undefined : Number(metadata["first_ms"]);
    const { tier = "", kind = "", outcome = "", phase = "" } = tags;
    this.#count(dueMs, tier, outcome, firstMs, totalMs);
    this.#records.add(this.#run, {
      ...{ t_ms: Math.round(dueMs * 10) / 10, outcome, kind, tier, phase },
      ...{ first_text_ms: rounded(firstMs), total_ms: rounded(totalMs), late_ms: rounded(Number(metadata["late_ms"] ?? 0)) },
    });
  }

  #count(dueMs: number, tier: string, outcome: string, firstMs: number | undefined, totalMs: number): void {
    const nth = Math.min(secondsMax, Math.max(0, Math.floor(dueMs / 1_000)));
    while (this.seconds.length <= nth) this.seconds.push({ triggers: 0, firstText: new Histogram(), outcomes: {} });
    const second = this.seconds[nth] as Second;
    const whole = this.tiers.get(tier) ?? { firstText: new Histogram(), answer: new Histogram(), outcomes: {} };
    this.tiers.set(tier, whole);
    second.triggers += 1;
    for (const { outcomes } of [second, whole]) outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
    whole.answer.record(1_000 * totalMs);
    if (firstMs === undefined) return;
    whole.firstText.record(1_000 * firstMs);
    if (tier === "inline") second.firstText.record(1_000 * firstMs);
  }
}

const rounded = (ms: number | undefined) => (ms === undefined ? undefined : Math.round(ms * 10) / 10);
