// ramp: more and more people, up to five times the rate of `steady`. No limit on times: the report says where they begin to grow (the
// knee). Past it keys are gated and answered by less, but nothing fails.
import { always, ramping, sizes, summaryTrendStats } from "./lib/run.js";
import { type } from "./lib/session.js";

export { handleSummary } from "./lib/run.js";

const { seconds, rate, session } = sizes({ seconds: 60, rate: 3, session: 10 });

export const options = {
  scenarios: { ramp: ramping({ from: rate / 8, stages: [[seconds, rate]], session }) },
  // Towards the end the target is past what it can do: the generator may be late, for both may share a machine.
  thresholds: { ...always, slipstream_late_ms: [{ threshold: "p(50)<100" }], slipstream_failed: ["rate<0.01"] },
  summaryTrendStats,
};

export default () => type({ seconds: session });
