// subjects: every subject name on the bus, with the message of proto/slipstream/v1/fleet.proto that travels there.

/** A name as one subject token: NATS gives `.`, `*`, `>` and spaces a meaning. */
const token = (name: string) => name.replace(/[^A-Za-z0-9_-]/g, "_") || "_";

const root = "slipstream.v1.";
const rootTokens = 2;

/** A subject of one part of those that share the bus: `slipstream.v1.SPACE.…`. */
export const inSpace = (space: string, subject: string): string =>
  subject.startsWith(root) ? `${root}${token(space)}.${subject.slice(root.length)}` : subject;

export const outOfSpace = (subject: string): string => {
  const tokens = subject.split(".");
  return [...tokens.slice(0, rootTokens), ...tokens.slice(rootTokens + 1)].join(".");
};

/** Of a subject that a pattern of `spaces` let through; "": it is of none. */
export const spaceOf = (subject: string): string => {
  const tokens = subject.split(".");
  return tokens.length === rootTokens + 3 ? (tokens[rootTokens] ?? "") : "";
};

/** A pattern as it is, and of every space. */
export const everySpace = (pattern: string): readonly [string, string] => [pattern, `${root}*.${pattern.slice(root.length)}`];

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
  /** LeaveRequest, to one worker. */
  leave: (worker: string) => `slipstream.v1.leave.${token(worker)}`,
  /** OutcomeBatch. */
  outcomes: (router: string) => `slipstream.v1.outcomes.${token(router)}`,
  allOutcomes: "slipstream.v1.outcomes.*",
} as const;
