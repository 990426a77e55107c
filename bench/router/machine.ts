// machine: who had the machine while a row was measured, and whether the row says anything of the router: on cores that client,
// workers and other programs fill, what a router adds is the wait for a core.
import { cpus } from "node:os";
import { processorMs, systemClock } from "../../lib/clock.ts";

/** Of all cores. */
export interface MachineShare {
  readonly cores: number;
  readonly router: number;
  readonly workers: number;
  readonly client: number;
  /** Of programs that are no part of the bench. */
  readonly others: number;
}

interface Run {
  readonly asked: number;
  readonly answered: number;
  /** Median of what went straight to a worker, and what that takes where nothing waits for a core. */
  readonly direct: number;
  readonly floorMs: number;
}

/** Beyond so much of the machine, generations wait for a core. */
const busyMax = 0.9;
const othersMax = 0.1;
const answeredMin = 0.98;
/** Timers, loopback and a step of the worker. */
const directOverMs = 6;

const busyMs = () => cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0);
const round = (share: number) => Math.round(share * 1_000) / 1_000;

/** Begins now; what is returned ends it. */
export function machineMeter(): (of: { readonly router: number; readonly workers: number }) => MachineShare {
  const [sinceMs, ownMs, allMs] = [systemClock.now(), processorMs(), busyMs()];
  return ({ router, workers }) => {
    const cores = cpus().length;
    const of = (ms: number) => round(ms / (cores * (systemClock.now() - sinceMs)));
    const client = processorMs() - ownMs;
    const others = Math.max(0, busyMs() - allMs - router - workers - client);
    return { cores, router: of(router), workers: of(workers), client: of(client), others: of(others) };
  };
}

export function sharesOf({ cores, router, workers, client, others }: MachineShare): string {
  const percent = (share: number) => `${Math.round(share * 100)} %`;
  return `of ${cores} cores: router ${percent(router)}, client ${percent(client)}, workers ${percent(workers)}, others ${percent(others)}`;
}

export function doubtsOf({ asked, answered, direct, floorMs }: Run, share: MachineShare): string[] {
  const doubts: string[] = [];
  const busy = share.router + share.workers + share.client + share.others;
  if (busy > busyMax)
    doubts.push(`the machine is full (${sharesOf(share)}): client and workers take the cores that the router would need`);
  if (share.others > othersMax) doubts.push(`other programs take ${Math.round(share.others * 100)} % of the machine`);
  if (answered < asked * answeredMin) doubts.push(`${asked - answered} of ${asked} did not end in text`);
  if (direct > floorMs + directOverMs)
    doubts.push(`a worker alone takes ${direct} ms where ${floorMs} are its own: client or workers are late themselves`);
  return doubts;
}
