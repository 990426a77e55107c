// What a tenant may, and what it never sees of another: quotas, models, resume tokens, remembered and shared texts; with a whole
// router and scripted workers.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { FeedbackEvent, Outcome, Reason, TriggerKind } from "../proto/gen/slipstream/v1/completion_pb.ts";
import { opened, routed } from "../test/support/routed.ts";

const folder = mkdtempSync(join(tmpdir(), "slipstream-tenants-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let files = 0;

const text = "const a = \n";
const trigger = (triggerId: string, given: object = {}) =>
  ({
    case: "trigger",
    value: { triggerId, documentId: "d1", version: 1n, offsetUtf16: 10, kind: TriggerKind.INVOKED, deadlineMs: 60_000, ...given },
  }) as const;
const helloOf = (sessionId: string, resumeToken = "") =>
  ({ case: "hello", value: { protocol: "1", client: "test", sessionId, resumeToken } }) as const;

async function ready(policy?: string) {
  const path = policy === undefined ? "" : join(folder, `${++files}.yaml`);
  const write = (document: string) => writeFileSync(path, document);
  if (policy !== undefined) write(policy);
  const made = routed({ policy: path });
  await made.workers.welcome("w1", 16);
  const connect = async (tenant: string, sessionId = "s1", token = "") => {
    const editor = made.session(tenant);
    await editor.say(helloOf(sessionId, token), opened(text));
    return editor;
  };
  return { ...made, write, connect, asked: () => made.workers.stream("w1").of("submit").length };
}

const quotas = (granted: string) => `version: 1\ntenants: { acme: { quotas: { ${granted} } } }`;

test("a session past the quota is refused with a time, another tenant's is not, and one that ends makes room", async () => {
  const { connect, metrics } = await ready(quotas("sessions: 2"));
  const first = await connect("acme", "one");
  await connect("acme", "two");
  const third = await connect("acme", "three");
  expect(third.over.error).toMatchObject({
    code: "overloaded",
    retryAfterMs: 5_000,
    message: expect.stringMatching(/quota of 2 open sessions/),
  });
  for (let i = 0; i < 5; i++) expect((await connect("beta", `s${i}`)).over.done).toBe(false);
  // A window that connects anew takes its own place.
  expect((await connect("acme", "two")).over.done).toBe(false);
  first.client.end();
  await first.say();
  expect((await connect("acme", "three")).over.done).toBe(false);
  expect((await connect("acme", "four")).over.done).toBe(true);
  expect(metrics.count("quota_refused_total", { quota: "sessions" })).toBe(2);
});

test("triggers past the quota end refused with QUOTA and a time, whichever session they came by", async () => {
  const { connect, clock, answer } = await ready(quotas("triggersPerSecond: 2, triggersBurst: 2"));
  const [one, two, other] = [await connect("acme", "one"), await connect("acme", "two"), await connect("beta")];
  await one.say(trigger("a"));
  await two.say(trigger("b"), trigger("c"));
  const [end] = two.ends("c");
  expect(end?.value).toMatchObject({
    outcome: Outcome.REFUSED,
    reason: Reason.QUOTA,
    retryAfterMs: 500,
    detail: expect.stringMatching(/trigger: the quota of 2 triggers a second/),
  });
  await other.say(trigger("mine"));
  await answer("w1", ["1;"]);
  expect(other.ends("mine")).toMatchObject([{ case: "completion" }]);
  await clock.advance(500);
  await two.say(trigger("d"));
  expect(two.ends("d").filter(({ case: kind }) => kind === "nothing")).toEqual([]);
});

test("what is malformed costs no quota", async () => {
  const { connect } = await ready(quotas("triggersPerSecond: 1, triggersBurst: 1"));
  const one = await connect("acme");
  await one.say(trigger("a", { kind: 99 }), trigger("b", { offsetUtf16: 99 }), trigger("c"));
  expect(one.ends("c")).toEqual([]);
});

test("a generation past the quota is refused with QUOTA; a key that supersedes, and what is joined, is not", async () => {
  const { connect, answer, asked } = await ready(quotas("generations: 1"));
  const [one, two, other] = [await connect("acme", "one"), await connect("acme", "two"), await connect("beta")];
  await one.say(trigger("a"));
  await two.say(trigger("same"));
  await two.say({
    case: "documentOpen",
    value: { documentId: "d2", path: "b.ts", language: "typescript", version: 1n, text: "let b = \n" },
  });
  await two.say(trigger("b", { documentId: "d2", offsetUtf16: 8 }));
  expect(two.ends("b")).toMatchObject([{ value: { outcome: Outcome.REFUSED, reason: Reason.QUOTA, retryAfterMs: 100 } }]);
  expect([two.ends("same"), asked()]).toEqual([[], 1]);
  await answer("w1", ["1;"]);
  expect([one.ends("a"), two.ends("same")]).toMatchObject([[{ case: "completion" }], [{ case: "completion" }]]);
  await two.say(trigger("c", { documentId: "d2", offsetUtf16: 8 }));
  await two.say(trigger("d", { documentId: "d2", offsetUtf16: 8, shape: 2 }));
  expect(two.ends("c")).toMatchObject([{ value: { outcome: Outcome.SUPERSEDED } }]);
  expect(two.ends("d")).toEqual([]);
  await other.say(trigger("mine"));
  await answer("w1", ["2;"]);
  expect(other.ends("mine")).toMatchObject([{ case: "completion" }]);
});

const models = `
version: 1
pools: { p: { model: m }, big: { model: huge } }
tiers: { inline: { pools: [p], deadlines: { invoked: 700ms } } }
tenants: { acme: { models: [inline] }, beta: { models: [big] } }
`;

test("a model that is not for the tenant is refused by name, the default is its own, and editors are told", async () => {
  const { connect, answer } = await ready(models);
  const [acme, beta] = [await connect("acme"), await connect("beta")];
  expect(acme.of("policy")).toMatchObject([{ version: 1n, models: ["inline"] }]);
  await acme.say(trigger("a", { model: "big" }), trigger("b", { model: "huge" }), trigger("c", { model: "nothing" }));
  for (const [id, name] of [
    ["a", "big"],
    ["b", "huge"],
    ["c", "nothing"],
  ] as const)
    expect(acme.ends(id)).toMatchObject([
      {
        value: {
          outcome: Outcome.REFUSED,
          detail: `permission_denied: trigger.model: "${name}" is not for this tenant; it may use inline`,
        },
      },
    ]);
  await acme.say(trigger("d", { model: "inline" }));
  await answer("w1", ["1;"]);
  expect(acme.ends("d")).toMatchObject([{ case: "completion" }]);
  // Its default leads to a pool that nobody serves: never to another's.
  await beta.say(trigger("e"));
  expect(beta.ends("e")).toMatchObject([
    { value: { outcome: Outcome.REFUSED, detail: expect.stringMatching(/^not_found: model: no worker serves "big"/) } },
  ]);
});

test("a tenant of one pool is never placed on another pool of the same model, nor begun anew or hedged there", async () => {
  const path = join(folder, `${++files}.yaml`);
  writeFileSync(
    path,
    `
version: 1
pools: { slow: { model: m }, quick: { model: m } }
tenants: { acme: { models: [slow], default: slow } }
`,
  );
  const { workers, session, clock } = routed({ policy: path, workers: ["w1", "w2", "w3"] });
  await workers.welcome("w1", 4, { pool: "slow" });
  for (const quick of ["w2", "w3"]) await workers.welcome(quick, 16, { pool: "quick" });
  const asked = () => ["w1", "w2", "w3"].map((worker) => workers.stream(worker).of("submit").length);
  for (let i = 0; i < 6; i++) {
    const editor = session("acme");
    await editor.say(helloOf(`s${i}`), opened(text.replace("a", `${i}`)), trigger("a"));
  }
  expect(asked()).toEqual([4, 0, 0]);
  const { id } = workers.submitted("w1");
  workers.stream("w1").say({ case: "refused", value: { id, code: "engine_failed", detail: "broken" } });
  await clock.advance(1_000);
  expect(asked().slice(1)).toEqual([0, 0]);
  expect(asked()[0]).toBeGreaterThan(4);
});

test("the policy's deadline holds for what names none", async () => {
  const { connect, clock } = await ready(models);
  const acme = await connect("acme");
  await acme.say(trigger("a", { deadlineMs: 0 }));
  await clock.advance(699);
  expect(acme.ends("a")).toEqual([]);
  await clock.advance(2);
  expect(acme.ends("a")).toMatchObject([{ value: { outcome: Outcome.EXPIRED } }]);
});

test("a changed policy holds from the next trigger on", async () => {
  const { connect, write, clock } = await ready(quotas("triggersPerSecond: 100"));
  const acme = await connect("acme");
  await acme.say(trigger("a"));
  write(quotas("triggersPerSecond: 1, triggersBurst: 1").replace("version: 1", "version: 2"));
  await clock.advance(1_000);
  await acme.say(trigger("b"), trigger("c"));
  expect(acme.ends("c")).toMatchObject([{ value: { reason: Reason.QUOTA } }]);
});

test("a resume token of another tenant opens nothing, and takes nothing from its owner", async () => {
  const { connect, session } = await ready();
  const owner = await connect("acme", "s1");
  const token = owner.of("welcome")[0]?.resumeToken ?? "";
  expect(token).not.toBe("");
  const thief = session("beta");
  await thief.say(helloOf("s1", token));
  expect(thief.of("welcome")).toMatchObject([{ held: [] }]);
  expect(owner.over.done).toBe(false);
  owner.cut();
  await owner.say();
  const again = session("beta");
  await again.say(helloOf("s1", token));
  expect(again.of("welcome")).toMatchObject([{ held: [] }]);
  const back = session("acme");
  await back.say(helloOf("s1", token));
  expect(back.of("welcome")).toMatchObject([{ held: [{ documentId: "d1", version: 1n }] }]);
});

test("a text that is under way or finished is shared within a tenant and never with another", async () => {
  const { connect, answer, asked } = await ready();
  const [one, two, other] = [await connect("acme", "one"), await connect("acme", "two"), await connect("beta", "one")];
  await one.say(trigger("a"));
  await two.say(trigger("b"));
  expect(asked()).toBe(1);
  await other.say(trigger("c"));
  expect(asked()).toBe(2);
  await answer("w1", ["beta;"]);
  expect([one.ends("a"), other.ends("c")]).toMatchObject([[], [{ value: { items: [{ insertText: "beta;" }] } }]]);
  // Finished for beta; acme's own is still under way, and a third window of acme joins that.
  const third = await connect("acme", "three");
  await third.say(trigger("d"));
  expect([third.ends("d"), asked()]).toEqual([[], 2]);
});

test("what one tenant was shown is nobody else's to type ahead, cancel or report on", async () => {
  const { connect, answer, router } = await ready();
  const [acme, beta] = [await connect("acme", "s1"), await connect("beta", "s1")];
  await acme.say(trigger("a"));
  await answer("w1", ["value;"]);
  const [end] = acme.ends("a");
  const completionId = end?.case === "completion" ? end.value.completionId : "";
  const edit = { documentId: "d1", baseVersion: 1n, version: 2n, edits: [{ startUtf16: 10, endUtf16: 10, text: "v" }] };
  await beta.say({ case: "documentEdit", value: edit }, trigger("b", { version: 2n, offsetUtf16: 11 }));
  expect(beta.ends("b")).toEqual([]);
  await acme.say({ case: "documentEdit", value: edit }, trigger("b", { version: 2n, offsetUtf16: 11, kind: TriggerKind.AUTO }));
  expect(acme.ends("b")).toMatchObject([{ value: { outcome: Outcome.TYPED_AHEAD } }]);
  await acme.say({ case: "cancel", value: { triggerId: "b" } });
  expect(beta.ends("b")).toEqual([]);
  const shown = { $typeName: "slipstream.v1.Feedback", completionId, event: FeedbackEvent.SHOWN } as never;
  expect([router.feedback.report(shown, "beta"), router.feedback.report(shown, "acme")]).toEqual([false, true]);
});
