// measures: what a run says of each trigger. Times run from the moment at which the trigger was due, not from when it could be sent: a
// generator that is held up, or waits for an answer before it asks again, would otherwise leave out the very waits it is to find
// ("coordinated omission"). Nothing here waits for an answer before the next key. `slipstream_late_ms` is how much later than due a
// trigger was sent; where that is large the machine of the generator is too slow, and the run says so by failing.
import exec from "k6/execution";
import { Counter, Rate, Trend } from "k6/metrics";

const answer = new Trend("slipstream_answer_ms", true);
const firstText = new Trend("slipstream_first_text_ms", true);
const late = new Trend("slipstream_late_ms", true);
const resumed = new Trend("slipstream_resume_ms", true);
const triggers = new Counter("slipstream_triggers");
const failed = new Rate("slipstream_failed");
const unanswered = new Rate("slipstream_unanswered");
const held = new Rate("slipstream_document_held");
const texts = new Rate("slipstream_with_text");
const violations = new Counter("slipstream_violations");

/** `dueMs` and `sentMs`: of clock.js, whose milliseconds are whole. */
export function answered({ tier, kind, outcome, dueMs, sentMs, firstMs, endMs }) {
  const tags = { tier, kind, outcome, phase: phase() };
  const { metadata } = exec.vu.metrics;
  if (firstMs !== undefined) metadata.first_ms = String(firstMs - dueMs);
  metadata.late_ms = String(sentMs - dueMs);
  answer.add(endMs - dueMs, tags);
  delete metadata.first_ms;
  delete metadata.late_ms;
  if (firstMs !== undefined) firstText.add(firstMs - dueMs, { tier, phase: tags.phase });
  late.add(sentMs - dueMs);
  triggers.add(1, { tier });
  failed.add(outcome === "failed", { tier });
  // Refused: too late for any worker, or over a quota. What the gate holds back is not, nor what a newer key retired.
  unanswered.add(["expired", "refused", "lost"].includes(outcome), { tier, phase: tags.phase });
  texts.add(firstMs !== undefined, { tier });
}

export function welcomedAgain(ms, documents) {
  resumed.add(ms);
  held.add(documents > 0);
}

/** A second answer, or text after one: no router may do that. */
export const violated = () => violations.add(1);

let breaks;

/** Before, in and after what a scenario does to the target: seconds from the start of the run. */
export function phases(fromS, toS) {
  breaks = [fromS, toS];
}

function phase() {
  if (!breaks) return "steady";
  const atS = exec.instance.currentTestRunDuration / 1000;
  return atS < breaks[0] ? "before" : atS < breaks[1] ? "during" : "after";
}
