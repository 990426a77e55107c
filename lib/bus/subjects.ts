// subjects: every subject name on the bus, with the message of proto/slipstream/v1/fleet.proto that travels there.

/** A name as one subject token: NATS gives `.`, `*`, `>` and spaces a meaning. */
const token = (name: string) => name.replace(/[^A-Za-z0-9_-]/g, "_") || "_";

export const subjects = {
  /** PoolLoad, each second, from each router. */
  poolLoad: (pool: string) => `slipstream.v1.load.${token(pool)}`,
  allLoads: "slipstream.v1.load.*",
  /** LeaseException, of every pool. */
  lease: "slipstream.v1.lease",
  /** Supersede; sessions are spread over shards so that a router reads only those it serves. */
  supersede: (shard: number) => `slipstream.v1.supersede.${shard}`,
  /** WorkerAnnouncement. */
  worker: (worker: string) => `slipstream.v1.worker.${token(worker)}`,
  allWorkers: "slipstream.v1.worker.*",
  /** OutcomeBatch. */
  outcomes: (router: string) => `slipstream.v1.outcomes.${token(router)}`,
  allOutcomes: "slipstream.v1.outcomes.*",
} as const;
