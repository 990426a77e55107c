// capacity: how many developers one GPU serves: the largest crowd, over the GPUs, whose triggers have text that is of use within
// `goalMs` at p95, found in virtual time (search.ts), with the figures of that crowd. docs/operations/bench-peers.md says what
// counts.
import { type ProfileEnd, type ProfileName, profile } from "../../workers/engine/simulated/profiles.ts";
import type { Switches } from "../keys/switches.ts";
import type { EditorName } from "./editors.ts";
import { type Crowd, type Figures, type FleetOptions, figuresOf, type Taken, together } from "./fleet.ts";
import { type PeerName, peers } from "./peer-table.ts";
import { goalMs } from "./scores.ts";
import { largestServed } from "./search.ts";
import type { Side } from "./sides.ts";
import { peerSources } from "./sources.ts";
import { type Seen, verdictOf } from "./verdict.ts";
import { VirtualFleet } from "./virtual-fleet.ts";
import { VirtualNative } from "./virtual-native.ts";

/** Everything that the answer depends on. */
export interface Question {
  readonly profile: ProfileName;
  readonly end: ProfileEnd;
  readonly agreement: number;
  readonly side: Side;
  readonly gpus: number;
  readonly slots: number;
  readonly maxTokens: number;
  readonly seed: number;
  /** Of our router's mechanisms. */
  readonly switches?: Partial<Switches>;
}

export interface Capacity {
  readonly developers_per_gpu: number;
  /** Of the largest crowd that was served. */
  readonly figures: Figures | null;
}

export interface Near {
  /** Where to begin, in developers a GPU. */
  readonly first: number;
  /** How far to go from there at once. */
  readonly step: number;
  /** Between the largest crowd that is served and the smallest that is not, as a share of the latter. */
  readonly within: number;
}

/** A document's first prompt is computed whole. Ours are shorter, but wait longer to be asked; the same crowd comes to everybody. */
const firstPromptTokens = 2_000;
/** So much longer than that takes, a crowd takes to come. */
const comingSlack = 1.6;
const [settleMs, windowMs, windowMsMax] = [3_000, 10_000, 90_000];
/** Enough for a p95. */
const keysWanted = 500;
const keysPerSecond = 2.1;
/** A crowd is judged so many times in its window, not before the second: what comes in bursts is seen by then. */
const looks = 5;

/** `sees`: what a crowd of that size sees. */
export async function capacityOf(gpus: number, near: Near, sees: (people: number) => Promise<Figures>): Promise<Capacity> {
  let best: Figures | null = null;
  const people = await largestServed(
    async (crowd) => {
      const figures = await sees(crowd);
      const serves = figures.triggers > 0 && figures.p95_ms < goalMs;
      if (serves) best = figures;
      return serves;
    },
    { first: near.first * gpus, step: near.step, max: 1_000 * gpus, within: near.within, triesMax: 12 },
  );
  return { developers_per_gpu: Math.round((people / gpus) * 10) / 10, figures: best };
}

/** A crowd that came, settled, and was measured: for all of its window, or in brief until it is clear whether it is served. */
export async function typed(question: Question, people: number, brief: boolean, signal: AbortSignal): Promise<Figures> {
  const { gpus } = question;
  const { prefillTokensPerSecond } = profile(question.profile, question.end);
  const comingMs = Math.max(3_000, (comingSlack * 1_000 * people * firstPromptTokens) / prefillTokensPerSecond / gpus);
  const crowd = await start(question, people, comingMs);
  const wholeMs = Math.min(windowMsMax, Math.max(windowMs, (keysWanted / people / keysPerSecond) * 1_000));
  try {
    await crowd.pass(comingMs + settleMs, signal);
    await crowd.take();
    const parts: Taken[] = [];
    while (parts.length < looks) {
      await crowd.pass(wholeMs / looks, signal);
      parts.push(await crowd.take());
      if (brief && parts.length > 1 && verdictOf(seenIn(parts))) break;
    }
    return figuresOf(together(parts));
  } finally {
    await crowd.end();
  }
}

function seenIn(parts: readonly Taken[]): Seen {
  const times = parts.flatMap(({ scored }) => scored.latencyMs);
  return { triggers: times.length, late: times.filter((ms) => ms >= goalMs).length };
}

async function start(question: Question, people: number, startWithinMs: number): Promise<Crowd> {
  const { side, gpus, switches } = question;
  const options: FleetOptions = { ...question, people, workers: gpus, startWithinMs, sources: peerSources() };
  if (side.name === "slipstream") return VirtualNative.start({ ...options, ...(switches && { switches }) });
  const { policy } = peers[side.name as PeerName];
  return new VirtualFleet({ ...options, policy, editor: side.editor as EditorName });
}
