// machine: how busy the machine was while a round ran, all programs together: beyond `busyMax` what is measured is the wait for a
// core, and the round is not valid. A round waits for its turn until others leave it room, for a bounded time.
import { cpus } from "node:os";
import type { Clock } from "../../lib/clock.ts";

export const busyMax = 0.7;

const [calmShare, sampleMs, waitMsMax] = [0.3, 1_500, 60_000];

interface Times {
  readonly busy: number;
  readonly all: number;
}

const read = (): Times =>
  cpus().reduce(
    ({ busy, all }, { times }) => {
      const worked = times.user + times.nice + times.sys + times.irq;
      return { busy: busy + worked, all: all + worked + times.idle };
    },
    { busy: 0, all: 0 },
  );

/** Begins now; what is returned says the share of all cores that was in use since. */
export function busyMeter(reads: () => Times = read): () => number {
  const before = reads();
  return () => {
    const after = reads();
    return (after.busy - before.busy) / Math.max(1, after.all - before.all);
  };
}

interface Deps {
  readonly clock: Clock;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
  readonly reads?: () => Times;
}

/** Asked while nothing is measured: whatever is busy then is somebody else. Waits until that is little, or for so long in vain. */
export async function calm({ clock, say, signal, reads = read }: Deps): Promise<void> {
  for (let waitedMs = 0; ; waitedMs += sampleMs) {
    const meter = busyMeter(reads);
    await clock.sleep(sampleMs, signal);
    const busy = meter();
    if (busy <= calmShare || waitedMs >= waitMsMax) return;
    if (waitedMs === 0)
      say(`other programs have the machine ${(100 * busy).toFixed(0)} % busy: waiting for up to ${waitMsMax / 1_000} s`);
  }
}
