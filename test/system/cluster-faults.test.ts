// The operator on a real apiserver that is hurt, and hurt itself: killed at eight points, two at a time, a restart of the apiserver.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { systemClock } from "../../lib/clock.ts";
import { silentLog } from "../../lib/log.ts";
import { seeded } from "../../lib/random.ts";
import type { Kube } from "../../operator/kube/kube.ts";
import { type KindName, keyOf, kinds } from "../../operator/objects.ts";
import { Operator } from "../../operator/wire.ts";
import { root } from "../../tools/child.ts";
import { cpuPool, type Loose } from "../support/cluster-objects.ts";
import { ControlPlane, controlPlane } from "../support/control-plane.ts";
import { installed, send } from "../support/install.ts";
import { until } from "../support/until.ts";

const made: readonly KindName[] = [
  "Deployment",
  "Service",
  "ConfigMap",
  "PersistentVolumeClaim",
  "Job",
  "PodDisruptionBudget",
  "NetworkPolicy",
  "HorizontalPodAutoscaler",
];

describe.skipIf(controlPlane.path === undefined)("the operator on a real apiserver", () => {
  let plane: ControlPlane;
  let kube: Kube;
  let tokens = 0;

  beforeAll(async () => {
    plane = await ControlPlane.start();
    kube = plane.kube();
    await installed(kube, ["whole", ...Array.from({ length: 8 }, (_, i) => `killed-${i}`)]);
  }, 120_000);
  afterAll(async () => {
    await kube?.close();
    await plane?.[Symbol.asyncDispose]();
  });

  async function operator(
    namespace: string,
    lease: { name?: string; leaseMs?: number } = {},
  ): Promise<{ operator: Operator; running: Promise<void>; agent: string }> {
    const path = "/api/v1/namespaces/slipstream-system/serviceaccounts/slipstream-operator/token";
    const { body } = await send(
      kube,
      "POST",
      { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: { expirationSeconds: 3_600 } },
      "",
      path,
    );
    const name = `operator-${tokens++}`;
    const { leaseMs = 15_000 } = lease;
    const one = new Operator(
      {
        setting: { image: "slipstream:test", namespace: "slipstream-system", natsServers: [], bus: false },
        ...{ namespaces: [namespace], name, atOnce: 4, kube: { rest: { perSecond: 500, burst: 500 } } },
        lease: {
          namespace: "slipstream-system",
          name: lease.name ?? `lease-${namespace}`,
          leaseMs,
          renewMs: leaseMs * 0.6,
          retryMs: leaseMs / 20,
        },
      },
      { target: plane.target(body.status.token), clock: systemClock, random: seeded(tokens), log: silentLog },
    );
    return { operator: one, running: one.run().catch(() => undefined), agent: name };
  }

  const example = (namespace: string) =>
    parseAllDocuments(readFileSync(join(root, "docs/examples/onprem-l40s-h100.yaml"), "utf8"))
      .map((document) => document.toJS() as Loose)
      .filter(({ kind }) => kind !== "Namespace")
      .map((object) => (object.metadata.namespace ? { ...object, metadata: { ...object.metadata, namespace } } : object));

  async function put(namespace: string): Promise<void> {
    for (const object of example(namespace)) await send(kube, "POST", object);
  }

  /** Revisions differ by namespace: each is a space of its own on the bus. */
  async function shape(namespace: string): Promise<string[]> {
    const all = await Promise.all(made.map((kind) => kube.cluster.list(kinds[kind], namespace)));
    return all
      .flat()
      .map(
        (object) =>
          `${object.kind} ${keyOf(object)
            .slice(namespace.length)
            .replace(/-[0-9a-f]{10}(?=-|$)/, "-R")} ${object.kind === "ConfigMap" ? Object.keys(object["data"]).join() : ""}`,
      )
      .filter((line) => !line.includes("kube-root-ca"))
      .sort();
  }

  const complete = async (namespace: string) => {
    const [pools, deployments, services] = [
      await kube.cluster.list(kinds.WorkerPool, namespace),
      await kube.cluster.list(kinds.Deployment, namespace),
      await kube.cluster.list(kinds.CompletionService, namespace),
    ];
    return (
      deployments.length >= 1 &&
      [...pools, ...services].every(({ status, metadata }) => status?.observedGeneration === metadata.generation)
    );
  };

  /** Downloads done, as the controllers would tell. */
  async function downloaded(namespace: string): Promise<void> {
    for (const job of await kube.cluster.list(kinds.Job, namespace)) {
      const now = new Date().toISOString().replace(/\.\d+Z$/, "Z");
      const conditions = ["SuccessCriteriaMet", "Complete"].map((type) => ({
        type,
        status: "True",
        lastProbeTime: now,
        lastTransitionTime: now,
      }));
      const status = { startTime: now, completionTime: now, succeeded: 1, conditions };
      const path = `/apis/batch/v1/namespaces/${namespace}/jobs/${job.metadata.name}/status`;
      const { status: code, message } = await send(kube, "PATCH", { ...job, status }, "", path);
      expect(`${code} ${code > 299 ? message : ""}`).toBe("200 ");
    }
  }

  const bothRevisions = async (namespace: string) => (await kube.cluster.list(kinds.Deployment, namespace)).length === 3;

  test("killed at eight points, the one that follows brings the cluster to the same end", async () => {
    await put("whole");
    const first = await operator("whole");
    await until("the jobs are there", async () => (await kube.cluster.list(kinds.Job, "whole")).length === 4, 60_000);
    await downloaded("whole");
    await until("all is there", async () => (await bothRevisions("whole")) && (await complete("whole")), 60_000);
    await first.operator.close();
    const expected = await shape("whole");
    expect(expected.length).toBeGreaterThan(20);
    const random = seeded(8);
    for (let i = 0; i < 8; i++) {
      const namespace = `killed-${i}`;
      await put(namespace);
      const before = plane.audited().length;
      const victim = await operator(namespace);
      const at = 1 + Math.floor(random.next() * 30);
      const writes = () =>
        plane
          .audited()
          .slice(before)
          .filter(({ user, uri }) => user.includes("slipstream-operator") && uri.includes(namespace)).length;
      await until(`${at} writes`, () => writes() >= at, 30_000).catch(() => undefined);
      await victim.operator.kill();
      await kube.cluster.remove({ ...kindOfLease, metadata: { name: `lease-${namespace}`, namespace: "slipstream-system" } });
      const next = await operator(namespace);
      await until("the jobs are there", async () => (await kube.cluster.list(kinds.Job, namespace)).length === 4, 60_000);
      await downloaded(namespace);
      await until("all is there", async () => (await bothRevisions(namespace)) && (await complete(namespace)), 60_000);
      await next.operator.close();
      expect(await shape(namespace), `killed after write ${at}`).toEqual(expected);
    }
  }, 300_000);

  test("of two one leads; it is killed, the other takes over within the lease, and the audit log shows no write of both", async () => {
    const lease = { name: "of-two", leaseMs: 4_000 };
    const pair = [await operator("whole", lease), await operator("whole", lease)];
    await until("one leads", () => pair.some(({ operator: each }) => each.leading), 30_000);
    const leader = pair.find(({ operator: each }) => each.leading) as (typeof pair)[number];
    const other = pair.find((each) => each !== leader) as (typeof pair)[number];
    expect(other.operator.leading).toBe(false);
    await leader.operator.kill();
    const died = systemClock.now();
    await until("the other leads", () => other.operator.leading, 30_000);
    const tookMs = systemClock.now() - died;
    const before = plane.audited().length;
    await kube.cluster.remove({
      apiVersion: "policy/v1",
      kind: "PodDisruptionBudget",
      metadata: { name: "inline-7b-workers", namespace: "whole" },
    });
    await until(
      "it works",
      async () => (await kube.cluster.get(kinds.PodDisruptionBudget, "whole", "inline-7b-workers")) !== undefined,
      30_000,
    );
    const writes = plane
      .audited()
      .slice(before)
      .filter(
        ({ user, uri, verb }) =>
          user.includes("slipstream-operator") && verb !== "delete" && !uri.includes("/leases/") && !uri.includes("/events"),
      );
    expect(writes.filter(({ uri }) => uri.includes("poddisruptionbudgets"))).toHaveLength(1);
    process.stdout.write(`takeover after ${Math.round(tookMs)} ms, lease ${lease.leaseMs} ms\n`);
    await other.operator.close();
  }, 120_000);

  test("an apiserver that is killed and started anew is followed on", async () => {
    const one = await operator("whole", { name: "after-restart" });
    await until("it leads", () => one.operator.leading && one.operator.missing().length === 0, 30_000);
    await plane.restartApiserver();
    await until(
      "the apiserver takes a pool",
      async () =>
        (
          await send(
            kube,
            "POST",
            cpuPool((pool) => Object.assign(pool.metadata, { name: "late", namespace: "whole" })),
          ).catch(() => ({ status: 0 }))
        ).status === 201,
      60_000,
    );
    await until(
      "and the operator answers",
      async () => (await kube.cluster.list(kinds.Deployment, "whole")).some(({ metadata }) => metadata.name.startsWith("late-")),
      60_000,
    );
    await one.operator.close();
  }, 180_000);
});

const kindOfLease = { apiVersion: "coordination.k8s.io/v1", kind: "Lease" };
