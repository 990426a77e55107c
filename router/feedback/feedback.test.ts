import { create, fromBinary } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { MemoryBus } from "../../lib/bus/memory.ts";
import { subjects } from "../../lib/bus/subjects.ts";
import { FakeClock, settle } from "../../lib/clock.fake.ts";
import { type ErrorCode, errorTable, SlipstreamError } from "../../lib/errors.ts";
import { createLog, silentLog } from "../../lib/log.ts";
import { seeded } from "../../lib/random.ts";
import { FeedbackEvent, FeedbackSchema, Finish, Outcome, Reason, Shape } from "../../proto/gen/slipstream/v1/completion_pb.ts";
import { type OutcomeBatch, OutcomeBatchSchema } from "../../proto/gen/slipstream/v1/fleet_pb.ts";
import { recordedMetrics, triggerAt } from "../../test/support/router.ts";
import { type Delta, type Ending, type Milestones, noUsage, Retired, type Trigger } from "../completion.ts";
import { Feedback } from "./feedback.ts";
import { Outbox } from "./outbox.ts";
import { MemorySpool } from "./spool.ts";

const secret = "secretPrefix";
const textParts = ["const secret", "Text = 1;"];
const generated: Ending = {
  outcome: "generated",
  finish: "cut",
  usage: { ...noUsage, promptTokens: 12, cachedTokens: 10, recomputedTokens: 2, completionTokens: 5 },
  worker: "w1",
  model: "m",
};

function room(completionsMax = 10, keepText = false) {
  const clock = new FakeClock();
  const metrics = recordedMetrics();
  const lines: string[] = [];
  const bus = new MemoryBus();
  const batches: OutcomeBatch[] = [];
  const subscription = bus.subscribe(subjects.allOutcomes, { max: 100 });
  void (async () => {
    for await (const { data } of subscription) batches.push(fromBinary(OutcomeBatchSchema, data));
  })();
  const outbox = new Outbox(
    { router: "r1", everyMs: 100, batchMax: 10, bytesMax: 10_000, unspooledMax: 100, retryMs: 500 },
    { clock, bus, spool: new MemorySpool({ bytesMax: 1 << 20, recordsMax: 100 }), log: silentLog, metrics: metrics.metrics },
  );
  const log = createLog({ process: "router", level: "debug" }, { write: (line) => lines.push(line) });
  const feedback = new Feedback(
    { completionsMax, keepText: () => keepText },
    { clock, random: seeded(1), log, outbox, metrics: metrics.metrics, value: { accepted: () => {} } },
  );
  /** What the path does: these texts, then this end. */
  const path = async function* (parts: readonly string[], end: Ending | Error): AsyncGenerator<Delta, Ending> {
    for (const text of parts) {
      await clock.sleep(10);
      yield { text, tokens: 1 };
    }
    if (end instanceof Error) throw end;
    return end;
  };
  const follow = async (parts: readonly string[], end: Ending | Error, given: Partial<Trigger> = {}) => {
    const trigger = triggerAt(`${secret}|secretSuffix`, given);
    const at: Milestones = {};
    const following = feedback.follow(trigger, at, path(parts, end));
    const shown: string[] = [];
    for (;;) {
      const step = following.next();
      await clock.advance(10);
      const { done, value } = await step;
      if (done) return { ending: value, shown, trigger, at };
      shown.push(value.text);
    }
  };
  const events = async () => {
    await outbox.flush();
    await settle();
    return batches.flatMap(({ outcomes }) => outcomes);
  };
  return { clock, metrics, lines, bus, feedback, follow, events, batches };
}

test("a path that ends well gives its text and its ending, with a name for the text", async () => {
  const { follow, metrics, events } = room();
  const { ending, shown, trigger, at } = await follow(textParts, generated);
  expect(shown).toEqual(textParts);
  expect(ending).toMatchObject({ ...generated, textUtf16: 21, completionId: expect.stringMatching(/^[0-9a-f]{16}$/) });
  expect([trigger.released(), at.firstTextMs]).toEqual([1, 1_010]);
  expect(metrics.count("outcomes_total", { lane: "inline", outcome: "generated" })).toBe(1);
  expect(await events()).toMatchObject([
    {
      triggerId: "t1",
      completionId: ending.completionId,
      outcome: Outcome.GENERATED,
      finish: Finish.CUT,
      code: "",
      tenant: "default",
      sessionKey: "default/s1",
      pool: "m",
      language: "typescript",
      textUtf16: 21,
      cache: { promptTokens: 12, cachedTokens: 10, completionTokens: 5, worker: "w1" },
      timing: { firstTextMs: 10, totalMs: 20 },
      unixMs: BigInt(1_700_000_000_020),
    },
  ]);
});

const nothing = (outcome: Ending["outcome"], reason: NonNullable<Ending["reason"]>) => ({ outcome, reason });
const codes = Object.keys(errorTable) as ErrorCode[];
const refused: readonly ErrorCode[] = [
  "overloaded",
  "too_late",
  "permission_denied",
  "unauthenticated",
  "unsupported",
  "invalid_request",
  "not_found",
];
const byCode = (code: ErrorCode): Partial<Ending> => {
  if (code === "cancelled") return nothing("cancelled", "cancelled");
  if (code === "deadline_exceeded") return nothing("expired", "deadline");
  if (code === "too_late") return { ...nothing("refused", "deadline"), code };
  const reason = code === "overloaded" ? "quota" : code === "permission_denied" ? "excluded" : "error";
  return { ...nothing(refused.includes(code) ? "refused" : "failed", reason), code };
};

test.each<[name: string, end: Ending | Error, expected: Partial<Ending>]>([
  ["gated", { outcome: "gated", reason: "brownout", usage: noUsage }, nothing("gated", "brownout")],
  ["superseded", new Retired("superseded"), nothing("superseded", "superseded")],
  ["cancelled", new Retired("cancelled"), nothing("cancelled", "cancelled")],
  ["expired", new Retired("expired"), nothing("expired", "deadline")],
  ["a mistake of ours", new TypeError("secretCause"), { ...nothing("failed", "error"), code: "internal" }],
  ["thrown undefined", undefined as unknown as Error, { ...nothing("failed", "error"), code: "internal" }],
  ...codes
    .map((code) => [`the error ${code}`, new SlipstreamError(code, "why", { retryAfterMs: 7 }), byCode(code)] as const)
    .map(([name, end, expected]): [string, Error, Partial<Ending>] => [name, end, expected]),
])("%s is one ending, one count and one event", async (_, end, expected) => {
  const { follow, metrics, events } = room();
  const { ending, trigger } = await follow([], end ?? Object.assign(new Error("x"), {}));
  expect(ending).toMatchObject(expected);
  expect([ending.completionId, ending.error !== undefined]).toEqual([undefined, expected.outcome === "failed"]);
  expect(trigger.released()).toBe(1);
  expect(metrics.count("outcomes_total")).toBe(1);
  expect(metrics.count("outcomes_total", { outcome: expected.outcome as string })).toBe(1);
  expect(metrics.count("errors_total")).toBe(expected.outcome === "failed" ? 1 : 0);
  const told = await events();
  expect(told).toHaveLength(1);
  expect(told[0]).toMatchObject({
    outcome: Outcome[(expected.outcome as string).toUpperCase() as "FAILED"],
    code: expected.code ?? "",
  });
});

test("an error says when to try again, and a mistake of ours says nothing of its cause", async () => {
  const { follow, lines } = room();
  const { ending } = await follow([], new SlipstreamError("no_worker", "no worker is connected", { retryAfterMs: 500 }));
  expect(ending).toMatchObject({ retryAfterMs: 500, detail: "no_worker: no worker is connected" });
  const ours = await follow([], new TypeError("secretCause"));
  expect(ours.ending.detail).toBe("internal: internal error; see the router's log");
  expect(lines.at(-1)).toContain("secretCause");
  expect(JSON.parse(lines.at(-1) ?? "")).toMatchObject({ level: 50, code: "internal" });
});

test.each<[name: string, before: Retired | undefined, expected: Partial<Ending>]>([
  ["before anything else ended the trigger", undefined, nothing("cancelled", "cancelled")],
  ["after a newer trigger came", new Retired("superseded"), nothing("superseded", "superseded")],
  ["after its deadline", new Retired("expired"), nothing("expired", "deadline")],
])("a reader that leaves %s ends the path and the trigger, once", async (_, before, expected) => {
  const { feedback, metrics, events } = room();
  const trigger = triggerAt("a|");
  let closed = 0;
  const path = (async function* (): AsyncGenerator<Delta, Ending> {
    try {
      yield { text: "a", tokens: 1 };
      return generated;
    } finally {
      closed += 1;
    }
  })();
  const following = feedback.follow(trigger, {}, path);
  await following.next();
  if (before) trigger.retire(before);
  await following.return(undefined as never);
  await following.return(undefined as never);
  expect([closed, trigger.released(), trigger.signal.aborted]).toEqual([1, 1, true]);
  expect(metrics.count("outcomes_total", { outcome: expected.outcome as string })).toBe(1);
  expect(await events()).toMatchObject([
    { outcome: Outcome[(expected.outcome as string).toUpperCase() as "FAILED"], textUtf16: 1 },
  ]);
});

test("a path that breaks while it is closed still ends as one outcome", async () => {
  const { feedback, metrics } = room();
  const path = (async function* (): AsyncGenerator<Delta, Ending> {
    try {
      yield { text: "a", tokens: 1 };
      return generated;
    } finally {
      // biome-ignore lint/correctness/noUnsafeFinally: a fault in tidying up is what is tested.
      throw new Error("while tidying up");
    }
  })();
  const following = feedback.follow(triggerAt("a|"), {}, path);
  await following.next();
  await following.return(undefined as never);
  expect(metrics.count("outcomes_total")).toBe(1);
});

test("no code text reaches a log line, a metric or the bus", async () => {
  const { follow, lines, events, batches } = room();
  await follow(textParts, generated, { snippets: [{ path: "secret.ts", text: "secretSnippet", score: 1, stable: true }] });
  await follow(textParts, new SlipstreamError("worker_lost", "gone"));
  await follow([], new Retired("superseded"));
  expect(lines).toHaveLength(3);
  await events();
  const all = lines.join("") + JSON.stringify(batches, (_, value: unknown) => (typeof value === "bigint" ? String(value) : value));
  expect(all).toContain("t1");
  expect(all).not.toMatch(/secret/i);
});

test("what ingress refused is counted and told like any other outcome", async () => {
  const { feedback, metrics, events, lines } = room();
  const ending: Ending = { outcome: "refused", reason: "error", code: "invalid_request", detail: "secret: why", usage: noUsage };
  feedback.refused({ id: "t9", tenant: "acme", session: "acme/s1" }, ending);
  expect(metrics.count("outcomes_total", { outcome: "refused" })).toBe(1);
  expect(await events()).toMatchObject([
    { triggerId: "t9", tenant: "acme", outcome: Outcome.REFUSED, reason: Reason.ERROR, code: "invalid_request" },
  ]);
  expect(lines.join("")).not.toContain("secret");
});

const report = (completionId: string, event: FeedbackEvent = FeedbackEvent.ACCEPTED) =>
  create(FeedbackSchema, { completionId, event });

test("a report is matched to its completion, within its tenant, and told with the pool", async () => {
  const { follow, feedback, metrics, events, batches } = room();
  const { ending } = await follow(textParts, generated, { tenant: "acme" });
  const id = ending.completionId as string;
  expect(feedback.report(report(id), "beta")).toBe(false);
  expect(feedback.report(report("unknown"), "acme")).toBe(false);
  expect(feedback.report(report(id), "acme")).toBe(true);
  expect(feedback.report(report(id, FeedbackEvent.RETAINED), "acme")).toBe(true);
  expect(metrics.count("feedback_without_effect_total", { why: "unmatched" })).toBe(2);
  expect([metrics.count("feedback_total", { event: "accepted" }), metrics.count("feedback_total")]).toEqual([1, 2]);
  await events();
  expect(batches.flatMap((batch) => batch.feedback)).toMatchObject([
    { tenant: "acme", pool: "m", feedback: { completionId: id, event: FeedbackEvent.ACCEPTED } },
    { feedback: { event: FeedbackEvent.RETAINED } },
  ]);
});

test("only so many completions are remembered, the newest", async () => {
  const { follow, feedback } = room(2);
  const ids: string[] = [];
  for (let i = 0; i < 3; i++) ids.push((await follow(textParts, generated)).ending.completionId as string);
  expect(ids.map((id) => feedback.report(report(id), "default"))).toEqual([false, true, true]);
});

test("reports tell how much was accepted and how long it stood; one that cannot be changes nothing", async () => {
  const { follow, feedback, metrics, events, batches, clock } = room();
  const { ending } = await follow(textParts, generated, { shape: "line" });
  const completionId = ending.completionId as string;
  const say = (event: FeedbackEvent, acceptedUtf16 = 0) =>
    feedback.report(create(FeedbackSchema, { completionId, event, acceptedUtf16 }), "default");
  expect(say(FeedbackEvent.SHOWN)).toBe(true);
  await clock.advance(400);
  expect(say(FeedbackEvent.PARTIAL, 5)).toBe(true);
  expect(say(FeedbackEvent.PARTIAL, 3)).toBe(true);
  expect(say(FeedbackEvent.SHOWN)).toBe(true);
  await clock.advance(100);
  expect(say(FeedbackEvent.ACCEPTED)).toBe(true);
  expect(say(FeedbackEvent.REJECTED)).toBe(true);
  const shape = { shape: "line" };
  expect(metrics.count("feedback_total", shape)).toBe(3);
  expect(metrics.count("feedback_without_effect_total", { why: "order" })).toBe(3);
  expect(metrics.count("shown_characters_total", shape)).toBe(21);
  expect(metrics.count("accepted_characters_total", shape)).toBe(21);
  await events();
  expect(batches.flatMap((batch) => batch.feedback)).toMatchObject([
    { textUtf16: 21, acceptedUtf16: 0, shownMs: 0, shape: Shape.LINE, language: "typescript" },
    { textUtf16: 21, acceptedUtf16: 5, shownMs: 400 },
    { textUtf16: 21, acceptedUtf16: 21, shownMs: 500 },
  ]);
});

test("text is on the bus only by policy, in its own field, and never in a log line", async () => {
  const bare = room();
  const first = await bare.follow(textParts, generated);
  bare.feedback.report(report(first.ending.completionId as string), "default");
  expect((await bare.events())[0]?.text).toBeUndefined();
  expect(bare.batches[0]?.feedback[0]?.text).toBeUndefined();
  const kept = room(10, true);
  const second = await kept.follow(textParts, generated);
  kept.feedback.report(report(second.ending.completionId as string), "default");
  expect((await kept.events())[0]?.text).toBe("const secretText = 1;");
  expect(kept.batches[0]?.feedback[0]).toMatchObject({ text: "const secretText = 1;", textUtf16: 21 });
  expect(kept.lines.join("")).not.toMatch(/secret/i);
});
