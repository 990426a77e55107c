// clock: the only source of time. Everything that waits or measures takes a Clock; tests and the simulation bring
// `FakeClock` (clock.fake.ts), which moves only when told to.

/** Time of one process. Milliseconds everywhere. */
export interface Clock {
  /** Monotonic milliseconds with fractions; only differences mean something. */
  now(): number;
  /** Milliseconds since the Unix epoch, for records that leave the process. */
  wall(): number;
  /** Calls `fire` once after `ms`; dispose to take it back. Never keeps the process alive. */
  timer(ms: number, fire: () => void): Disposable;
  /** Resolves after `ms`; rejects with the signal's reason when it aborts first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** Waits on any clock that has timers: the one implementation of `sleep`, shared with the fake. */
export function sleepOn(clock: Pick<Clock, "timer">, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason as Error);
    const timer = clock.timer(ms, () => {
      signal?.removeEventListener("abort", stop);
      resolve();
    });
    const stop = () => {
      timer[Symbol.dispose]();
      reject(signal?.reason as Error);
    };
    signal?.addEventListener("abort", stop, { once: true });
  });
}

/** Longest time a machine timer can hold; anything longer would fire at once. */
const timerMsMax = 2 ** 31 - 1;

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  timer(ms, fire) {
    let handle: NodeJS.Timeout;
    const arm = (left: number) => {
      const part = Math.min(left, timerMsMax);
      handle = setTimeout(() => (part < left ? arm(left - part) : fire()), part);
      handle.unref();
    };
    arm(ms);
    return { [Symbol.dispose]: () => clearTimeout(handle) };
  },
  sleep(ms, signal) {
    return sleepOn(systemClock, ms, signal);
  },
};

/** Monotonic milliseconds that are the same in all processes of this machine: for measuring between them. */
export function machineMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** What this process has had of the processor, in milliseconds: other processes do not add to it. */
export function processorMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

/** Wall-clock milliseconds of a day or time as people write it; NaN: there is none. */
export const wallOf = (text: string): number => Date.parse(text);

/** The same as machines write it: "2026-11-26T09:53:14.000Z". */
export const writtenTime = (wallMs: number): string => new Date(wallMs).toISOString();

/** For libraries that take no number. */
export const dateOf = (wallMs: number): Date => new Date(wallMs);

/** Keeps the process alive until disposed: for a command that waits on nothing but the clock, whose timers do not. */
export function keepAlive(): Disposable {
  const handle = setInterval(() => {}, 0x7fff_ffff);
  return { [Symbol.dispose]: () => clearInterval(handle) };
}
