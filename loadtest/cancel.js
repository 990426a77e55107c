// cancel: beside people who type as ever, for half of the run three times as many whose client takes every trigger back 30 ms later, as
// clients do that cancel at each key. What is taken back must cost the others nothing that they notice.

import { phases } from "./lib/measures.js";
import { always, arriving, sizes, summaryTrendStats } from "./lib/run.js";
import { type } from "./lib/session.js";

export { handleSummary } from "./lib/run.js";

const { seconds, rate, session } = sizes({ seconds: 40, rate: 0.5, session: 8 });
const [from, to] = [seconds / 4, (seconds * 3) / 4];
phases(from, to);

export const options = {
  scenarios: {
    people: arriving({ rate, seconds, session, exec: "people" }),
    storm: arriving({ rate: 3 * rate, seconds: to - from, session, startTime: `${from}s`, exec: "storm" }),
  },
  thresholds: {
    ...always,
    "slipstream_triggers{tier:cancelling}": ["count>0"],
    "slipstream_first_text_ms{tier:inline,phase:during}": ["p(95)<300"],
    "slipstream_unanswered{tier:inline}": ["rate<0.01"],
    // A trigger that was taken back is answered at once: cancelled, or with what was there already.
    "slipstream_answer_ms{tier:cancelling}": ["p(95)<200"],
  },
  summaryTrendStats,
};

export const people = () => type({ seconds: session });
export const storm = () => type({ seconds: session, tier: "cancelling", cancelMs: 30 });
