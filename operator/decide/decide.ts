// decide: what is seen of an object in, a verdict out: how many workers of which revision, what holds and what does not, and why.
// Pure: takes the time as a number, touches nothing, and can be asked again.
export { decideCache } from "./cache.ts";
export { decidePool } from "./pool.ts";
export { decideService } from "./service.ts";
