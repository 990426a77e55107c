// What is told afterwards of triggers that went through a whole router with scripted workers.
import { expect, test } from "vitest";
import { TriggerKind } from "../proto/gen/slipstream/v1/completion_pb.ts";
import { routed } from "../test/support/routed.ts";

const invoked = { kind: TriggerKind.INVOKED, stream: true, sessionId: "s1", documentId: "d1" };

async function ready(given: Parameters<typeof routed>[0] = {}) {
  const made = routed(given);
  for (const worker of given.workers ?? ["w1"]) await made.workers.welcome(worker);
  /** Room and words of each step of the trigger. */
  const told = (id: string) => {
    const { steps = [], ...rest } = made.router.explain.find(id) ?? {};
    return { ...rest, steps: steps.map(({ room, what }) => `${room}: ${what}`), times: steps };
  };
  return { ...made, told };
}

test("a generated completion is told from its document to its cut, with times and reasons", async () => {
  const { complete, clock, answer, told, router } = await ready();
  const { done } = complete({ prefix: "const a = ", suffix: "\n", triggerId: "t1", ...invoked });
  await clock.advance(12);
  await answer("w1", ["1;", "\nconst b"], "none");
  await done;
  const { steps, times, ...rest } = told("t1");
  expect(steps).toEqual([
    "reuse: nothing shown or under way agrees with the text",
    "gate: passes: invoked always does; a worker is 0 ms away",
    "settle: waited 0 ms of the pause after the key",
    "context: 0 chunks; the client sent 0",
    expect.stringMatching(/^prompt: \d+ bytes in \d+ segments, \d+ blocks, for m$/),
    "cache: no identical prompt finished or under way",
    "queue: waited 0 ms for a credit in the inline lane",
    "schedule: w1: it holds the session, and has a slot; 13 prompt tokens to compute",
    "dispatch: w1: first text after 12 ms, then its readers had enough",
    "stream: 2 characters, ended by the cut",
    "feedback: generated, finish cut",
  ]);
  expect(times.map(({ at_ms }) => at_ms)).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 12, 12]);
  expect(times.find(({ room }) => room === "dispatch")).toMatchObject({ at_ms: 0, took_ms: 12 });
  expect(rest).toMatchObject({
    trigger: "t1",
    outcome: "generated",
    worker: "w1",
    model: "m",
    text_utf16: 2,
    total_ms: 12,
    unix_ms: 1_700_000_000_000,
  });
  expect(router.explain.find(rest.completion ?? "")).toMatchObject({ trigger: "t1" });
});

test("what is known already says so: typed ahead, cached, joined", async () => {
  const { complete, clock, answer, told } = await ready();
  const first = complete({ prefix: "const a = ", triggerId: "t1", ...invoked });
  await clock.advance(0);
  const joined = complete({ prefix: "const a = ", triggerId: "t2", ...invoked, documentId: "d2" });
  await clock.advance(0);
  await answer("w1", ["foo();"]);
  await Promise.all([first.done, joined.done]);
  const ahead = complete({ prefix: "const a = fo", triggerId: "t3", ...invoked });
  const cached = complete({ prefix: "const a = ", triggerId: "t4", ...invoked, documentId: "d3" });
  await Promise.all([ahead.done, cached.done]);
  expect(told("t2").steps).toContain("cache: joins an identical generation under way on w1");
  expect(told("t2").steps.some((step) => step.startsWith("dispatch"))).toBe(false);
  expect(told("t3").steps).toEqual(["reuse: what was shown is being typed: 4 characters of it are left", "feedback: typed_ahead"]);
  expect(told("t4").steps).toContain("cache: an identical prompt was finished before: 6 characters");
  expect(["t1", "t2", "t3", "t4"].map((id) => told(id).outcome)).toEqual(["generated", "joined", "typed_ahead", "cached"]);
});

test("a typist who is followed, and one who goes another way", async () => {
  const { complete, clock, workers, answer, told } = await ready();
  const first = complete({ prefix: "a = ", triggerId: "t1", ...invoked });
  await clock.advance(0);
  await answer("w1", ["foo"], "none");
  const second = complete({ prefix: "a = fo", triggerId: "t2", ...invoked });
  await first.done;
  const third = complete({ prefix: "a = foob", triggerId: "t3", ...invoked });
  await second.done;
  const { id } = workers.submitted("w1");
  workers.stream("w1").say({ case: "delta", value: { id, text: "x", tokens: 1 } });
  await clock.advance(0);
  expect(told("t1").outcome).toBe("superseded");
  expect(told("t2").steps[0]).toBe("reuse: follows the generation under way on w1: 2 characters typed since it began");
  expect(told("t3").steps.slice(0, 2)).toEqual([
    "reuse: follows the generation under way on w1: 4 characters typed since it began",
    "reuse: the typist went another way",
  ]);
  third.caller.abort();
  await third.done;
});

test("a trigger under way is told as far as it is, and where it was when it ended", async () => {
  const { complete, clock, told } = await ready();
  const holders = Array.from({ length: 4 }, (_, i) => complete({ ...invoked, prefix: `a${i} = `, documentId: `h${i}` }));
  await clock.advance(0);
  const { done, caller } = complete({ prefix: "b = ", triggerId: "t9", ...invoked });
  await clock.advance(30);
  expect(told("t9")).toMatchObject({ outcome: "under_way", total_ms: 30, usage: null });
  caller.abort();
  await done;
  expect(told("t9")).toMatchObject({ outcome: "cancelled", total_ms: 30 });
  expect(told("t9").steps).toContain("queue: cancelled in the inline lane");
  for (const holder of holders) holder.caller.abort();
});

test("a worker that fails and the one asked after it both stand there", async () => {
  const { complete, clock, workers, answer, told } = await ready({ workers: ["w1", "w2"] });
  const { done } = complete({ prefix: "a = ", triggerId: "t1", ...invoked });
  await clock.advance(0);
  const lost = workers.stream("w1").of("submit").length > 0 ? "w1" : "w2";
  const other = lost === "w1" ? "w2" : "w1";
  workers.stream(lost).say({ case: "refused", value: { id: workers.submitted(lost).id, code: "overloaded", retryable: true } });
  await clock.advance(0);
  await answer(other, ["1;"]);
  await done;
  const { steps } = told("t1");
  expect(steps).toContain(`dispatch: ${lost}: no text, then overloaded`);
  expect(steps.filter((step) => step.startsWith("schedule"))).toHaveLength(2);
  expect(steps.some((step) => step.startsWith(`dispatch: ${other}: first text`))).toBe(true);
});

test("what passes the gate by its evidence says by how much", async () => {
  const { complete, clock, told } = await ready();
  const { caller, done } = complete({ prefix: "const a = ", triggerId: "t1" });
  await clock.advance(0);
  caller.abort();
  await done;
  expect(told("t1").steps.at(1)).toMatch(/^gate: passes: scores 0\.\d\d of 0\.15.*; a worker is 0 ms away$/);
});

test("gated, refused and failed say why", async () => {
  const { complete, told, router } = await ready();
  const gated = complete({ prefix: "con", suffix: "st a", triggerId: "t1" });
  const failed = complete({ prefix: "a = ", triggerId: "t2", ...invoked, model: "elsewhere" });
  await Promise.all([gated.done, failed.done]);
  expect(told("t1").steps.at(1)).toMatch(/^gate: gated: .+; a worker is 0 ms away$/);
  expect(told("t2")).toMatchObject({ outcome: "refused", detail: 'not_found: model: no worker serves "elsewhere"' });
  router.feedback.refused(
    { id: "t3", tenant: "default", session: "default/s1" },
    {
      outcome: "refused",
      reason: "error",
      code: "invalid_request",
      detail: "invalid_request: prefix: larger",
      usage: { promptTokens: 0, cachedTokens: 0, recomputedTokens: 0, completionTokens: 0, drafted: 0, draftAccepted: 0 },
    },
  );
  expect(told("t3")).toMatchObject({
    outcome: "refused",
    steps: ["ingress: invalid_request: prefix: larger", "feedback: refused, error"],
  });
});

test("no code text is in what is told", async () => {
  const { complete, clock, answer, router } = await ready();
  const { done } = complete({
    ...invoked,
    prefix: "secretPrefix = ",
    suffix: "\nsecretSuffix();",
    snippets: [{ path: "secret.ts", text: "secretSnippet", source: "definition" }],
  });
  await clock.advance(0);
  await answer("w1", ["secretText;"]);
  await done;
  const ahead = complete({ ...invoked, prefix: "secretPrefix = secret", suffix: "\nsecretSuffix();" });
  await ahead.done;
  const all = JSON.stringify(router.explain.last(10));
  expect(all).toContain("typed_ahead");
  expect(all).not.toMatch(/secret/i);
});

test("only so many are kept, the newest first; none when it is off", async () => {
  const { complete, router } = await ready({ explainMax: 3 });
  for (let i = 0; i < 5; i++) await complete({ prefix: "con", suffix: "st", triggerId: `t${i}` }).done;
  expect(router.explain.last(10).map(({ trigger }) => trigger)).toEqual(["t4", "t3", "t2"]);
  expect(router.explain.last(1).map(({ trigger }) => trigger)).toEqual(["t4"]);
  expect(router.explain.find("t0")).toBeUndefined();
  const off = await ready({ explainMax: 0 });
  await off.complete({ prefix: "con", suffix: "st", triggerId: "t1" }).done;
  expect(off.router.explain.last(10)).toEqual([]);
});
