// machine: how busy the machine was while a round ran, all programs together: beyond `busyMax` what is measured is the wait for a
// core, and the round is not valid.
import { cpus } from "node:os";

export const busyMax = 0.7;

const read = () =>
  cpus().reduce(
    ({ busy, all }, { times }) => {
      const worked = times.user + times.nice + times.sys + times.irq;
      return { busy: busy + worked, all: all + worked + times.idle };
    },
    { busy: 0, all: 0 },
  );

/** Begins now; what is returned says the share of all cores that was in use since. */
export function busyMeter(): () => number {
  const before = read();
  return () => {
    const after = read();
    return (after.busy - before.busy) / Math.max(1, after.all - before.all);
  };
}
