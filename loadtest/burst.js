// burst: three times as many people for a quarter of the run. While it lasts answers may be fewer; nothing fails, and soon after it all is
// as before.

import { phases } from "./lib/measures.js";
import { always, ramping, sizes, summaryTrendStats } from "./lib/run.js";
import { type } from "./lib/session.js";

export { handleSummary } from "./lib/run.js";

const { seconds, rate, session } = sizes({ seconds: 60, rate: 0.6, session: 8 });
const [from, to] = [Math.round(seconds / 3), Math.round((seconds * 7) / 12)];
// Those who came in the burst type on until their sessions end.
phases(from, to + session);

export const options = {
  scenarios: {
    burst: ramping({
      from: rate,
      session,
      stages: [
        [from, rate],
        [1, 3 * rate],
        [to - from - 1, 3 * rate],
        [1, rate],
        [seconds - to - 1, rate],
      ],
    }),
  },
  thresholds: {
    ...always,
    // Half as long again as before would still be quick; that it is not longer shows that no queue was left behind.
    "slipstream_first_text_ms{phase:after}": ["p(95)<300"],
    "slipstream_unanswered{phase:after}": ["rate<0.02"],
    // Brown-out comes before any error: at most a third of the keys of a burst may have nothing in time.
    "slipstream_unanswered{phase:during}": ["rate<0.34"],
  },
  summaryTrendStats,
};

export default () => type({ seconds: session });
