// soak: steady for long. Whether anything grows or gets slower with time is in the report: memory, and the last quarter of the run
// beside the first.
import { always, arriving, inline, sizes, summaryTrendStats } from "./lib/run.js";
import { type } from "./lib/session.js";

export { handleSummary } from "./lib/run.js";

const { seconds, rate, session } = sizes({ seconds: 1800, rate: 0.5 });

export const options = {
  scenarios: { soak: arriving({ rate, seconds, session }) },
  thresholds: { ...always, ...inline() },
  summaryTrendStats,
};

export default () => type({ seconds: session });
