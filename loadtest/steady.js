// steady: people come, type for a while and leave, about as many at any time. What a target does day in, day out.
import { always, arriving, inline, sizes, summaryTrendStats } from "./lib/run.js";
import { type } from "./lib/session.js";

export { handleSummary } from "./lib/run.js";

const { seconds, rate, session } = sizes({ seconds: 40, rate: 0.6 });

export const options = {
  scenarios: { steady: arriving({ rate, seconds, session }) },
  thresholds: { ...always, ...inline() },
  summaryTrendStats,
};

export default () => type({ seconds: session });
