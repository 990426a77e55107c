// capacity: how many developers one GPU serves: the largest crowd, over the GPUs, whose triggers have text that is of use within
// `goalMs` at p95, found in virtual time (search.ts), with the figures of that crowd. docs/operations/bench-peers.md says what
// counts.
import { type ProfileEnd, type ProfileName, profile } from "../../workers/engine/simulated/profiles.ts";
import type { Switches } from "../keys/switches.ts";
import type { EditorName } from "./editors.ts";
import { type Crowd, type Figures, type FleetOptions, figuresOf } from "./fleet.ts";
import { type PeerName, peers } from "./peer-table.ts";
import { goalMs } from "./scores.ts";
import { largestServed } from "./search.ts";
import type { Side } from "./sides.ts";
import { peerSources } from "./sources.ts";
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

/** A document's first prompt is computed whole. */
const firstPromptTokens = 2_000;
/** So much longer than that takes, a crowd takes to come. */
const comingSlack = 1.6;
const [settleMs, windowMs, windowMsMax] = [4_000, 10_000, 90_000];
/** Enough for a p95. */
const keysWanted = 500;
const keysPerSecond = 2.1;

/** `sees`: what a crowd of that size sees; `first`: where to begin, in developers a GPU. */
export async function capacityOf(gpus: number, first: number, sees: (people: number) => Promise<Figures>): Promise<Capacity> {
  let best: Figures | null = null;
  const people = await largestServed(
    async (crowd) => {
      const figures = await sees(crowd);
      const serves = figures.triggers > 0 && figures.p95_ms < goalMs;
      if (serves) best = figures;
      return serves;
    },
    { first: first * gpus, max: 1_000 * gpus, within: 0.06, triesMax: 12 },
  );
  return { developers_per_gpu: Math.round((people / gpus) * 10) / 10, figures: best };
}

/** A crowd that came, settled, and was measured. */
export async function typed(question: Question, people: number, signal: AbortSignal): Promise<Figures> {
  const { gpus } = question;
  const { prefillTokensPerSecond } = profile(question.profile, question.end);
  const comingMs = Math.max(3_000, (comingSlack * 1_000 * people * firstPromptTokens) / prefillTokensPerSecond / gpus);
  const crowd = await start(question, people, comingMs);
  try {
    await crowd.pass(comingMs + settleMs, signal);
    await crowd.take();
    await crowd.pass(Math.min(windowMsMax, Math.max(windowMs, (keysWanted / people / keysPerSecond) * 1_000)), signal);
    return figuresOf(await crowd.take());
  } finally {
    await crowd.end();
  }
}

async function start(question: Question, people: number, startWithinMs: number): Promise<Crowd> {
  const { side, gpus, switches } = question;
  const options: FleetOptions = { ...question, people, workers: gpus, startWithinMs, sources: peerSources() };
  if (side.name === "slipstream") return VirtualNative.start({ ...options, ...(switches && { switches }) });
  const { policy } = peers[side.name as PeerName];
  return new VirtualFleet({ ...options, policy, editor: side.editor as EditorName });
}
