import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { systemClock } from "../../lib/clock.ts";
import { createLog, silentLog } from "../../lib/log.ts";
import { seeded } from "../../lib/random.ts";
import { FakeApiserver } from "../../test/support/fake-apiserver.ts";
import { kubeOf } from "../../test/support/kube.ts";
import { until } from "../../test/support/until.ts";
import { kinds } from "../objects.ts";
import { type Change, Kube, type Reflector } from "./kube.ts";

let server: FakeApiserver;
const open: Kube[] = [];

beforeEach(async () => {
  server = await FakeApiserver.start();
});
afterEach(async () => {
  for (const kube of open.splice(0)) await kube.close();
  await server[Symbol.asyncDispose]();
});

const map = (name: string, data: Record<string, string> = {}) => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { namespace: "code", name, labels: { app: "a" } },
  data,
});

function follow(options: Parameters<typeof kubeOf>[1] = {}, changed: (change: Change) => void = () => undefined): Reflector {
  const kube = kubeOf(server, options);
  open.push(kube);
  const indexes = {
    app: ({ metadata }: { metadata: { labels?: Readonly<Record<string, string>> } }) => [metadata.labels?.["app"] ?? ""],
  };
  const reflector = kube.reflect({ kind: kinds.ConfigMap, indexes }, changed);
  kube.start();
  return reflector;
}

const lists = () => server.asked.filter(({ query, path }) => path.endsWith("configmaps") && query.get("watch") === null).length;
const watches = () => server.asked.filter(({ query }) => query.get("watch") === "true");

test("a kind is listed in pages, then watched from there with bookmarks and an end of its own", async () => {
  for (let i = 0; i < 7; i++) server.storage.create("configmaps", map(`m${i}`));
  const reflector = follow({ reflector: { pageSize: 3 } as never });
  await until("all are there", () => reflector.synced && reflector.store.size === 7);
  expect(lists()).toBe(3);
  await until("it watches", () => server.watching === 1);
  const { query } = watches()[0] as (typeof server.asked)[number];
  expect(query.get("allowWatchBookmarks")).toBe("true");
  expect(query.get("resourceVersion")).toBe(String(server.storage.version));
  expect(Number(query.get("timeoutSeconds"))).toBeGreaterThanOrEqual(300);
  server.storage.create("configmaps", map("new"));
  await until("the new one is there", () => reflector.store.get("code/new") !== undefined);
});

test.each([
  ["a connection that breaks", () => server.breakAll()],
  ["a watch that ends", () => server.endWatches()],
])("%s is followed on from the last version, without a list", async (_, hurt) => {
  server.storage.create("configmaps", map("a"));
  const reflector = follow();
  await until("it watches", () => server.watching === 1);
  hurt();
  server.storage.create("configmaps", map("meanwhile"));
  await until("what came meanwhile is there", () => reflector.store.get("code/meanwhile") !== undefined);
  expect(lists()).toBe(1);
});

test("an apiserver that fails at the first list and for a while does not end it", async () => {
  let failures = 0;
  server.before = () => (failures++ < 12 ? { status: 500 } : undefined);
  const reflector = follow();
  server.storage.create("configmaps", map("a"));
  await until("it is there in the end", () => reflector.store.size === 1);
});

test("a version that is too old, told in the stream or at once, lists anew; what went meanwhile is told with its last state", async () => {
  server.storage.create("configmaps", map("goes", { was: "here" }));
  const gone: Change[] = [];
  const reflector = follow({}, (change) => {
    if (!change.after) gone.push(change);
  });
  await until("it watches", () => server.watching === 1);
  server.before = ({ query }) => (query.get("watch") === "true" ? { status: 503 } : undefined);
  server.endWatches();
  await until("nothing watches", () => server.watching === 0);
  server.storage.delete("configmaps", "code", "goes");
  server.storage.create("configmaps", map("comes"));
  server.storage.compact();
  server.before = undefined;
  await until("it is told", () => gone.length === 1 && reflector.store.get("code/comes") !== undefined);
  expect(gone[0]?.before?.["data"]).toEqual({ was: "here" });
  expect(lists()).toBe(2);
  server.before = ({ query }) => (query.get("watch") === "true" && lists() === 2 ? { status: 410, reason: "Gone" } : undefined);
  server.endWatches();
  await until("a 410 for an answer lists too", () => lists() === 3);
});

test("a watch that falls silent is left, and begun anew", async () => {
  const reflector = follow({ reflector: { silenceMs: 40 } as never });
  server.before = ({ query }) => (query.get("watch") === "true" && watches().length < 3 ? "silence" : undefined);
  await until("a third watch is begun", () => watches().length >= 3);
  server.storage.create("configmaps", map("after"));
  await until("and followed", () => reflector.store.get("code/after") !== undefined);
});

test("a connection that is half open is found by a ping, and replaced", async () => {
  const pipes: [Socket, Socket][] = [];
  const between = createServer((near) => {
    const far = connect(server.port, "127.0.0.1");
    near.on("error", () => far.destroy()).pipe(far);
    far.on("error", () => near.destroy()).pipe(near);
    pipes.push([near, far]);
  });
  await new Promise<void>((resolve) => between.listen(0, "127.0.0.1", resolve));
  const target = { ...server.target(), server: `http://127.0.0.1:${(between.address() as AddressInfo).port}` };
  const kube = new Kube(
    { manager: "slipstream", rest: { pauseMs: 2 }, connection: { pingEveryMs: 20, pingTimeoutMs: 50 } },
    { target, clock: systemClock, random: seeded(1), log: silentLog },
  );
  open.push(kube);
  await kube.cluster.list(kinds.ConfigMap);
  // Nothing is closed and nothing comes through any more.
  for (const [near, far] of pipes) {
    near.unpipe(far).resume();
    far.unpipe(near).resume();
  }
  await kube.cluster.list(kinds.ConfigMap);
  expect(pipes.length).toBeGreaterThanOrEqual(2);
  for (const [near, far] of pipes) {
    near.destroy();
    far.destroy();
  }
  between.close();
});

test("a handler that throws is told of, ends nothing, and the next change comes", async () => {
  const lines: string[] = [];
  const log = createLog({ process: "operator", level: "error" }, { write: (line) => lines.push(line) });
  const seen: string[] = [];
  follow({ log }, ({ key }) => {
    seen.push(key);
    throw new Error("of the handler");
  });
  server.storage.create("configmaps", map("a"));
  server.storage.create("configmaps", map("b"));
  await until("both were told", () => seen.length === 2);
  expect(lines.join()).toContain("of the handler");
});

test("objects are found by index; fields that nobody reads are dropped, those that nobody knows are kept", async () => {
  const rich = map("a");
  Object.assign(rich.metadata, {
    managedFields: [{ manager: "x" }],
    annotations: { "kubectl.kubernetes.io/last-applied-configuration": "{}", mine: "1" },
  });
  server.storage.create("configmaps", { ...rich, fieldOfTheFuture: { x: 1 } });
  const reflector = follow();
  await until("it is there", () => reflector.store.size === 1);
  const [found] = reflector.store.by("app", "a");
  expect(found?.["fieldOfTheFuture"]).toEqual({ x: 1 });
  expect(found?.metadata.managedFields).toBeUndefined();
  expect(found?.metadata.annotations).toEqual({ mine: "1" });
  server.storage.change("configmaps", "code", "a", (object) => {
    object.metadata.labels.app = "b";
  });
  await until(
    "the index follows",
    () => reflector.store.by("app", "b").length === 1 && reflector.store.by("app", "a").length === 0,
  );
});

test("versions are opaque: one that is no number is passed on as it is", async () => {
  const reflector = follow();
  await until("it watches", () => server.watching === 1);
  for (const listener of server.storage.listeners)
    listener({
      version: 99,
      type: "ADDED",
      object: { ...map("odd"), metadata: { ...map("odd").metadata, resourceVersion: "x-9" } },
    });
  await until("it is there", () => reflector.store.get("code/odd") !== undefined);
  server.endWatches();
  await until("it goes on from there", () => watches().at(-1)?.query.get("resourceVersion") === "x-9");
});
