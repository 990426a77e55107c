// router: triggers, models, workers and metrics for tests of the router's rooms, ordinary in all that a test does not name.

import {
  type FleetView,
  type Lane,
  lanes,
  type Retired,
  type Sampling,
  type ServedModel,
  type Trigger,
  type WorkerView,
} from "../../router/completion.ts";
import { PlainText } from "../../router/cursor-text.ts";
import { routerMetricTable } from "../../router/metrics.ts";
import { RecordedMetrics } from "../../sim/recorded-metrics.ts";

export const greedy: Sampling = {
  maxTokens: 64,
  temperature: 0,
  topP: 1,
  topK: 0,
  seed: undefined,
  stop: [],
  speculation: "auto",
};

/** A trigger at the `|` of `code`, with a signal of its own. `released` counts how often it was given back. */
export function triggerAt(code: string, given: Partial<Trigger> = {}): Trigger & { readonly released: () => number } {
  const cursor = code.indexOf("|");
  if (cursor < 0) throw new Error("the code has no cursor");
  const controller = new AbortController();
  let released = 0;
  const receivedMs = given.receivedMs ?? 1_000;
  return {
    id: "t1",
    tenant: "default",
    session: "default/s1",
    document: "default/s1 d1",
    kind: "auto",
    lane: "inline",
    shape: "auto",
    path: "src/a.ts",
    language: "typescript",
    text: new PlainText(code.slice(0, cursor), code.slice(cursor + 1)),
    snippets: [],
    neighbours: [],
    model: "",
    sampling: greedy,
    n: 1,
    origin: "typed",
    acceptProbability: undefined,
    selected: undefined,
    indent: undefined,
    stream: false,
    stateless: false,
    previousKeyMs: undefined,
    deadlineMs: receivedMs + 500,
    signal: controller.signal,
    retire: (retired: Retired) => {
      if (!controller.signal.aborted) controller.abort(retired);
    },
    release: () => {
      released += 1;
    },
    released: () => released,
    ...given,
    receivedMs,
  };
}

export function modelOf(given: Partial<ServedModel> = {}): ServedModel {
  return {
    name: "m",
    fimFamily: "slipstream-builtin",
    fim: { prefix: "<|fim_prefix|>", suffix: "<|fim_suffix|>", middle: "", fileSeparator: "", repository: "" },
    contextTokens: 2_048,
    bytesPerToken: 3,
    chatTemplate: false,
    prefillTokensPerSecond: 0,
    ...given,
  };
}

export const freeOf = (count: number): Record<Lane, number> => ({
  inline: count,
  chat: count,
  speculative: count,
  batch: count,
});

export function workerOf(name: string, given: Partial<WorkerView> = {}): WorkerView {
  return {
    name,
    pool: "p",
    models: [modelOf()],
    slots: 4,
    draining: false,
    leaving: false,
    free: freeOf(4),
    outstanding: 0,
    held: freeOf(0),
    loadMs: 0,
    running: 0,
    prefillTokensPerSecond: 0,
    stepMs: 5,
    prefillBacklogTokens: 0,
    bookedTokens: 0,
    tokenMs: 0,
    pacedMs: 0,
    serviceMs: freeOf(0),
    leases: 0,
    joinedMs: 0,
    ...given,
  };
}

/** Workers as a fleet that has just been looked at. */
export function fleetOf(workers: readonly WorkerView[], answerTokens = 0): FleetView {
  const free = freeOf(0);
  for (const worker of workers) for (const lane of lanes) free[lane] += worker.draining ? 0 : worker.free[lane];
  const slots = workers.reduce((sum, worker) => sum + worker.slots, 0);
  return {
    workers,
    roster: workers,
    rosters: 1,
    away: [],
    free,
    slots: { all: slots, used: 0 },
    answerTokens: freeOf(answerTokens),
  };
}

export const recordedMetrics = () => new RecordedMetrics(routerMetricTable);
