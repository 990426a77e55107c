// bus: signals between processes, at most once, and records that are kept. Never on the path of a trigger: losing it degrades
// signals, not serving. Subjects and their messages are in subjects.ts; `memory.ts` is the bus of one process, `nats.ts` that of
// a cluster.

export interface BusMessage {
  readonly subject: string;
  readonly data: Uint8Array;
}

export interface Subscription extends AsyncIterable<BusMessage>, Disposable {
  /** Messages lost because the reader was slow: the oldest go first. */
  readonly dropped: number;
}

export interface Bus {
  /** Fire and forget. False: not connected, or the send buffer is full; the message is gone. */
  publish(subject: string, data: Uint8Array): boolean;
  /** `pattern` as in NATS: `*` is one token, `>` the rest. */
  subscribe(pattern: string, options: { readonly max: number }): Subscription;
  /** Calls `take` in the tick of a message's arrival, for what cannot wait for a reader; it must be quick and not throw. */
  listen(pattern: string, take: (message: BusMessage) => void): Disposable;
  /** Keeps a record under its id: resolves when it is stored, or was before; rejects when nobody knows whether it is. */
  append(subject: string, data: Uint8Array, id: string): Promise<void>;
  readonly connected: boolean;
  /** Others may be on it: signals between routers have somebody to hear them. */
  readonly shared: boolean;
  close(): Promise<void>;
}

export function matches(pattern: string, subject: string): boolean {
  const want = pattern.split(".");
  const have = subject.split(".");
  for (const [i, token] of want.entries()) {
    if (token === ">") return have.length > i;
    if (have[i] === undefined || (token !== "*" && token !== have[i])) return false;
  }
  return want.length === have.length;
}
