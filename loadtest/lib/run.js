// run: what all scenarios have in common: sizes that a run may set, limits with their reasons, and the summary for who started k6.
import { textSummary } from "./text.js";

const number = (name, otherwise) => Number(__ENV[name] || otherwise);

/** Seconds that a run lasts, sessions a second that begin, and seconds that each types. */
export const sizes = (given) => ({
  seconds: number("SECONDS", given.seconds),
  rate: number("RATE", given.rate),
  session: number("SESSION", given.session || 20),
});

/** Virtual users for sessions that overlap, and half as many again: a session that finds none is dropped, and fails the run. */
const usersFor = (rate, session) => Math.ceil(rate * (session + 13) * 1.5) + 2;

/** Of every run; the reasons stand in docs/operations/load-lab.md. */
export const always = {
  // Every trigger is asked when it is due: a session that could not begin is a hole in the load.
  dropped_iterations: ["count==0"],
  // A generator later than this measures its own machine.
  slipstream_late_ms: [`p(99)<${number("LATE_MS", 100)}`],
  // A run without a trigger shows nothing.
  slipstream_triggers: ["count>0"],
  // What a router must never do.
  slipstream_violations: ["count==0"],
  slipstream_failed: ["rate<0.001"],
};

/** A run of sessions that begin at `rate` a second, whatever became of those before. */
export const arriving = ({ rate, seconds, session, ...more }) => ({
  executor: "constant-arrival-rate",
  ...{ rate: Math.max(1, Math.round(rate * 60)), timeUnit: "60s", duration: `${seconds}s` },
  ...{ preAllocatedVUs: usersFor(rate, session), gracefulStop: `${session + 14}s`, ...more },
});

/** The same with a rate that changes: pairs of seconds and the rate at their end, from the first rate on. */
export const ramping = ({ from, stages, session }) => ({
  executor: "ramping-arrival-rate",
  ...{ startRate: Math.max(1, Math.round(from * 60)), timeUnit: "60s", gracefulStop: `${session + 14}s` },
  stages: stages.map(([seconds, rate]) => ({ duration: `${seconds}s`, target: Math.max(1, Math.round(rate * 60)) })),
  preAllocatedVUs: usersFor(Math.max(from, ...stages.map(([, rate]) => rate)), session),
});

/** The first text of a key, where there was text, and triggers that had nothing in time. */
export const inline = (limits = {}) => ({
  "slipstream_first_text_ms{tier:inline}": [`p(95)<${number("FIRST_TEXT_MS", limits.firstTextMs || 300)}`],
  "slipstream_unanswered{tier:inline}": [`rate<${number("UNANSWERED", limits.unanswered || 0.005)}`],
});

export const summaryTrendStats = ["count", "avg", "min", "med", "p(90)", "p(95)", "p(99)", "max"];

export function handleSummary(data) {
  return __ENV.SUMMARY ? { [__ENV.SUMMARY]: JSON.stringify(data) } : { stdout: textSummary(data) };
}
