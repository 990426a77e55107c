// policies: how routers before OpenAI-compatible servers choose a worker, as they document it, for virtual time: the request and
// the requests under way at each worker in, the index of a worker out. Memory is bounded where the real ones' is: `treeUtf16Max`.
import { createHash } from "node:crypto";
import { below, type Random } from "../../lib/random.ts";
import type { Ask } from "./endpoint.ts";
import { TextTree } from "./text-tree.ts";

export const policyNames = ["direct", "least_request", "ring_hash", "cache_aware", "spill"] as const;
export type PolicyName = (typeof policyNames)[number];

/** Requests that each worker has under way, as the router counts them itself. */
export type Picks = (ask: Pick<Ask, "prompt" | "session">, active: readonly number[]) => number;

export const policies: Readonly<Record<PolicyName, (workers: number, random: Random) => Picks>> = {
  direct: (workers) => (ask) => numberOf(ask.session) % workers,
  least_request: (_, random) => (_ask, active) => leastOfTwo(active, random),
  ring_hash: (workers) => ringHash(workers),
  cache_aware: (workers) => cacheAware(workers),
  spill: (workers) => spill(workers),
};

/** Nobody between: each developer's editor is given a worker, as many developers to each. */
const numberOf = (session: string) => Number(/\d+$/.exec(session)?.[0] ?? 0);

/** Envoy's least request with equal weights: two at random, the one with less under way (choice_count 2). */
function leastOfTwo(active: readonly number[], random: Random): number {
  const [a, b] = [below(random, active.length), below(random, active.length)];
  return (active[a] as number) <= (active[b] as number) ? a : b;
}

/** Points of each worker on the ring: Envoy's least ring of 1,024 over four. */
const pointsOfWorker = 256;

function ringHash(workers: number): Picks {
  const ring = Array.from({ length: workers * pointsOfWorker }, (_, i) => ({
    at: hashOf(`worker${i % workers}_${Math.floor(i / workers)}`),
    worker: i % workers,
  })).sort((a, b) => a.at - b.at);
  return ({ session }) => {
    const at = hashOf(session);
    return (ring.find((point) => point.at >= at) ?? ring[0])?.worker ?? 0;
  };
}

const hashOf = (text: string) => createHash("md5").update(text).digest().readUInt32LE(0);

const cacheAwareSettings = { matchMin: 0.5, balanceAbsolute: 8, balanceRelative: 1.2 } as const;
/** As vllm-router's own default; SMG's is twice that, for all workers together. */
const treeUtf16Max = 32 << 20;

/**
 * vllm-router's cache-aware policy: where load is out of balance, the least loaded; else the worker whose own tree of earlier
 * requests matches the longest share of the prompt, if it matches enough; else the one with the smallest tree.
 */
function cacheAware(workers: number): Picks {
  const { matchMin, balanceAbsolute, balanceRelative } = cacheAwareSettings;
  return matching(workers, matchMin, (active, worker, trees) => {
    const [low, high] = [Math.min(...active), Math.max(...active)];
    if (high - low > balanceAbsolute && high > low * balanceRelative) return least(active);
    return worker ?? least(trees.map(({ utf16 }) => utf16));
  });
}

const spillSettings = { matchMin: 0.3, absolute: 64, relative: 1.5, swings: 2, absoluteMin: 4 } as const;

/**
 * SMG's: the matching worker, unless its load is above the mean by a margin, two standard deviations of requests that come at
 * random but never under four, and above one and a half times the mean: then the least loaded.
 */
function spill(workers: number): Picks {
  const { matchMin, absolute, relative, swings, absoluteMin } = spillSettings;
  return matching(workers, matchMin, (active, worker) => {
    const average = active.reduce((sum, each) => sum + each, 0) / active.length;
    const margin = Math.min(absolute, Math.max(absoluteMin, swings * Math.sqrt(average)));
    const load = worker === undefined ? 0 : (active[worker] as number);
    return worker === undefined || (load > average + margin && load > average * relative) ? least(active) : worker;
  });
}

const least = (of: readonly number[]) => of.indexOf(Math.min(...of));

function matching(
  workers: number,
  matchMin: number,
  choose: (active: readonly number[], matched: number | undefined, trees: readonly TextTree[]) => number,
): Picks {
  const trees = Array.from({ length: workers }, () => new TextTree({ utf16Max: treeUtf16Max }));
  return ({ prompt }, active) => {
    const matches = trees.map((tree) => tree.match(prompt));
    const best = Math.max(...matches);
    const worker = choose(active, best / prompt.length > matchMin ? matches.indexOf(best) : undefined, trees);
    trees[worker]?.add(prompt);
    return worker;
  };
}
