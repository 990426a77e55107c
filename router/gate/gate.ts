// gate: a Trigger and the load in; a reason not to ask out, or nothing. Evidence (evidence.ts) makes a probability that a text
// would be accepted; an AUTO trigger under the threshold is not asked for. The threshold is `floor` while nobody waits, where
// only evidence gates, and rises with the wait in the queue to `cap`, which good evidence still passes: brown-out, long before
// anything is refused. Who asks on purpose always passes. What is asked ahead of the person is for idle workers: it passes while
// they have had work for people in no more than `aheadInUseMax` of the time. Remembers reports of `documentsMax` documents.
import type { Kind, Origin, Report, Trigger } from "../completion.ts";
import { against, type Evidence, evidenceTable, logOdds, oddsOf, probability } from "./evidence.ts";
import { Memory } from "./memory.ts";
import { surroundings } from "./surroundings.ts";

export interface GateOptions {
  /** Probability below which nothing is asked, whatever is free. */
  readonly floor: number;
  /** The threshold when the wait takes `waitShareMax` of a trigger's time, or more. */
  readonly cap: number;
  readonly waitShareMax: number;
  /** Share of the workers' time in use above which nothing is asked ahead: it would slow what people wait for. */
  readonly aheadInUseMax: number;
  readonly documentsMax: number;
}

export interface GateDeps {
  /** Share of late time in which the workers that could serve this model or pool had work for people. */
  readonly inUse: (model: string) => number;
}

/** What the path knows of the load at this moment. */
export interface Pressure {
  readonly predictedWaitMs: number;
}

export interface Gated {
  readonly reason: "gated" | "brownout";
  readonly detail: string;
  readonly retryAfterMs: number;
}

/** Evidence about typing does not count. */
const ahead: ReadonlySet<Kind> = new Set(["preload", "speculative"]);
/** Until the load may be another. */
const aheadRetryMs = 1_000;
const idleMsMax = 60_000;
const edits: Partial<Record<Origin, keyof Evidence>> = { paste: "pasted", undo: "undone", format: "formatted" };

export class Gate {
  readonly #options: GateOptions;
  readonly #memory: Memory;
  readonly #deps: GateDeps;

  constructor(options: GateOptions, deps: GateDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#memory = new Memory(options);
  }

  /** A client said what became of a text. */
  observe(report: Report, now: number): void {
    this.#memory.observe(report, now);
  }

  /** `passed` is told why, in words, where somebody wants to know. */
  judge(trigger: Trigger, pressure: Pressure, now: number, passed?: (why: string) => void): Gated | undefined {
    if (trigger.kind === "invoked") return undefined;
    if (ahead.has(trigger.kind)) return this.#ahead(trigger);
    const evidence = { ...surroundings(trigger), ...typing(trigger, now), ...this.#memory.evidence(trigger.document, now) };
    const leftMs = Math.max(0, trigger.deadlineMs - now);
    const gated = judge(evidence, { ...pressure, leftMs }, this.#options);
    if (!gated && passed) {
      const threshold = thresholdAt(pressure.predictedWaitMs, leftMs, this.#options);
      passed(reasons(probability(logOdds(evidence)), threshold, evidence));
    }
    return gated;
  }

  #ahead({ model }: Trigger): Gated | undefined {
    const [inUse, most] = [this.#deps.inUse(model), this.#options.aheadInUseMax];
    if (inUse <= most) return undefined;
    const percent = (share: number) => `${(100 * share).toFixed(0)} %`;
    const detail = `workers are busy: people had them in use ${percent(inUse)} of the time, and nothing is asked ahead above ${percent(most)}`;
    return { reason: "brownout", detail, retryAfterMs: aheadRetryMs };
  }
}

/** The rule, apart from where evidence comes from. */
export function judge(
  evidence: Evidence,
  { predictedWaitMs, leftMs }: Pressure & { readonly leftMs: number },
  options: Pick<GateOptions, "floor" | "cap" | "waitShareMax">,
): Gated | undefined {
  const score = probability(logOdds(evidence));
  const { floor } = options;
  if (score < floor) return { reason: "gated", detail: reasons(score, floor, evidence), retryAfterMs: 0 };
  const retryAfterMs = Math.ceil(predictedWaitMs);
  if (predictedWaitMs > 0 && predictedWaitMs >= leftMs)
    return { reason: "brownout", detail: "the wait for a worker is longer than the trigger's time", retryAfterMs };
  const threshold = thresholdAt(predictedWaitMs, leftMs, options);
  if (score >= threshold) return undefined;
  return { reason: "brownout", detail: `workers are busy: ${reasons(score, threshold, evidence)}`, retryAfterMs };
}

export function thresholdAt(
  predictedWaitMs: number,
  leftMs: number,
  { floor, cap, waitShareMax }: Pick<GateOptions, "floor" | "cap" | "waitShareMax">,
): number {
  const load = predictedWaitMs <= 0 ? 0 : Math.min(1, predictedWaitMs / (leftMs * waitShareMax));
  return floor + (cap - floor) * load;
}

/** What the last edit and the client say. */
function typing({ origin, previousKeyMs, acceptProbability }: Trigger, now: number): Evidence {
  const edit = edits[origin];
  const idleMs = previousKeyMs === undefined ? 0 : Math.min(idleMsMax, Math.max(0, now - previousKeyMs));
  const estimate = acceptProbability === undefined ? undefined : Math.min(0.98, Math.max(0.02, acceptProbability));
  return {
    ...(edit ? { [edit]: 1 } : {}),
    ...(idleMs > 0 ? { idle: Math.log(1 + idleMs / 1_000) } : {}),
    ...(estimate === undefined ? {} : { client: oddsOf(estimate) - evidenceTable.base.weight }),
  };
}

function reasons(score: number, threshold: number, evidence: Evidence): string {
  const found = against(evidence).join(", ");
  return `scores ${score.toFixed(2)} of ${threshold.toFixed(2)}${found === "" ? "" : `; against it: ${found}`}`;
}
