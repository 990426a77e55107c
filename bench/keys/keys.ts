// keys: `slipstream bench keys`: typists, a router and simulated workers, each a process of its own on loopback. Options in, the
// report out: waste, aborts, recomputed tokens, answers without a generation, what the router costs; and the same with one
// mechanism off at a time. docs/operations/bench-keys.md defines every figure.
import { systemClock } from "../../lib/clock.ts";
import type { ProfileEnd, ProfileName } from "../../workers/engine/simulated/profiles.ts";
import { type Figures, figuresOf } from "./measure.ts";
import { Stand, type StandOptions } from "./stand.ts";
import { type Ablation, ablations, allOn } from "./switches.ts";

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
  readonly ablations: readonly Ablation[];
  readonly chunkMs?: number;
  readonly profileCpu?: string;
}

export interface KeysDeps {
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

export interface KeysReport {
  readonly main: Figures;
  readonly ablations: Partial<Record<Ablation, Figures>>;
}

const settleSeconds = 4;
const sizingSeconds = 5;
const sizingRounds = 5;
/** Near enough to the load asked for. */
const closeEnough = 0.03;
const firstGuess = 40;
const peopleMax = 2_000;

export async function benchKeys(options: KeysOptions, deps: KeysDeps): Promise<KeysReport> {
  const main = await onStand(options, {}, deps, async (stand) => {
    const people = await size(stand, options, deps);
    return window(stand, people, options.seconds, deps);
  });
  deps.say(line("as shipped", main));
  const without: Partial<Record<Ablation, Figures>> = {};
  for (const name of options.ablations) {
    without[name] = await onStand(options, ablations[name], deps, (stand) => window(stand, main.sessions, options.seconds, deps));
    deps.say(line(name, without[name] as Figures));
  }
  return { main, ablations: without };
}

async function onStand<T>(
  options: KeysOptions,
  switches: Partial<StandOptions["switches"]>,
  { signal }: KeysDeps,
  work: (stand: Stand) => Promise<T>,
): Promise<T> {
  const stand = await Stand.start({ ...options, switches: { ...allOn, ...switches } }, signal);
  try {
    return await work(stand);
  } finally {
    await stand.end();
  }
}

/** As many typists as keep the asked share of slots busy, found by trying. */
async function size(stand: Stand, { load }: KeysOptions, { say, signal }: KeysDeps): Promise<number> {
  let people = firstGuess;
  for (let round = 1; round <= sizingRounds; round++) {
    stand.crowd(people);
    await systemClock.sleep(settleSeconds * 1_000, signal);
    await stand.take();
    await systemClock.sleep(sizingSeconds * 1_000, signal);
    const { loadShare } = await stand.take();
    say(`sizing: ${people} typists keep ${(100 * loadShare).toFixed(0)} % of the slots busy`);
    if (Math.abs(loadShare - load) <= closeEnough) break;
    // Waits make the load grow faster than the crowd near the top.
    const factor = Math.min(2, Math.max(0.6, load / Math.max(0.05, loadShare)));
    people = Math.min(peopleMax, Math.max(1, Math.round(people * (1 + (factor - 1) * 0.9))));
  }
  return people;
}

async function window(stand: Stand, people: number, seconds: number, { signal }: KeysDeps): Promise<Figures> {
  stand.crowd(people);
  await systemClock.sleep(settleSeconds * 1_000, signal);
  await stand.take();
  await systemClock.sleep(seconds * 1_000, signal);
  return figuresOf(await stand.take(), people);
}

function line(name: string, { load_share, waste_share, answered_without_generation_share, fresh_share }: Figures): string {
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
  return `${name}: load ${percent(load_share)}, waste ${percent(waste_share)}, answered without a generation ${percent(answered_without_generation_share)}, fresh ${percent(fresh_share)}`;
}
