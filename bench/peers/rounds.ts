// rounds: the sides of one cell measured on this machine, round after round, a few sides at a time; what ends is kept, and what is
// kept is not run again. A round waits for others to leave the machine; one during which it was too busy is said, run once more, and
// else marked.
import { systemClock } from "../../lib/clock.ts";
import type { ProfileEnd, ProfileName } from "../../workers/engine/simulated/profiles.ts";
import { type Figures, type FleetOptions, figuresOf } from "./fleet.ts";
import { busyMax, busyMeter, calm } from "./machine.ts";
import { type Machine, type Side, startSide } from "./sides.ts";
import type { State } from "./state.ts";

export interface Cell {
  readonly profile: ProfileName;
  readonly end: ProfileEnd;
  readonly agreement: number;
}

/** Of every round. */
export interface Sizes {
  readonly people: number;
  readonly workers: number;
  readonly slots: number;
  readonly maxTokens: number;
  /** In the time of the workers. */
  readonly warmupSeconds: number;
  readonly seconds: number;
}

export interface RoundsOptions extends Sizes {
  readonly seed: number;
  readonly rounds: number;
  /** At a round during which the machine may be too busy. */
  readonly attempts: number;
  /** Sides at once. */
  readonly lanes: number;
  readonly dilation: number;
}

export interface Round {
  readonly figures: Figures;
  /** Of all cores, by all programs. */
  readonly busy: number;
  readonly valid: boolean;
}

interface Deps {
  readonly machine: Machine;
  readonly state: State;
  readonly sources: FleetOptions["sources"];
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

export const nameOf = ({ name, editor }: Side): string => `${name} / ${editor}`;

/** By side: its rounds. */
export async function measureCell(
  cell: Cell,
  sides: readonly Side[],
  options: RoundsOptions,
  deps: Deps,
): Promise<Map<Side, Round[]>> {
  const found = new Map<Side, Round[]>(sides.map((side) => [side, []]));
  let done = 0;
  for (let nth = 0; nth < options.rounds; nth++) {
    // Whoever is first in one round is not in the next.
    const turned = [...sides.slice((nth * 5) % sides.length), ...sides.slice(0, (nth * 5) % sides.length)];
    const open = turned.filter((side) => !deps.state.has(keyOf(cell, side, nth, options)));
    done += turned.length - open.length;
    for (let at = 0; at < open.length; at += options.lanes) {
      const together = open.slice(at, at + options.lanes);
      const rounds = await lane(cell, together, nth, options, deps);
      done += together.length;
      for (const [i, side] of together.entries()) {
        const { figures, busy, valid } = rounds[i] as Round;
        deps.state.keep(keyOf(cell, side, nth, options), rounds[i]);
        deps.say(
          `round ${nth + 1} of ${options.rounds}, ${nameOf(side)}: p50 ${figures.p50_ms} p95 ${figures.p95_ms} ms, fresh ${figures.fresh_per_key}, waste ${(100 * figures.waste_share).toFixed(0)} %; machine ${(100 * busy).toFixed(0)} % busy${valid ? "" : ", NOT VALID"} (${done} of ${options.rounds * sides.length})`,
        );
      }
    }
    for (const side of sides) found.get(side)?.push(deps.state.find<Round>(keyOf(cell, side, nth, options)) as Round);
  }
  return found;
}

async function lane(cell: Cell, sides: readonly Side[], nth: number, options: RoundsOptions, deps: Deps): Promise<Round[]> {
  for (let attempt = 1; ; attempt++) {
    await calm({ clock: systemClock, ...deps });
    const { rounds, busy } = await together(cell, sides, nth, options, deps);
    const valid = busy <= busyMax;
    if (valid || attempt === options.attempts) return rounds.map((figures) => ({ figures, busy, valid }));
    deps.say(`the machine was ${(100 * busy).toFixed(0)} % busy, more than ${100 * busyMax} %: once more`);
  }
}

async function together(cell: Cell, sides: readonly Side[], nth: number, options: RoundsOptions, deps: Deps) {
  const { machine, sources, signal } = deps;
  const { warmupSeconds, seconds, seed } = options;
  const fleet: FleetOptions = {
    ...{ ...cell, ...options, sources, seed: seed + nth * 101, startWithinMs: warmupSeconds * 700 },
  };
  const started = await Promise.allSettled(sides.map((side) => startSide(side, fleet, machine, signal)));
  const crowds = started.flatMap((each) => (each.status === "fulfilled" ? [each.value] : []));
  try {
    for (const each of started) if (each.status === "rejected") throw each.reason;
    await Promise.all(crowds.map((crowd) => crowd.pass(warmupSeconds * 1_000, signal)));
    await Promise.all(crowds.map((crowd) => crowd.take()));
    const meter = busyMeter();
    await Promise.all(crowds.map((crowd) => crowd.pass(seconds * 1_000, signal)));
    const busy = meter();
    return { busy, rounds: await Promise.all(crowds.map(async (crowd) => figuresOf(await crowd.take()))) };
  } finally {
    await Promise.all(crowds.map((crowd) => crowd.end()));
  }
}

function keyOf(cell: Cell, side: Side, nth: number, options: RoundsOptions): object {
  const { people, workers, slots, maxTokens, warmupSeconds, seconds, seed, dilation } = options;
  const sizes = { people, workers, slots, maxTokens, warmupSeconds, seconds, seed, dilation };
  return { kind: "round", ...cell, ...side, nth, ...sizes };
}
