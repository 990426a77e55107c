import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { FakeClock } from "../../lib/clock.fake.ts";
import { silentLog } from "../../lib/log.ts";
import { RecordedMetrics } from "../../sim/recorded-metrics.ts";
import { routerMetricTable } from "../metrics.ts";
import { Policy } from "./policy.ts";

let path: string;
beforeEach(() => {
  path = join(mkdtempSync(join(tmpdir(), "slipstream-policy-")), "policy.yaml");
});
afterEach(() => rmSync(join(path, ".."), { recursive: true, force: true }));

function room(text: string | undefined) {
  if (text !== undefined) writeFileSync(path, text);
  const clock = new FakeClock();
  const metrics = new RecordedMetrics(routerMetricTable);
  const options = { path: text === undefined ? "" : path, everyMs: 1_000, tenantsMax: 10 };
  return { clock, metrics, policy: new Policy(options, { clock, log: silentLog, metrics: metrics.metrics }) };
}

test("without a file everything is allowed, and a name leads to whatever serves it", () => {
  const { policy } = room(undefined);
  const tenant = policy.of("acme");
  expect([tenant.models, tenant.route("")?.pools, tenant.route("x")?.pools]).toEqual([undefined, [""], ["x"]]);
  expect([tenant.excludes("a/.env"), tenant.completes("go"), tenant.keepText, tenant.quotas]).toEqual([false, true, undefined, {}]);
  expect(policy.state).toEqual({ path: "", version: 0 });
});

const text = `
version: 3
tiers:
  inline: { pools: [big, small], fallback: quick, deadlines: { auto: 100ms } }
  quick: { pools: [small] }
  chat: { pools: [talk] }
pools:
  big: { model: coder-7b, deadlines: { auto: 200ms, invoked: 2s } }
  small: { model: coder-3b }
  talk: { model: coder-32b }
tenants:
  acme: { models: [inline] }
  lab: { models: [chat, quick], default: quick, quotas: { sessions: 5 } }
  batch: { models: [small] }
`;

test.each([
  ["acme", "", { tier: "inline", pools: ["big", "small"] }],
  ["acme", "inline", { tier: "inline", pools: ["big", "small"] }],
  ["acme", "big", { tier: "", pools: ["big"] }],
  ["acme", "quick", { tier: "quick", pools: ["small"] }],
  ["acme", "coder-7b", { tier: "", pools: ["big"] }],
  ["acme", "chat", undefined],
  ["acme", "talk", undefined],
  ["acme", "coder-32b", undefined],
  ["acme", "toString", undefined],
  ["lab", "", { tier: "quick", pools: ["small"] }],
  ["lab", "chat", { tier: "chat", pools: ["talk"] }],
  ["batch", "", { tier: "", pools: ["small"] }],
  ["batch", "quick", undefined],
  ["anyone", "", { tier: "inline", pools: ["big", "small"] }],
  ["anyone", "coder-32b", { tier: "", pools: ["talk"] }],
  ["constructor", "", { tier: "inline", pools: ["big", "small"] }],
])("%s who asks for %o is led to %o", (tenant, model, want) => {
  const route = room(text).policy.of(tenant).route(model);
  expect(route && { tier: route.tier, pools: route.pools }).toEqual(want);
});

test("a tier's deadlines stand before its preferred pool's, and its fallback comes with it", () => {
  const route = room(text).policy.of("acme").route("");
  expect(route?.deadlines).toEqual({ auto: 100, invoked: 2_000 });
  expect(route?.fallback).toMatchObject({ tier: "quick", pools: ["small"], fallback: undefined });
});

test.each([
  ["inline", 6_144],
  ["quick", 2_048],
  ["big", 8_192],
  ["m", 8_192],
  ["open", undefined],
])("what asks for %s may have a prompt of %o bytes: the tier's bound, else its preferred pool's", (name, want) => {
  const { policy } = room(`
version: 1
pools: { big: { model: m, prompt: 8KiB }, small: { prompt: "2048" }, free: {} }
tiers: { inline: { pools: [big, small], prompt: 6KiB }, quick: { pools: [small] }, open: { pools: [free, small] } }
`);
  expect(policy.of("acme").route(name)?.promptBytesMax).toBe(want);
});

test("a tenant's lists narrow the document's, and its other policies stand in their place", () => {
  const { policy } = room(`
version: 1
policies: { languages: [go, rust], excludedPaths: ["**/.env"], keepText: true }
tenants:
  acme: { policies: { languages: [rust, c], excludedPaths: [secrets/], keepText: false } }
  off: { policies: { completions: false } }
  none: { policies: { languages: [c] } }
`);
  const acme = policy.of("acme");
  expect(["go", "rust", "c"].map((language) => acme.completes(language))).toEqual([false, true, false]);
  expect(["a/.env", "x/secrets/k/a.go", "a.go"].map((each) => acme.excludes(each))).toEqual([true, true, false]);
  expect([acme.keepText, policy.of("other").keepText]).toEqual([false, true]);
  expect([policy.of("off").completes("go"), policy.of("none").completes("go"), policy.of("none").completes("c")]).toEqual([
    false,
    false,
    false,
  ]);
});

test("a new version holds from then on; a bad one leaves the last good in place and is told of", async () => {
  const { policy, clock, metrics } = room("version: 1\ntenants: { a: { quotas: { sessions: 1 } } }");
  let told = 0;
  using _ = policy.onChange(() => {
    told += 1;
  });
  writeFileSync(path, "version: 2\ntenants: { a: { quotas: { sessions: 2 } } }");
  await clock.advance(1_000);
  expect([policy.of("a").quotas.sessions, policy.state.version, told]).toEqual([2, 2, 1]);
  writeFileSync(path, "version: 3\ntenants: { a: { quotas: { sessions: none } } }");
  await clock.advance(1_000);
  expect([policy.of("a").quotas.sessions, policy.state.version, told]).toEqual([2, 2, 1]);
  expect(policy.state.problem).toContain("tenants.a.quotas.sessions: is not a number");
  rmSync(path);
  await clock.advance(1_000);
  expect(policy.state.problem).toContain("there is no such file");
  writeFileSync(path, "version: 4");
  await clock.advance(1_000);
  expect([policy.of("a").quotas, policy.state.version, policy.state.problem, told]).toEqual([{}, 4, undefined, 2]);
  expect(["applied", "refused"].map((result) => metrics.count("policy_loads_total", { result }))).toEqual([3, 2]);
  policy.close();
  expect(clock.waiting).toBe(0);
});

test("a document that is wrong at the start is an error, and nothing waits", () => {
  writeFileSync(path, "version: 0");
  const clock = new FakeClock();
  const deps = { clock, log: silentLog, metrics: new RecordedMetrics(routerMetricTable).metrics };
  expect(() => new Policy({ path, everyMs: 1_000, tenantsMax: 10 }, deps)).toThrow("version: must be at least 1");
  expect(clock.waiting).toBe(0);
});
