// keys: `slipstream bench keys`: typists, a router and simulated workers, each a process of its own on loopback. Options in, the
// report out: waste, aborts, recomputed tokens, answers without a generation, what the router costs; and the same with one
// mechanism off at a time. docs/operations/bench-keys.md defines every figure.

import type { Trace } from "../../sim/trace/trace.ts";
import type { ProfileEnd, ProfileName } from "../../workers/engine/simulated/profiles.ts";
import type { Records, TriggerRecord } from "../records/records.ts";
import { type Figures, figuresOf, wasteCauses } from "./measure.ts";
import { type ManySessions, manySessions } from "./sessions.ts";
import { Stand, type StandOptions, type Typing } from "./stand.ts";
import { type Ablation, ablations, allOn } from "./switches.ts";
import { VirtualStand } from "./virtual-stand.ts";

export { profileEnds, profileNames } from "../../workers/engine/simulated/profiles.ts";

export const parts = ["ablations", "ends", "agreements", "built_in", "sessions"] as const;
export type Part = (typeof parts)[number];
/** They measure processes. */
export const realParts: readonly Part[] = ["built_in", "sessions"];

export interface KeysOptions {
  readonly profile: ProfileName;
  readonly profileEnd: ProfileEnd;
  /** Share of all slots in use that the crowd is sized for. */
  readonly load: number;
  readonly seed: number;
  readonly seconds: number;
  readonly workers: number;
  readonly slots: number;
  readonly agreement: number;
  /** So many type in every run; absent: the crowd is sized for the load. */
  readonly people?: number;
  /** What is measured besides the run as shipped. */
  readonly parts: readonly Part[];
  readonly ablations: readonly Ablation[];
  readonly sessions: number;
  readonly chunkMs?: number;
  readonly profileCpu?: string;
  /** In one process under a clock of its own, instead of processes on this machine. */
  readonly virtual: boolean;
  /** What is typed instead of this package's sources. */
  readonly traces?: readonly Trace[];
}

interface Deps {
  readonly records?: Records;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

export interface KeysReport {
  readonly main: Figures;
  readonly ablations: Partial<Record<Ablation, Figures>>;
  /** The main run again, sized anew, at both ends of the profile. */
  readonly ends: Partial<Record<ProfileEnd, Figures>>;
  /** The same crowd, by the share of lines that the model knows. */
  readonly agreements: Readonly<Record<string, Figures>>;
  /** Typed against the model that is shipped. */
  readonly builtIn?: Figures;
  readonly sessions?: ManySessions;
}

/** After a crowd has changed, and after it has come to workers that hold nothing of it: first prompts are computed whole. */
const settleSeconds = 5;
const coldSeconds = 20;
const sizingSeconds = 6;
const sizingRounds = 5;
/** Near enough to the load asked for. */
const closeEnough = 0.03;
const firstGuess = 2.5;
export const peopleMax = 2_000;
/** A client that waits so long for its own processor measures itself. */
const delayMaxMs = 60;
const agreements = [0.15, 0.3, 0.45];
const builtInPeople = 2;
const sessionSeconds = 60;
const sessionSlots = 16;
/** Of the clock that the run goes by. */
const progressMs = 10_000;

export async function benchKeys(options: KeysOptions, deps: Deps): Promise<KeysReport> {
  const wanted = new Set(options.parts);
  const { signal, say } = deps;
  const tell = (name: string, figures: Figures) => {
    measuring = undefined;
    say(line(name, figures));
    return figures;
  };
  /** Which run's triggers are kept, once it is warm, and when it began on its own clock. */
  let measuring: { readonly run: string; sinceMs?: number } | undefined;
  const recorded = (record: TriggerRecord) => {
    if (!measuring) return;
    measuring.sinceMs ??= record.t_ms;
    deps.records?.add(measuring.run, { ...record, t_ms: Math.round(record.t_ms - measuring.sinceMs) });
  };
  const warm = (run: string) => {
    measuring = { run };
  };
  const on = <T>(given: Partial<StandOptions>, work: (stand: Typing) => Promise<T>) => {
    const made = { ...options, switches: allOn, ...(deps.records?.wanted && { recorded }), ...given };
    return standing(options.virtual ? VirtualStand.start(made) : Stand.start(made, signal), work);
  };
  const again = (name: string, given: Partial<StandOptions>, people: number) =>
    on(given, async (stand) =>
      tell(name, await window(stand, people, options.seconds, deps, { warmup: coldSeconds, warm: () => warm(name) })),
    );
  const sized = (name: string, given: Partial<StandOptions>) =>
    options.people === undefined
      ? on(given, async (stand) => {
          const people = await size(stand, options, deps);
          return tell(name, await window(stand, people, options.seconds, deps, { warmup: settleSeconds, warm: () => warm(name) }));
        })
      : again(name, given, options.people);
  const main = await sized("as shipped", {});
  const without: Partial<Record<Ablation, Figures>> = {};
  for (const name of wanted.has("ablations") ? options.ablations : [])
    without[name] = await again(name, { switches: { ...allOn, ...ablations[name] } }, main.sessions);
  const ends: Partial<Record<ProfileEnd, Figures>> = {};
  for (const end of wanted.has("ends") ? (["slow", "fast"] as const) : [])
    ends[end] = await sized(`${end} end`, { profileEnd: end });
  const byAgreement: Record<string, Figures> = { [options.agreement]: main };
  for (const agreement of wanted.has("agreements") ? agreements : [])
    byAgreement[agreement] ??= await again(`agreement ${agreement}`, { agreement }, main.sessions);
  const builtIn = wanted.has("built_in")
    ? await again("built-in model", { embedded: true, workers: 1, slots: 2 }, builtInPeople)
    : undefined;
  const sessions = wanted.has("sessions")
    ? await standing(Stand.start({ ...options, switches: allOn, slots: sessionSlots }, signal), (stand) =>
        manySessions(stand, { sessions: options.sessions, seconds: sessionSeconds, seed: options.seed }, deps),
      )
    : undefined;
  return { main, ablations: without, ends, agreements: byAgreement, ...(builtIn && { builtIn }), ...(sessions && { sessions }) };
}

async function standing<S extends Typing, T>(starting: Promise<S>, work: (stand: S) => Promise<T>): Promise<T> {
  const stand = await starting;
  try {
    return await work(stand);
  } finally {
    await stand.end();
  }
}

/** As many typists as keep the asked share of slots busy, found by trying. */
async function size(stand: Typing, { load, workers, slots }: KeysOptions, { say, signal }: Deps): Promise<number> {
  let people = Math.ceil(firstGuess * workers * slots);
  for (let round = 1; round <= sizingRounds; round++) {
    stand.crowd(people);
    await stand.pass(settleSeconds * 1_000, signal);
    await stand.take();
    await stand.pass(sizingSeconds * 1_000, signal);
    const { loadShare, clientDelayP99Ms } = await stand.take();
    say(`sizing: ${people} typists keep ${(100 * loadShare).toFixed(0)} % of the slots busy`);
    if (clientDelayP99Ms > delayMaxMs) {
      say(
        `sizing: stopped, this machine has no time left: the typists' own process waits ${clientDelayP99Ms.toFixed(0)} ms for it`,
      );
      break;
    }
    if (Math.abs(loadShare - load) <= closeEnough) break;
    // Waits make the load grow faster than the crowd near the top, and a short look is a rough one: go most of the way.
    const factor = Math.min(1.8, Math.max(0.6, load / Math.max(0.05, loadShare)));
    people = Math.min(peopleMax, Math.max(1, Math.round(people * (1 + (factor - 1) * 0.8))));
  }
  return people;
}

async function window(
  stand: Typing,
  people: number,
  seconds: number,
  { signal, say }: Deps,
  { warmup, warm }: { readonly warmup: number; readonly warm: () => void },
): Promise<Figures> {
  stand.crowd(people);
  await passing(stand, warmup * 1_000, signal, (ms) => say(`${people} typists come to know their workers: ${ms / 1_000} s`));
  await stand.take();
  warm();
  await passing(stand, seconds * 1_000, signal, (ms) => say(`measured: ${ms / 1_000} of ${seconds} s`));
  return figuresOf(await stand.take(), people, stand.violations);
}

/** Time goes by, and is told of now and then. */
async function passing(stand: Typing, ms: number, signal: AbortSignal, told: (ms: number) => void): Promise<void> {
  for (let passed = 0; passed < ms; ) {
    const part = Math.min(progressMs, ms - passed);
    await stand.pass(part, signal);
    passed += part;
    told(passed);
  }
}

function line(name: string, figures: Figures): string {
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
  const { load_share, waste_share, waste_by, waste_kept_share, cold_prompts, answered_share, fresh_share, first_text_ms } = figures;
  const causes = wasteCauses.map((cause) => `${cause} ${(100 * waste_by[cause]).toFixed(1)}`).join(", ");
  return `${name}: load ${percent(load_share)}, waste ${percent(waste_share)} (${causes}; kept ${percent(waste_kept_share)}), ${cold_prompts.wasted} of ${cold_prompts.all} cold prompts in vain, answered ${percent(answered_share)}, fresh ${percent(fresh_share)}, first text p95 ${first_text_ms.p95} ms`;
}
