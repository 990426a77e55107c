// A TensorRT engine that fails to be built, and is built then, on a real control plane with its own controllers of Jobs and Deployments
// and its own admission: the example as it is committed, under the restricted profile. The test says of pods what a kubelet would.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { systemClock, writtenTime } from "../../lib/clock.ts";
import { silentLog } from "../../lib/log.ts";
import { seeded } from "../../lib/random.ts";
import type { Kube } from "../../operator/kube/kube.ts";
import { kinds } from "../../operator/objects.ts";
import { Operator } from "../../operator/wire.ts";
import { root } from "../../tools/child.ts";
import type { Loose } from "../support/cluster-objects.ts";
import { ControlPlane, controlPlane } from "../support/control-plane.ts";
import { installed, send } from "../support/install.ts";
import { until } from "../support/until.ts";

const patienceMs = 60_000;

describe.skipIf(controlPlane.path === undefined)("on a real control plane", () => {
  let plane: ControlPlane;
  let kube: Kube;
  let operator: Operator;
  let running: Promise<void>;

  beforeAll(async () => {
    plane = await ControlPlane.start();
    kube = plane.kube();
    await installed(kube, []);
    await plane.controllers();
    const path = "/api/v1/namespaces/slipstream-system/serviceaccounts/slipstream-operator/token";
    const asked = { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: { expirationSeconds: 3_600 } };
    const { body } = await send(kube, "POST", asked, "", path);
    operator = new Operator(
      {
        setting: { image: "slipstream:test", namespace: "slipstream-system", natsServers: [], bus: false },
        ...{ namespaces: ["code"], name: "operator", atOnce: 4, kube: { rest: { perSecond: 500, burst: 500 } } },
        lease: { namespace: "slipstream-system", name: "lease", leaseMs: 15_000, renewMs: 9_000, retryMs: 750 },
      },
      { target: plane.target(body.status.token), clock: systemClock, random: seeded(1), log: silentLog },
    );
    const text = readFileSync(join(root, "docs/examples/tensorrt-built.yaml"), "utf8");
    for (const document of parseAllDocuments(text)) {
      const object = document.toJS() as Loose;
      const { message } = await send(kube, "POST", object, "", object.kind === "Namespace" ? "/api/v1/namespaces" : undefined);
      expect(message).toBe("");
    }
    running = operator.run().catch(() => undefined);
  }, 120_000);
  afterAll(async () => {
    await operator?.close();
    await running;
    await kube?.close();
    await plane?.[Symbol.asyncDispose]();
  });

  const jobs = async () => (await kube.cluster.list(kinds.Job, "code", "slipstream.dev/engine")) as Loose[];
  const condition = async (kind: "ModelCache" | "WorkerPool", name: string, wanted: string): Promise<string> => {
    const conditions = (await kube.cluster.get(kinds[kind], "code", name))?.status?.conditions as Loose[] | undefined;
    const found = conditions?.find(({ type }) => type === wanted);
    return `${found?.status} ${found?.reason}: ${found?.message}`;
  };
  async function told(kind: "ModelCache" | "WorkerPool", name: string, type: string, wanted: RegExp): Promise<void> {
    await until(`${name} says ${wanted}`, async () => wanted.test(await condition(kind, name, type)), patienceMs).catch(
      () => undefined,
    );
    expect(await condition(kind, name, type)).toMatch(wanted);
  }
  /** The one pod of a Job that has not ended, ended with these last words. */
  async function ends(job: string, exitCode: number, message: string): Promise<void> {
    const open = async () => {
      const pods = (await kube.cluster.list(kinds.Pod, "code", `job-name=${job}`)) as Loose[];
      return pods.find(({ status }) => status?.phase === "Pending");
    };
    await until(`${job} has a pod`, async () => (await open()) !== undefined, patienceMs);
    const { metadata, spec } = (await open()) as Loose;
    const now = writtenTime(systemClock.wall()).replace(/\.\d+Z$/, "Z");
    const terminated = { exitCode, message, reason: exitCode === 0 ? "Completed" : "Error", startedAt: now, finishedAt: now };
    const containerStatuses = spec.containers.map(({ name, image }: Loose) => ({
      ...{ name, image, imageID: "", ready: false, restartCount: 0, state: { terminated } },
    }));
    const status = { phase: exitCode === 0 ? "Succeeded" : "Failed", containerStatuses };
    const pod = { apiVersion: "v1", kind: "Pod", metadata: { name: metadata.name, namespace: "code" }, status };
    const said = await send(kube, "PATCH", pod, "", `/api/v1/namespaces/code/pods/${metadata.name}/status`);
    expect([said.status, said.status === 200 ? "" : said.message]).toEqual([200, ""]);
  }

  test("a build that fails is tried again, then told with its last words, and the pool says for what it waits", async () => {
    await told(
      "ModelCache",
      "coder-7b",
      "EnginesReady",
      /^False BuildingEngine: 0 of 1 are there; .*the model's files are not there yet$/,
    );
    expect(await jobs()).toEqual([]);
    await ends("coder-7b-fetch", 0, "");
    await until("the build is there", async () => (await jobs()).length === 1, patienceMs);
    const name = (await jobs())[0]?.metadata.name as string;
    await ends(name, 1, "loading\nout of memory on device 0\n");
    await told("ModelCache", "coder-7b", "EnginesReady", /BuildingEngine: .*try 2 of 2: out of memory on device 0$/);
    await ends(name, 1, "loading\nstill out of memory\n");
    await told("ModelCache", "coder-7b", "EnginesReady", /^False EngineBuildFailed: .*: still out of memory$/);
    await told("WorkerPool", "chat-7b", "ModelReady", /^False EngineBuildFailed: .*still out of memory/);
    expect(await condition("ModelCache", "coder-7b", "Ready")).toMatch(/^True Complete/);
    expect(await kube.cluster.list(kinds.Deployment, "code", "slipstream.dev/pool=chat-7b")).toEqual([]);
  }, 180_000);

  test("its Job deleted, it is built anew, and the pool's workers start from it", async () => {
    const [failed] = await jobs();
    await kube.cluster.remove(failed as never);
    await until(
      "another is there",
      async () => (await jobs()).some(({ metadata }) => metadata.uid !== failed?.metadata.uid),
      patienceMs,
    );
    await ends(failed?.metadata.name as string, 0, "");
    await told("ModelCache", "coder-7b", "EnginesReady", /^True Complete: 1 of 1 are there/);
    const workers = async () => (await kube.cluster.list(kinds.Pod, "code", "slipstream.dev/pool=chat-7b")) as Loose[];
    // Made by its controller, so that the restricted profile has let them in.
    await until("its workers are made", async () => (await workers()).length === 2, patienceMs);
    const engine = (await workers())[0]?.spec.containers.find(({ name }: Loose) => name === "engine");
    const { status } = (await kube.cluster.get(kinds.ModelCache, "code", "coder-7b")) as Loose;
    expect(status.engines[0]).toMatchObject({ gpuClass: "l40s", version: "1.2.1", tensor: 1, pipeline: 1, state: "Ready" });
    expect(engine.volumeMounts).toContainEqual(
      expect.objectContaining({ name: "engine", mountPath: "/models/engine", subPath: status.engines[0].name }),
    );
  }, 180_000);
});
