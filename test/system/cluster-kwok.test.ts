// Examples as they are committed, on a real control plane whose nodes are kwok's with stages of our own, under the operator as
// a process of its own: they roll out side by side, each in a namespace of its own. Then pods start slowly and fail.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Kube } from "../../operator/kube/kube.ts";
import { type KindName, kinds } from "../../operator/objects.ts";
import { root } from "../../tools/child.ts";
import { findTool } from "../../tools/toolbox.ts";
import type { Loose } from "../support/cluster-objects.ts";
import { type Running, start } from "../support/command.ts";
import { ControlPlane, controlPlane, kwok } from "../support/control-plane.ts";
import { installed, send } from "../support/install.ts";
import { until } from "../support/until.ts";

const kubectl = findTool("kubectl");
const here = [controlPlane, kwok, kubectl].every(({ path }) => path !== undefined);

const examples = [
  { file: "onprem-l40s-h100.yaml", namespace: "onprem", service: "acme", serving: { "inline-7b": 8, "chat-32b": 2 } },
  { file: "vllm-draft-model.yaml", namespace: "draft", service: "acme", serving: { "inline-7b": 2 } },
  { file: "tensorrt-eagle3.yaml", namespace: "eagle3", service: "acme", serving: { "chat-32b": 2 } },
  { file: "tensorrt-built.yaml", namespace: "built", service: "acme", serving: { "chat-7b": 2 } },
  { file: "cpu-dev-pool.yaml", namespace: "code", service: "dev", serving: { dev: 1, pretend: 1 } },
] as const;

/** The example, in a namespace of its own: their pools share names. */
const inNamespace = (file: string, namespace: string): string =>
  readFileSync(join(root, "docs/examples", file), "utf8")
    .replaceAll("namespace: code", `namespace: ${namespace}`)
    .replace("metadata: { name: code,", `metadata: { name: ${namespace},`);

const taint = { key: "nvidia.com/gpu", value: "present", effect: "NoSchedule" };
const l40s = { "nvidia.com/gpu.product": "NVIDIA-L40S" };
const h100 = { "nvidia.com/gpu.product": "NVIDIA-H100-80GB-HBM3" };

function node(name: string, labels: object = {}, gpus = 0): Loose {
  const own = { cpu: "64", memory: "512Gi", pods: "110", "ephemeral-storage": "500Gi" };
  const capacity = gpus > 0 ? { ...own, "nvidia.com/gpu": String(gpus) } : own;
  return {
    ...{ apiVersion: "v1", kind: "Node", metadata: { name, labels: { "kubernetes.io/hostname": name, ...labels } } },
    ...{ spec: { taints: labels === l40s || labels === h100 ? [taint] : [] }, status: { capacity, allocatable: capacity } },
  };
}

/** GPUs by dynamic resource allocation: a class, and what a node's driver would say it has. */
const driver = "gpu.nvidia.com";
const claimable = (nodeName: string, count: number): Loose[] => [
  {
    ...{ apiVersion: "resource.k8s.io/v1", kind: "DeviceClass", metadata: { name: driver } },
    spec: { selectors: [{ cel: { expression: `device.driver == "${driver}"` } }] },
  },
  {
    ...{ apiVersion: "resource.k8s.io/v1", kind: "ResourceSlice", metadata: { name: nodeName } },
    spec: {
      ...{ driver, nodeName, pool: { name: nodeName, generation: 1, resourceSliceCount: 1 } },
      devices: Array.from({ length: count }, (_, i) => ({
        ...{ name: `gpu-${i}`, attributes: { productName: { string: "NVIDIA H100 80GB HBM3" } } },
      })),
    },
  },
];

const volume = (name: string): Loose => ({
  ...{ apiVersion: "v1", kind: "PersistentVolume", metadata: { name } },
  spec: {
    ...{ capacity: { storage: "100Gi" }, accessModes: ["ReadWriteMany"], hostPath: { path: "/models" }, storageClassName: "" },
  },
});

describe.skipIf(!here)("on kwok's nodes", () => {
  const folder = mkdtempSync(join(tmpdir(), "slipstream-kwok-"));
  let plane: ControlPlane;
  let kube: Kube;
  let operator: Running;

  const run = (words: readonly string[], input?: string) =>
    execFileSync(kubectl.path as string, [...words, "--kubeconfig", plane.kubeconfig], { encoding: "utf8", input });
  const ready = async (kind: KindName, namespace: string, name: string): Promise<Loose> =>
    (await kube.cluster.get(kinds[kind], namespace, name))?.status?.conditions?.find(({ type }: Loose) => type === "Ready");
  const podsOf = (namespace: string, pool: string): Promise<readonly Loose[]> =>
    kube.cluster.list(kinds.Pod, namespace, `slipstream.dev/pool=${pool}`);
  const holds = (pod: Loose, wanted: string) =>
    pod.status?.conditions?.some(({ type, status }: Loose) => type === wanted && status === "True") === true;
  const fail = (namespace: string, pod: Loose, how: string) =>
    run(["annotate", "pod", pod.metadata.name, "-n", namespace, `slipstream.dev/test-failure${how}`]);
  const warmIn = (pod: Loose, after: string) =>
    run([
      ...["annotate", "pod", pod.metadata.name, "-n", pod.metadata.namespace, "--overwrite"],
      `slipstream.dev/test-cold-start=${after}`,
    ]);
  /** Waits for the pool's Ready, and shows what it was where it never comes. */
  async function told(namespace: string, pool: string, wanted: RegExp): Promise<void> {
    let said = "";
    await until(
      `${pool} says ${wanted}`,
      async () => {
        const seen = await ready("WorkerPool", namespace, pool);
        said = `${seen?.status} ${seen?.reason}: ${seen?.message}`;
        return wanted.test(said);
      },
      60_000,
    ).catch(() => undefined);
    expect(said).toMatch(wanted);
  }

  beforeAll(async () => {
    plane = await ControlPlane.start();
    kube = plane.kube();
    await installed(kube, []);
    await plane.controllers();
    await plane.scheduler();
    await plane.pretend();
    const nodes = [node("cpu-1"), node("l40s-1", l40s, 8), node("l40s-2", l40s, 8), node("h100-1", h100, 4), node("h100-2", h100)];
    const volumes = Array.from({ length: 8 }, (_, i) => volume(`models-${i}`));
    for (const object of [...nodes, ...claimable("h100-2", 4)]) expect((await send(kube, "POST", object)).message).toBe("");
    for (const object of volumes) await send(kube, "POST", object, "", "/api/v1/persistentvolumes");
    const token = run(["create", "token", "slipstream-operator", "-n", "slipstream-system", "--duration=1h"]).trim();
    const kubeconfig = join(folder, "kubeconfig");
    writeFileSync(kubeconfig, readFileSync(plane.kubeconfig, "utf8").replace(/token: [^ ]+/, `token: ${token}`), { mode: 0o600 });
    operator = await start(process.execPath, ["bin/slipstream.js", "operator"], /"leads"/, {
      ...{ SLIPSTREAM_OPERATOR_KUBECONFIG: kubeconfig, SLIPSTREAM_OPERATOR_NAMESPACE: "slipstream-system" },
      ...{ SLIPSTREAM_OPERATOR_ADMIN_ADDRESS: "127.0.0.1:0", SLIPSTREAM_OPERATOR_IMAGE: "slipstream:test" },
    });
  }, 180_000);
  afterAll(async () => {
    await operator?.end("SIGTERM");
    await kube?.close();
    await plane?.[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  test("nodes are ready, with the GPUs that they were made with and without the taint of new ones", async () => {
    const nodes = async () => (await kube.cluster.list(kinds.Node)) as Loose[];
    const fresh = ({ key }: Loose) => key === "node.kubernetes.io/not-ready";
    await until("they are", async () => (await nodes()).every((each) => holds(each, "Ready") && !each.spec.taints?.some(fresh)));
    const gpus = (await nodes()).map(({ metadata, status }) => [metadata.name, status.allocatable["nvidia.com/gpu"] ?? "0"]);
    expect(Object.fromEntries(gpus)).toEqual({ "cpu-1": "0", "l40s-1": "8", "l40s-2": "8", "h100-1": "4", "h100-2": "0" });
  }, 60_000);

  test("the examples roll out, and kubectl get prints what a person asks first", async () => {
    for (const { file, namespace } of examples) run(["apply", "--server-side", "-f", "-"], inNamespace(file, namespace));
    for (const { namespace, service } of examples)
      await until(
        `${namespace} is ready`,
        async () => (await ready("CompletionService", namespace, service))?.status === "True",
        90_000,
      ).catch(() => undefined);
    const table = run(["get", "wp,cps,mc", "-A"]);
    process.stdout.write(table);
    for (const { namespace, service, serving } of examples) {
      const { status, message } = (await ready("CompletionService", namespace, service)) ?? {};
      expect({ namespace, status, message }).toEqual({ namespace, status: "True", message });
      for (const [pool, wanted] of Object.entries(serving)) {
        await told(namespace, pool, /^True Complete/);
        expect([pool, (await podsOf(namespace, pool)).filter((pod) => holds(pod, "Ready")).length]).toEqual([pool, wanted]);
      }
    }
    expect(table.split("\n")[0]?.split(/\s+/)).toEqual(
      expect.arrayContaining(["READY", "REASON", "TIER", "REPLICAS", "P95", "GPU", "MODEL", "AGE"]),
    );
    expect(run(["get", "wp", "inline-7b", "-n", "onprem", "--no-headers"]).split(/\s+/).slice(0, 5)).toEqual([
      ...["inline-7b", "True", "Complete", "Inline", "8/8"],
    ]);
  }, 150_000);

  test("an engine is built once, and a version whose engine is not there yet leaves the old one serving", async () => {
    const engines = async () => {
      const jobs = (await kube.cluster.list(kinds.Job, "built", "slipstream.dev/engine")) as Loose[];
      return jobs.map((job) => [job.spec.template.spec.containers[0].image, holds(job, "Complete")]);
    };
    const image = (version: string) => `nvcr.io/nvidia/tensorrt-llm/release:${version}`;
    const images = async () => {
      const pods = (await podsOf("built", "chat-7b")).filter((pod) => holds(pod, "Ready"));
      return pods.map(({ spec }) => spec.containers[0].image);
    };
    const patch = (kind: string, name: string, changes: readonly object[]) =>
      run(["patch", kind, name, "-n", "built", "--type=json", "-p", JSON.stringify(changes)]);
    expect(await engines()).toEqual([[image("1.2.1"), true]]);
    expect(await images()).toEqual([image("1.2.1"), image("1.2.1")]);

    patch("wp", "chat-7b", [{ op: "replace", path: "/spec/engine/version", value: "1.1.0" }]);
    await told("built", "chat-7b", /^True RolloutStalled: 2 of 2 workers serve, of the old revision .* name none for .* 1[.]1[.]0/);
    expect(await images()).toEqual([image("1.2.1"), image("1.2.1")]);

    patch("mc", "coder-7b", [{ op: "add", path: "/spec/engines/-", value: { gpuClassRef: "l40s", version: "1.1.0" } }]);
    await told("built", "chat-7b", /^True Complete/);
    await until("all serve the new one", async () => (await images()).join() === [image("1.1.0"), image("1.1.0")].join(), 60_000);
    expect(new Map((await engines()) as [string, boolean][])).toEqual(
      new Map([image("1.2.1"), image("1.1.0")].map((of) => [of, true])),
    );
    process.stdout.write(`${run(["get", "mc", "coder-7b", "-n", "built", "-o", "jsonpath={.status.engines}"])}\n`);
  }, 150_000);

  test("a pod is ready by its gates: its node opens none, the operator opens the one of its pools", async () => {
    const [dev] = JSON.parse(
      run(["get", "pods", "-n", "code", "-l", "slipstream.dev/pool=dev", "-o", "json", "--show-managed-fields"]),
    ).items as Loose[];
    const writers = (type: string) =>
      ((dev as Loose).metadata.managedFields as Loose[])
        .filter(({ fieldsV1 }) => fieldsV1["f:status"]?.["f:conditions"]?.[`k:{"type":"${type}"}`] !== undefined)
        .map(({ manager }) => manager);
    expect([writers("Ready"), writers("slipstream.dev/warm")]).toEqual([["kwok"], ["slipstream-operator"]]);
    const bare = { metadata: { name: "bare", namespace: "default" }, spec: { containers: [{ name: "any", image: "any" }] } };
    await send(kube, "POST", {
      ...{ apiVersion: "v1", kind: "Pod", metadata: bare.metadata },
      spec: { ...bare.spec, readinessGates: [{ conditionType: "example.com/open" }] },
    });
    const seen = () => kube.cluster.get(kinds.Pod, "default", "bare") as Promise<Loose>;
    const gate = (status: string) =>
      run([
        ...["patch", "pod", "bare", "-n", "default", "--subresource=status", "--type=strategic", "-p"],
        JSON.stringify({ status: { conditions: [{ type: "example.com/open", status }] } }),
      ]);
    await until("its containers are ready", async () => holds(await seen(), "ContainersReady"));
    expect(holds(await seen(), "Ready")).toBe(false);
    gate("True");
    await until("it is ready", async () => holds(await seen(), "Ready"));
    gate("False");
    await until("it is not any more", async () => !holds(await seen(), "Ready"));
  }, 60_000);

  test("a crash loop and a kill for memory of one pod are in the pool's Ready, and gone with the cause", async () => {
    const [first, second] = await podsOf("onprem", "inline-7b");
    fail("onprem", first as Loose, "=CrashLoopBackOff");
    await told(
      ...(["onprem", "inline-7b"] as const),
      /CrashLoop: 7 of 8 workers serve: pod inline-7b-\S+: container \S+ ended 3 times, last with 1 status: the model's files are not whole/,
    );
    fail("onprem", second as Loose, "=OOMKilled");
    await told("onprem", "inline-7b", /OutOfMemory: 6 of 8 workers serve: pod \S+: container \S+ was killed for its memory/);
    process.stdout.write(run(["get", "wp", "-n", "onprem", "-o", "wide"]));
    for (const pod of [first, second]) fail("onprem", pod as Loose, "-");
    await told("onprem", "inline-7b", /^True Complete/);
  }, 120_000);

  test("a cold start by annotation: the pool is not ready before, and one image that cannot be pulled is told meanwhile", async () => {
    const cold = {
      ...{ apiVersion: "slipstream.dev/v1alpha1", kind: "WorkerPool", metadata: { name: "cold", namespace: "code" } },
      spec: {
        ...{ tier: "Chat", engine: { type: "Simulated", profile: "2xh100-32b-eagle3", slots: 16 } },
        ...{ scaling: { mode: "Fixed" }, replicas: 2 },
        podTemplate: {
          resources: { cpu: "250m", memory: "512Mi" },
          // Until the test has seen enough.
          annotations: { "slipstream.dev/test-cold-start": "1h" },
        },
      },
    };
    run(["apply", "--server-side", "-f", "-"], JSON.stringify(cold));
    await told("code", "cold", /^False Starting: 0 of 2 workers serve; 2 start/);
    const [one, other] = await podsOf("code", "cold");
    fail("code", one as Loose, "=ImagePullBackOff");
    const cannot = /ImagePullFailed: 0 of 2 workers serve: pod \S+: container \S+ cannot pull its image: Back-off pulling/;
    await told("code", "cold", cannot);
    const asked = performance.now();
    warmIn(other as Loose, "2s");
    await told("code", "cold", /ImagePullFailed: 1 of 2 workers serve/);
    expect(performance.now() - asked).toBeGreaterThanOrEqual(2_000);
    process.stdout.write(run(["get", "wp", "-n", "code", "-o", "wide"]));
    warmIn(one as Loose, "0s");
    fail("code", one as Loose, "-");
    await told("code", "cold", /^True Complete/);
  }, 120_000);
});
