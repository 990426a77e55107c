import { afterEach, beforeEach, expect, test } from "vitest";
import { Registry } from "../../lib/metrics.ts";
import { FakeApiserver } from "../../test/support/fake-apiserver.ts";
import { kubeOf } from "../../test/support/kube.ts";
import { createOperatorMetrics } from "../metrics.ts";
import { kinds } from "../objects.ts";
import type { Kube } from "./kube.ts";

let server: FakeApiserver;
let kube: Kube;

beforeEach(async () => {
  server = await FakeApiserver.start();
  kube = kubeOf(server);
});
afterEach(async () => {
  await kube.close();
  await server[Symbol.asyncDispose]();
});

const map = (data: Record<string, string>, more: object = {}) => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { namespace: "code", name: "a" },
  data,
  ...more,
});
const live = () => server.storage.objects.get("configmaps/code/a");
const writes = () => server.asked.filter((asked) => asked.writes);

test("three hundred calls take one connection", async () => {
  for (let i = 0; i < 300; i++) await kube.cluster.get(kinds.ConfigMap, "code", `m${i}`);
  await Promise.all(Array.from({ length: 50 }, () => kube.cluster.list(kinds.ConfigMap)));
  expect(server.connections).toBe(1);
});

test("what is applied is sent whole, forced, under our name, and passes through though no type knows it", async () => {
  await kube.cluster.apply(map({ x: "1" }, { fieldOfTheFuture: { deep: [1] } }));
  expect(live().fieldOfTheFuture).toEqual({ deep: [1] });
  const { query, body } = writes()[0] as (typeof server.asked)[number];
  expect([query.get("fieldManager"), query.get("force")]).toEqual(["slipstream", "true"]);
  expect(JSON.parse(body).metadata.resourceVersion).toBeUndefined();
});

test("applying the same again sends nothing; drift, and what is no longer wanted, are put right", async () => {
  await kube.cluster.apply(map({ x: "1", y: "2" }));
  expect(await kube.cluster.apply(map({ x: "1", y: "2" }), live())).toBe(false);
  expect(writes()).toHaveLength(1);
  server.storage.change("configmaps", "code", "a", (object) => {
    object.data.x = "drifted";
    object.data.foreign = "stays";
  });
  expect(await kube.cluster.apply(map({ x: "1", y: "2" }), live())).toBe(true);
  expect(live().data).toEqual({ x: "1", y: "2", foreign: "stays" });
  expect(await kube.cluster.apply(map({ x: "1" }), live())).toBe(true);
  expect(live().data).toEqual({ x: "1", foreign: "stays" });
});

test("quantities and defaults that the apiserver writes its own way are no drift", async () => {
  const wanted = map({}, { spec: { cpu: "1000m", memory: "1024Mi", list: [{ name: "a", v: 1 }], none: {}, off: false } });
  await kube.cluster.apply(wanted);
  server.storage.change("configmaps", "code", "a", (object) => {
    object.spec = { cpu: "1", memory: "1Gi", list: [{ name: "injected" }, { name: "a", v: 1, more: true }], defaulted: 5 };
  });
  expect(await kube.cluster.apply(wanted, live())).toBe(false);
});

test("429 and 5xx are tried again after what Retry-After says; other answers are not", async () => {
  const faults = [{ status: 429, retryAfter: 0 }, { status: 503 }, { status: 500 }];
  server.before = () => faults.shift();
  await kube.cluster.apply(map({ x: "1" }));
  expect(writes()).toHaveLength(4);
  server.before = () => ({ status: 422, reason: "Invalid" });
  await expect(kube.cluster.apply(map({ x: "2" }))).rejects.toMatchObject({ code: "invalid_request", reason: "Invalid" });
  server.before = () => ({ status: 403 });
  await expect(kube.cluster.apply(map({ x: "2" }))).rejects.toMatchObject({ code: "permission_denied" });
  expect(writes()).toHaveLength(6);
});

test("a lost connection is made anew, and an apply whose answer was lost is sent again to the same end", async () => {
  let lost = 0;
  server.after = () => (lost++ === 0 ? "drop" : undefined);
  await kube.cluster.apply(map({ x: "1" }));
  expect(live().data).toEqual({ x: "1" });
  expect(server.connections).toBe(2);
});

test("a create is not sent again when nobody knows whether it was done", async () => {
  server.after = () => "drop";
  await expect(kube.cluster.create(map({}))).rejects.toMatchObject({ code: "unavailable" });
  expect(writes()).toHaveLength(1);
});

test("an answer that does not come is not waited for", async () => {
  await kube.close();
  kube = kubeOf(server, { rest: { timeoutMs: 30, triesMax: 2 } });
  server.before = () => "silence";
  await expect(kube.cluster.get(kinds.ConfigMap, "code", "a")).rejects.toMatchObject({ code: "unavailable" });
  expect(server.asked).toHaveLength(2);
});

test("calls keep to their rate, and are counted under the names that dashboards know", async () => {
  const registry = new Registry();
  await kube.close();
  kube = kubeOf(server, { rest: { perSecond: 100, burst: 2 }, metrics: createOperatorMetrics(registry).client });
  await Promise.all(Array.from({ length: 6 }, () => kube.cluster.get(kinds.ConfigMap, "code", "a")));
  const text = await registry.metrics();
  expect(text).toContain('rest_client_requests_total{code="404",method="GET"} 6');
  const waited = Number(/rest_client_rate_limiter_duration_seconds_sum (\S+)/.exec(text)?.[1]);
  // The last of six waits for four tokens, 10 ms each; all of them together for 100.
  expect(waited).toBeGreaterThan(0.08);
});

test("what is gone may be removed, and another of its name is left alone", async () => {
  await kube.cluster.remove(map({}));
  const made = server.storage.create("configmaps", map({}));
  await kube.cluster.remove({ ...made, metadata: { ...made.metadata, uid: "another" } });
  expect(live()).toBeDefined();
  await kube.cluster.remove(made);
  expect(live()).toBeUndefined();
});

test("a pod that is changed meanwhile is told in vain, which is an error; another pod of its name is not meant", async () => {
  const made = server.storage.create("pods", { apiVersion: "v1", kind: "Pod", metadata: { namespace: "code", name: "p" } });
  const pod = { apiVersion: "v1", kind: "Pod", metadata: { namespace: "code", name: "p", uid: made.metadata.uid } };
  server.before = () => ({ status: 409, reason: "Conflict" });
  await expect(kube.cluster.patchPodConditions(pod, [])).rejects.toMatchObject({ code: "conflict" });
  await expect(kube.cluster.annotatePod(pod, { a: "1" })).rejects.toMatchObject({ code: "conflict" });
  server.before = undefined;
  const other = { ...pod, metadata: { ...pod.metadata, uid: "another" } };
  await kube.cluster.annotatePod(other, { a: "1" });
  expect(server.storage.objects.get("pods/code/p").metadata.annotations).toBeUndefined();
});

test("who asks is asked for at each call: a renewed token counts", async () => {
  await kube.cluster.get(kinds.ConfigMap, "code", "a");
  expect(server.asked[0]?.user).toBe("operator");
});
