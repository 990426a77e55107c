// decide: what is seen of an object in, a verdict out: how many workers of which revision, what holds and what does not, and why.
// Pure: takes the time as a number, touches nothing, and can be asked again.
export { withLengths } from "./by-batch.ts";
export { decideCache } from "./cache.ts";
export { decideCanary } from "./canary.ts";
export { decideGuessing, guessingNothing } from "./guessing.ts";
export { decideLeaving } from "./leaving.ts";
export { decidePool } from "./pool.ts";
export { decideRolloutWay } from "./rollout-way.ts";
export { decideScaling } from "./scaling/scaling.ts";
export { shareScarce } from "./scarce.ts";
export { decideService } from "./service.ts";
export { decideSpeculation } from "./speculation.ts";
