// reconnect: three times in a run every window loses its connection within one second, as when a balancer or a router goes, and comes
// again with its resume token. Documents are held for it, so nothing large is sent again; what was being asked is lost.
import exec from "k6/execution";
import { chance } from "./lib/clock.js";
import { phases } from "./lib/measures.js";
import { always, arriving, sizes, summaryTrendStats } from "./lib/run.js";
import { type } from "./lib/session.js";

export { handleSummary } from "./lib/run.js";

const { seconds, rate, session } = sizes({ seconds: 40, rate: 0.6, session: 15 });
const stormsAt = [0.3, 0.5, 0.7].map((share) => share * seconds);
phases(stormsAt[0], stormsAt[2] + 2);

export const options = {
  scenarios: { reconnect: arriving({ rate, seconds, session }) },
  thresholds: {
    ...always,
    // From the loss to the Welcome: a new connection, TLS left out, and a Hello; a person notices a second.
    slipstream_resume_ms: ["p(95)<1000"],
    // A router keeps the documents of a stream that ended for a while; a window that held none yet counts against it.
    slipstream_document_held: ["rate>0.9"],
    "slipstream_first_text_ms{phase:after}": ["p(95)<300"],
    "slipstream_unanswered{phase:after}": ["rate<0.02"],
  },
  summaryTrendStats,
};

export default () => {
  const nowS = exec.instance.currentTestRunDuration / 1000;
  const breaksAt = stormsAt.map((atS) => atS - nowS + chance()).filter((inS) => inS > 0.5);
  type({ seconds: session, breaksAt, ownConnection: true });
};
