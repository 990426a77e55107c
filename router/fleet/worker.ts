// worker: one worker as the fleet knows it, and as others see it: what its link said, what was booked here since, what was learned
// of its pace.
import { Ewma } from "../../lib/structures/ewma.ts";
import { type Lane, lanes, type ServedModel, type WorkerView } from "../completion.ts";
import { InUse } from "./in-use.ts";

/** What a worker says of itself when a link is made. */
export interface WorkerProfile {
  readonly name: string;
  readonly pool: string;
  readonly engine: string;
  /** Of its pool's template; "", absent: not known. */
  readonly revision?: string;
  readonly slots: number;
  /** It takes work only after it was sent so many, or as many as there are; 0, absent: at once. */
  readonly wantsPrefixes?: number;
  readonly models: readonly Omit<ServedModel, "prefillTokensPerSecond">[];
}

export interface WorkerLoad {
  readonly running: number;
  readonly prefillTokensPerSecond: number;
  readonly stepMs: number;
  readonly prefillBacklogTokens: number;
  readonly speculation?: NonNullable<WorkerView["speculation"]>;
}

export type PerLane = Readonly<Record<Lane, number>>;

export interface Known {
  readonly profile: WorkerProfile;
  readonly joinedMs: number;
  credits: PerLane;
  load: WorkerLoad;
  loadMs: number;
  bookedTokens: number;
  draining: boolean;
  /** It said that it will drain, and serves on what it holds. */
  leaving: boolean;
  /** Of what ran there when the load was said, what this router knows nothing of: other routers'. */
  foreign: number;
  /** For people: what is asked ahead of them does not count. */
  readonly inUse: InUse;
  readonly booked: Record<Lane, number>;
  readonly service: Readonly<Record<Lane, Ewma>>;
  readonly tokenMs: Ewma;
  /** When that was measured. */
  pacedMs: number;
  /** Its place in the roster; -1: another link of the same worker is newer. */
  index: number;
}

export const none: PerLane = { inline: 0, chat: 0, speculative: 0, batch: 0 };
const noLoad: WorkerLoad = { running: 0, prefillTokensPerSecond: 0, stepMs: 0, prefillBacklogTokens: 0 };

const halfLifeMs = 10_000;
/** The last five seconds count for a half: longer than the pauses of one person, sooner than a morning's crowd comes. */
const useHalfLifeMs = 5_000;
export const perLane = <T>(make: () => T): Record<Lane, T> => ({
  inline: make(),
  chat: make(),
  speculative: make(),
  batch: make(),
});
export const ewma = () => new Ewma({ halfLifeMs });

export function newWorker(profile: WorkerProfile, joinedMs: number): Known {
  return {
    ...{ profile, joinedMs, credits: none, load: noLoad, loadMs: joinedMs, bookedTokens: 0, draining: false, leaving: false },
    ...{ foreign: 0, inUse: new InUse({ halfLifeMs: useHalfLifeMs }) },
    ...{ booked: { ...none }, service: perLane(ewma), tokenMs: ewma(), pacedMs: Number.NEGATIVE_INFINITY, index: -1 },
  };
}

export const outstandingOf = ({ booked }: Pick<Known, "booked">) => booked.inline + booked.chat + booked.speculative + booked.batch;

/** After a booking, a release or a load. What others run is taken for people's. */
export function noteUse(known: Known, now: number): void {
  known.inUse.runs(known.foreign > 0 || outstandingOf(known) > known.booked.speculative, now);
}

/** Does it serve this model or pool ("": any)? */
function serves({ profile }: Pick<Known, "profile">, model: string): boolean {
  return model === "" || profile.pool === model || profile.models.some(({ name }) => name === model);
}

export function viewOf(known: Known, leases: number): WorkerView {
  const { profile, load, credits, booked, service } = known;
  const free = { ...none };
  for (const lane of lanes) free[lane] = Math.max(0, credits[lane] - booked[lane]);
  return {
    name: profile.name,
    pool: profile.pool,
    models: profile.models.map((model) => ({ ...model, prefillTokensPerSecond: load.prefillTokensPerSecond })),
    slots: profile.slots,
    draining: known.draining,
    leaving: known.leaving,
    free,
    outstanding: outstandingOf(known),
    held: { ...booked },
    running: load.running,
    prefillTokensPerSecond: load.prefillTokensPerSecond,
    stepMs: load.stepMs,
    prefillBacklogTokens: load.prefillBacklogTokens,
    bookedTokens: known.bookedTokens,
    loadMs: known.loadMs,
    serviceMs: {
      inline: service.inline.value(0),
      chat: service.chat.value(0),
      speculative: service.speculative.value(0),
      batch: service.batch.value(0),
    },
    tokenMs: known.tokenMs.value(0),
    pacedMs: known.pacedMs,
    leases,
    joinedMs: known.joinedMs,
    ...(load.speculation ? { speculation: load.speculation } : {}),
  };
}

/** Share of late time in which those that serve a model or pool ("": any) had work for people, in the mean. */
export function shareInUse(roster: readonly Known[], model: string, now: number): number {
  const shares = roster.filter((known) => !known.draining && serves(known, model)).map(({ inUse }) => inUse.share(now));
  return shares.length === 0 ? 0 : shares.reduce((sum, share) => sum + share, 0) / shares.length;
}
