// schedule: `slipstream bench schedule`: what a placement costs, and, in simulated fleets under a fake clock, what each part of
// scheduling is worth, what an overload does and what one tenant's flood does to another. docs/operations/queueing.md defines
// every figure.

import type { Crowd } from "../../sim/crowd.ts";
import { type FleetFigures, type FleetOptions, fleetRun } from "../../sim/fleet-run.ts";
import type { ProfileEnd, ProfileName } from "../../workers/engine/simulated/profiles.ts";
import { ownSources } from "../keys/sources.ts";
import type { Records } from "../records/records.ts";
import { benchDecisions, type Decided } from "./decision.ts";
import { figuresOf, spentOf } from "./figures.ts";
import { Moves } from "./leaving.ts";
import { type Ablation, ablations, type Switches, shipped, switched } from "./switches.ts";

export { profileEnds, profileNames } from "../../workers/engine/simulated/profiles.ts";

export const parts = ["decision", "ablation", "overload", "flood", "shared", "leaving"] as const;
export type Part = (typeof parts)[number];

export interface ScheduleBenchOptions {
  readonly parts: readonly Part[];
  readonly ablations: readonly Ablation[];
  readonly loads: readonly number[];
  /** Crowds of these sizes, one a load (the parts that have one load: the first), instead of crowds that are sized for it. */
  readonly people?: readonly number[];
  readonly seed: number;
  readonly workers: number;
  readonly slots: number;
  readonly profile: ProfileName;
  readonly profileEnd: ProfileEnd;
  readonly seconds: number;
  /** Of the part "decision". */
  readonly fleet: number;
  readonly decisions: number;
}

export interface ScheduleReport {
  readonly decision?: readonly Decided[];
  readonly ablation?: Readonly<Record<string, unknown>>;
  readonly overload?: unknown;
  readonly flood?: unknown;
  readonly shared?: unknown;
  readonly leaving?: unknown;
}

interface Deps {
  readonly records?: Records;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

const warmMs = 8_000;
const sizingMs = 6_000;
const sizingRounds = 4;
const closeEnough = 0.03;
/** Share of the slots in use at which waiting begins: what ×1 of an overload is. */
const knee = 0.9;
/** People with a short session after the other, and the texts that these begin with: more than a worker's memory holds. */
const sharersPerWorker = 6;
const sharedBeginnings = 32;
/** A worker's hand-over at most; what it gives running work after that, and until another is there in its place. */
const handOverMax = 5_000;
const leavingMs = 1_000;
type Mix = "typing" | "mixed";
/** Enough to type in, few enough that a pretend model finds its place soon. */
const sourcesMax = 12;
/** As editors ask of a GPU pool; and what the session of a slow machine would. */
const deadlineMs = 500;
/** Nothing is answered from what was shown before: every key is the fleet's. */
const knowsNothing = () => undefined;
const stall = { probability: 0.002, ms: 60 };

export async function benchSchedule(options: ScheduleBenchOptions, deps: Deps): Promise<ScheduleReport> {
  const has = (part: Part) => options.parts.includes(part);
  const fleet = options.parts.some((part) => part !== "decision") ? new Fleets(options, deps) : undefined;
  return {
    ...(has("decision") && {
      decision: benchDecisions({ workers: options.fleet, decisions: options.decisions, signal: deps.signal }),
    }),
    ...(fleet && has("ablation") && { ablation: await fleet.ablation() }),
    ...(fleet && has("overload") && { overload: await fleet.overload() }),
    ...(fleet && has("flood") && { flood: await fleet.flood() }),
    ...(fleet && has("shared") && { shared: await fleet.shared() }),
    ...(fleet && has("leaving") && { leaving: await fleet.leaving() }),
  };
}

class Fleets {
  readonly #options: ScheduleBenchOptions;
  readonly #deps: Deps;
  readonly #sources = ownSources().slice(0, sourcesMax);
  /** People that keep this share of the slots busy, as shipped, by what they do. */
  readonly #sized = new Map<string, number>();

  constructor(options: ScheduleBenchOptions, deps: Deps) {
    this.#options = options;
    this.#deps = deps;
  }

  /** The same crowd with one part off (or the map on) at each load. */
  async ablation() {
    const report: Record<string, unknown> = {};
    for (const [i, load] of this.#options.loads.entries()) {
      const people = await this.#size(load, "typing", i);
      const rows: Record<string, unknown> = { people };
      let base: FleetFigures | undefined;
      for (const name of this.#options.ablations) {
        const run = await this.#run([{ tenant: "default", what: "type", people }], {}, { ...shipped, ...ablations[name] });
        this.#keep(`load ${load} ${name}`, run);
        base ??= run;
        const { first_text_ms, answered_share } = figuresOf(run.records);
        rows[name] = { ...spentOf(run), answered_share, first_text_ms, gpu_ms_against_shipped: share(run.gpuMs / base.gpuMs - 1) };
        this.#deps.say(`load ${load}, ${name}: GPU ${share(run.gpuShare)} %, first text p95 ${first_text_ms.p95} ms`);
      }
      report[`load_${Math.round(load * 100)}`] = rows;
    }
    return report;
  }

  /** Three times the people that nearly fill every slot: half type, half ask by hand, beside chat and batch. */
  async overload() {
    const full = await this.#size(knee, "mixed");
    const report: Record<string, unknown> = {};
    for (const times of [0.5, 1, 3]) {
      const half = Math.round((full * times) / 2);
      const run = await this.#run(crowdsOf("mixed", half * 2, this.#options.workers));
      this.#keep(`overload ${times}`, run);
      const lane = (name: string) => figuresOf(run.records.filter((record) => record.lane === name));
      const figures = { inline: lane("inline"), chat: lane("chat"), batch: lane("batch"), ...spentOf(run) };
      report[`times_${times}`] = { people: half * 2, deadline_ms: deadlineMs, ...figures };
      this.#deps.say(
        `overload ×${times}: ${figures.inline.started_in_time_share} of started inline work in time, ${figures.inline.too_late} too late, after ${figures.inline.too_late_after_ms.p99} ms (p99)`,
      );
    }
    return report;
  }

  /** Two tenants share a fleet at 85 % load; then one of them asks by hand at ten times the pace. */
  async flood() {
    const people = Math.round((await this.#size(0.85)) / 2);
    const quiet: Crowd = { tenant: "quiet", what: "type", people };
    const report: Record<string, unknown> = {};
    for (const [name, crowd] of [
      ["alone", undefined],
      ["beside_a_like", { tenant: "other", what: "type", people }],
      ["beside_a_flood", { tenant: "other", what: "ask", people, haste: 10 }],
    ] as const satisfies readonly (readonly [string, Crowd | undefined])[]) {
      const run = await this.#run(crowd ? [quiet, crowd] : [quiet]);
      this.#keep(`flood ${name}`, run);
      const of = (tenant: string) => figuresOf(run.records.filter((record) => record.tenant === tenant));
      report[name] = { people, quiet: of("quiet"), ...(crowd && { other: of("other") }), ...spentOf(run) };
      this.#deps.say(`flood, ${name}: the quiet tenant's first text p95 ${of("quiet").first_text_ms.p95} ms`);
    }
    return report;
  }

  /** Short sessions that begin with a long text which others begin with too: alike in demand, or most with one of them. */
  async shared() {
    const people = this.#options.workers * sharersPerWorker;
    const report: Record<string, unknown> = {};
    for (const [name, hot] of [
      ["even", 0],
      ["hot", 0.8],
    ] as const) {
      const crowd: Crowd = { tenant: "default", what: "share", people, beginnings: sharedBeginnings, hot };
      const rows: Record<string, unknown> = { people, beginnings: sharedBeginnings };
      for (const [row, switches] of [
        ["as_shipped", shipped],
        ["shared_off", { ...shipped, shared: false }],
        ["map_on", { ...shipped, shared: false, map: true }],
      ] as const) {
        const run = await this.#run([crowd], {}, switches);
        const { answered_share, first_text_ms } = figuresOf(run.records);
        rows[row] = { ...spentOf(run), answers: run.records.length, answered_share, first_text_ms };
        this.#deps.say(
          `shared, ${name}, ${row}: ${spentOf(run).recomputed_tokens_per_answer} prompt tokens an answer, first text p50 ${first_text_ms.p50} p95 ${first_text_ms.p95} ms`,
        );
      }
      report[name] = rows;
    }
    return report;
  }

  /** Every worker replaced in turn, as a rollout does: sessions handed over, none warmed, and taken by surprise. */
  async leaving() {
    const people = await this.#size(0.6);
    const { seconds, workers } = this.#options;
    const report: Record<string, unknown> = { people };
    for (const [name, handOverMs, warmBytes] of [
      ["handed_over", handOverMax, undefined],
      ["not_warmed", handOverMax, 0],
      ["surprise", 0, undefined],
    ] as const) {
      const moves = new Moves();
      const replaced = { everyMs: (seconds * 1_000) / workers, handOverMs, graceMs: leavingMs, awayMs: leavingMs };
      let clock: { now(): number } | undefined;
      const run = await this.#run([{ tenant: "default", what: "type", people }], {
        ...(warmBytes !== undefined && { warmBytes }),
        replaced: {
          ...replaced,
          leaves: (worker) => {
            moves.begin();
            moves.leaves(worker, clock?.now() ?? 0);
          },
        },
        measured: (rooms) => {
          clock = rooms.clock;
          moves.watch(rooms);
        },
      });
      const { answered_share, first_text_ms } = figuresOf(run.records);
      report[name] = { ...moves.figures, answered_share, first_text_ms, ...spentOf(run) };
      this.#deps.say(`leaving, ${name}: ${JSON.stringify(moves.figures)}, first text p95 ${first_text_ms.p95} ms`);
    }
    return report;
  }

  async #size(load: number, mix: Mix = "typing", nth = 0): Promise<number> {
    const given = this.#options.people;
    if (given) return given[Math.min(nth, given.length - 1)] as number;
    const name = `${mix} ${load}`;
    const known = this.#sized.get(name);
    if (known !== undefined) return known;
    const { workers, slots } = this.#options;
    let people = Math.ceil(2.5 * workers * slots * load);
    for (let round = 0; round < sizingRounds; round++) {
      const { usedShare } = await this.#run(crowdsOf(mix, people, workers), { measureMs: sizingMs });
      this.#deps.say(`sizing: ${people} people (${mix}) keep ${share(usedShare)} % of the slots busy`);
      if (Math.abs(usedShare - load) <= closeEnough) break;
      people = Math.max(1, Math.round(people * (1 + (Math.min(1.8, load / Math.max(0.05, usedShare)) - 1) * 0.8)));
    }
    this.#sized.set(name, people);
    return people;
  }

  #keep(name: string, { records: all }: FleetFigures): void {
    for (const { tenant, lane, atMs, outcome, reason, firstTextMs, totalMs, worker } of all)
      this.#deps.records?.add(name, {
        ...{ t_ms: Math.round(atMs), kind: lane, outcome, reason, tenant, worker },
        ...{ first_text_ms: firstTextMs, total_ms: totalMs },
      });
  }

  #run(crowds: readonly Crowd[], given: Partial<FleetOptions> = {}, switches: Switches = shipped): Promise<FleetFigures> {
    const { seed, workers, slots, profile, profileEnd, seconds } = this.#options;
    return fleetRun(
      {
        ...{ seed, workers, slots, profile, profileEnd, crowds, deadlineMs, stall, warmMs },
        ...{ measureMs: seconds * 1_000, lateBinding: switches.lateBinding, oracle: knowsNothing },
        measured: (rooms, random) => switched(rooms, switches, random),
        ...given,
      },
      this.#sources,
      this.#deps.signal,
    );
  }
}

/** Who stands before a fleet: all type, or half type and half ask by hand, beside some who chat and jobs in batch. */
function crowdsOf(mix: Mix, people: number, workers: number): Crowd[] {
  const crowd = (what: Crowd["what"], of: number): Crowd => ({ tenant: "default", what, people: of });
  if (mix === "typing") return [crowd("type", people)];
  const half = Math.round(people / 2);
  return [crowd("type", half), crowd("ask", half), crowd("chat", workers * 2), crowd("batch", workers * 2)];
}

const share = (value: number) => Math.round(value * 1_000) / 10;
