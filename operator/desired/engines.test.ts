import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { systemClock } from "../../lib/clock.ts";
import { cache, gpuClass, type Loose, pool } from "../../test/support/cluster-objects.ts";
import { live, poolSeen, setting } from "../../test/support/pool-seen.ts";
import { engineName } from "../api/built-engine.ts";
import { readDefaults } from "../api/defaults.ts";
import { gpuClassSpec } from "../api/gpu-class.ts";
import { modelCacheSpec } from "../api/model-cache.ts";
import { readSpec } from "../api/read.ts";
import { decideCache } from "../decide/decide.ts";
import type { KubeObject } from "../objects.ts";
import { type CacheSeen, childKey } from "../pool.ts";
import { cachePlan, poolTemplate } from "./desired.ts";

const l40s = { gpuClassRef: "l40s", version: "1.2.1" };
const withEngines = (engines: Loose[], change: (c: Loose) => void = () => undefined): Loose =>
  cache((c) => {
    Object.assign(c.spec, { engines, engineStorage: { size: "30Gi" } });
    change(c);
  });
const complete = { conditions: [{ type: "Complete", status: "True" }] };

function seenOf(object: Loose, more: Partial<CacheSeen> = {}): CacheSeen {
  const read = readSpec(modelCacheSpec, object.spec);
  if (!read.spec) throw new Error(read.problems.join());
  const classes = new Map([["l40s", readSpec(gpuClassSpec, gpuClass().spec).spec as never]]);
  return {
    ...{ cache: live(object), spec: read.spec, children: new Map(), pods: [], gpuClass: undefined, nodes: [] },
    ...{ engineClasses: classes, mountedEngines: new Set(), setting, wallMs: 0, ...more },
  };
}
const env = (container: Loose) => Object.fromEntries(container.env.map(({ name, value }: Loose) => [name, value]));
const planOf = (seen: CacheSeen) => cachePlan(seen, decideCache(seen));
/** As it is made, and then completed. */
const fetchedOf = (object: Loose): KubeObject => {
  const job = planOf(seenOf(object)).apply.find(({ metadata }) => metadata.name === "coder-7b-fetch");
  return { ...(job as KubeObject), status: complete };
};
/** The files are there. */
const filled = (object: Loose, more: readonly KubeObject[] = [], rest: Partial<CacheSeen> = {}) =>
  seenOf(object, { children: new Map([fetchedOf(object), ...more].map((child) => [childKey(child), child])), ...rest });
const jobOf = (plan: { readonly apply: readonly KubeObject[] }) =>
  plan.apply.find(({ metadata }) => /-engine-/.test(metadata.name) && metadata.labels?.["slipstream.dev/engine"]) as Loose;

describe("what is built", () => {
  test("nothing is built before the model's files are there", () => {
    expect(planOf(seenOf(withEngines([l40s]))).apply.map(({ kind }) => kind)).toEqual([
      ...["PersistentVolumeClaim", "Job", "PersistentVolumeClaim"],
    ]);
  });

  test("a Job builds on a node of its class, with one GPU, as its version's image, under the restricted profile", () => {
    const job = jobOf(planOf(filled(withEngines([{ ...l40s, tensor: 2, memory: "64Gi", args: ["--max_batch_size=32"] }]))));
    const { spec } = job.spec.template;
    const [build] = spec.containers;
    expect(spec.nodeSelector).toEqual({ "nvidia.com/gpu.product": "NVIDIA-L40S" });
    expect(build.image).toBe("nvcr.io/nvidia/tensorrt-llm/release:1.2.1");
    expect(build.resources.limits).toEqual({ memory: "64Gi", "nvidia.com/gpu": "1" });
    expect(build.command.slice(3)).toEqual([
      ...["build", "--checkpoint_dir", "/models/model", "--workers", "1", "--max_batch_size=32"],
    ]);
    expect(spec.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } });
    expect(build.securityContext).toEqual({
      ...{ allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ["ALL"] } },
    });
    expect([job.spec.backoffLimit, job.spec.activeDeadlineSeconds]).toEqual([1, 7_200]);
  });

  test("a model that is no checkpoint yet is made one first, for as many GPUs as will serve", () => {
    const convert = { script: "/app/convert_checkpoint.py", args: ["--dtype=bfloat16"] };
    const { spec } = jobOf(planOf(filled(withEngines([{ ...l40s, tensor: 2, convert }])))).spec.template;
    expect(spec.initContainers[0].command.slice(3)).toEqual([
      ...["convert", "/app/convert_checkpoint.py", "--model_dir", "/models/model", "--output_dir", "/checkpoint"],
      ...["--tp_size", "2", "--pp_size", "1", "--dtype=bfloat16"],
    ]);
    expect(spec.containers[0].command.slice(4, 6)).toEqual(["--checkpoint_dir", "/checkpoint"]);
  });

  test("a class of devices that are claimed is claimed for the build too", () => {
    const dra = readSpec(gpuClassSpec, { dra: { deviceClass: "gpu.nvidia.com" }, memory: "80Gi" }).spec as never;
    const plan = planOf(filled(withEngines([l40s]), [], { engineClasses: new Map([["l40s", dra]]) }));
    const template = plan.apply.find(({ kind }) => kind === "ResourceClaimTemplate");
    const { spec } = jobOf({ apply: plan.apply.filter(({ kind }) => kind === "Job") }).spec.template;
    expect(template?.spec.spec.devices.requests[0].exactly).toMatchObject({ deviceClassName: "gpu.nvidia.com", count: 1 });
    expect(spec.resourceClaims).toEqual([{ name: "gpu", resourceClaimTemplateName: template?.metadata.name }]);
    expect(spec.containers[0].resources.claims).toEqual([{ name: "gpu" }]);
  });

  test("what the installer says of images and nodes holds for builds too", () => {
    const text = '{"imageRegistry": "mirror.example", "workers": {"imagePullSecrets": ["own"], "nodeSelector": {"zone": "a"}}}';
    const given = { setting: { ...setting, defaults: readDefaults(text, "defaults.json") } };
    const { spec } = jobOf(planOf(filled(withEngines([l40s]), [], given))).spec.template;
    expect(spec.containers[0].image).toBe("mirror.example/nvcr.io/nvidia/tensorrt-llm/release:1.2.1");
    expect(spec.imagePullSecrets).toEqual([{ name: "own" }]);
    expect(spec.nodeSelector).toMatchObject({ zone: "a", "nvidia.com/gpu.product": "NVIDIA-L40S" });
  });

  test("an engine that came as an image is not built", () => {
    const plan = planOf(filled(withEngines([{ ...l40s, prebuilt: `r/engine@sha256:${"e".repeat(64)}` }])));
    expect(plan.apply.map(({ metadata }) => metadata.name)).toEqual(["coder-7b-files", "coder-7b-fetch"]);
  });
});

describe("what a build does to its volume", () => {
  const [folder, engines, bin] = [mkdtempSync(join(tmpdir(), "slipstream-engines-")), "engines", "bin"];
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const at = (...names: string[]) => join(folder, engines, ...names);
  const put = (name: string, ageMinutes: number) => {
    mkdirSync(at(name), { recursive: true });
    const madeS = systemClock.wall() / 1_000 - ageMinutes * 60;
    utimesSync(at(name), madeS, madeS);
  };
  /** The script, over a builder that writes its arguments down, or fails. */
  function built(name: string, builder: string, mounted: readonly string[] = []) {
    for (const made of [bin, engines]) mkdirSync(join(folder, made), { recursive: true });
    writeFileSync(join(folder, bin, "trtllm-build"), `#!/bin/sh\n${builder}\n`, { mode: 0o755 });
    const [container] = jobOf(planOf(filled(withEngines([l40s]), [], { mountedEngines: new Set(mounted) }))).spec.template.spec
      .containers;
    const given = env(container);
    const [shell, ...words] = container.command;
    return spawnSync(shell, words, {
      env: {
        ...given,
        ENGINES: at(),
        ENGINE: at(name),
        KEEP: `${given["KEEP"]} ${name}`,
        PATH: `${join(folder, bin)}:/usr/bin:/bin`,
      },
      encoding: "utf8",
    });
  }
  const writes = 'mkdir "$2" && echo "$@" > "$2/config.json"';

  test("an engine is under its name when it is whole, and then nothing is built again", () => {
    expect(built("one", writes)).toMatchObject({ status: 0 });
    expect(readFileSync(at("one", "config.json"), "utf8")).toContain("--checkpoint_dir /models/model --workers 1");
    expect(built("one", "exit 9")).toMatchObject({ status: 0, stdout: "the engine is there\n" });
  });

  test("a build that fails leaves nothing under its name, and the next one begins anew", () => {
    expect(built("two", 'mkdir "$2"; echo half > "$2/config.json"; exit 9').status).toBe(9);
    expect(existsSync(at("two"))).toBe(false);
    expect(built("two", writes).status).toBe(0);
    expect(existsSync(at("two.part"))).toBe(false);
  });

  test("what a revision or a pod mounts still stays, though the spec names it no more", () => {
    put("in-use", 10_000);
    put("unused", 10_000);
    expect(built("three", writes, ["in-use"]).status).toBe(0);
    expect([existsSync(at("in-use")), existsSync(at("unused"))]).toEqual([true, false]);
  });

  test("nothing goes before the new one is there", () => {
    put("earlier", 10_000);
    expect(built("four", "exit 9").status).toBe(9);
    expect(existsSync(at("earlier"))).toBe(true);
    expect(built("four", `test -d ${at("earlier")} && ${writes}`).status).toBe(0);
    expect(existsSync(at("earlier"))).toBe(false);
  });

  test("what the spec names no more goes, unless it may have been named since the Job was made", () => {
    put("left", 10_000);
    put("left-half.part", 10_000);
    put("new", 60);
    put("kept", 10_000);
    expect(built("kept", writes).status).toBe(0);
    expect(["left", "left-half.part", "new", "kept"].map((name) => existsSync(at(name)))).toEqual([false, false, true, true]);
  });
});

describe("what another key does", () => {
  const specOf = (engines: Loose[], change?: (c: Loose) => void) => filled(withEngines(engines, change)).spec;
  const nameOf = (engine: Loose, change?: (c: Loose) => void) => {
    const spec = specOf([engine], change);
    return engineName(spec, spec.engines[0] as never);
  };

  test.each<[what: string, engine: Loose]>([
    ["another version", { ...l40s, version: "1.1.0" }],
    ["another class", { ...l40s, gpuClassRef: "h100" }],
    ["more GPUs", { ...l40s, tensor: 2 }],
    ["another argument", { ...l40s, args: ["--max_batch_size=8"] }],
    ["another image", { ...l40s, image: "r/trt:1" }],
  ])("%s is another engine", (_, engine) => {
    expect(nameOf(engine)).not.toBe(nameOf(l40s));
  });

  test("other files are another engine; more time to build is the same one", () => {
    expect(nameOf(l40s, (c) => (c.spec.revision = `sha256:${"f".repeat(64)}`))).not.toBe(nameOf(l40s));
    expect(nameOf({ ...l40s, deadline: "4h", retries: 3, memory: "1Gi" })).toBe(nameOf(l40s));
  });

  test("the Job of an engine that nobody names any more goes, and another takes its place", () => {
    const before = jobOf(planOf(filled(withEngines([l40s]))));
    const plan = planOf(filled(withEngines([{ ...l40s, version: "1.1.0" }]), [before]));
    expect(plan.remove.map(childKey)).toEqual([childKey(before)]);
    expect(jobOf(plan).metadata.name).not.toBe(before.metadata.name);
  });

  test("a Job that is there is never sent again; one that may take longer is made anew", () => {
    const before = jobOf(planOf(filled(withEngines([l40s]))));
    const second = planOf(filled(withEngines([l40s, { ...l40s, tensor: 2 }]), [before]));
    expect([second.remove, second.apply.filter(({ metadata }) => metadata.name === before.metadata.name)]).toEqual([[], []]);
    const longer = planOf(filled(withEngines([{ ...l40s, deadline: "4h" }]), [before]));
    expect([longer.remove.map(childKey), jobOf(longer)]).toEqual([[childKey(before)], undefined]);
  });
});

describe("what is told", () => {
  const judged = (job: Loose, more: Partial<CacheSeen> = {}) => {
    const object = withEngines([{ ...l40s, retries: 2 }]);
    const made = { ...jobOf(planOf(filled(object))), status: job };
    return decideCache(filled(object, [made], { wallMs: 630_000, ...more }));
  };
  const startTime = "1970-01-01T00:00:00Z";
  const podOf = (status: Loose): KubeObject => {
    const { metadata } = jobOf(planOf(filled(withEngines([{ ...l40s, retries: 2 }]))));
    return { apiVersion: "v1", kind: "Pod", metadata: { name: "build-1", namespace: "code", labels: metadata.labels }, status };
  };

  test.each<[what: string, job: Loose, state: string, message: RegExp]>([
    ["a build that runs", { startTime }, "Building", /^it is being built since 10 min$/],
    ["a build that is tried again", { startTime, failed: 1 }, "Building", /^it is being built since 10 min, try 2 of 3$/],
    ["a build that is done", { ...complete, startTime, completionTime: "1970-01-01T00:42:00Z" }, "Ready", /^built in 42 min$/],
    ["a build that failed", { conditions: [{ type: "Failed", status: "True", message: "too often" }] }, "Failed", /^too often$/],
  ])("%s", (_, job, state, message) => {
    const { engines, conditions } = judged(job);
    expect(engines).toMatchObject([{ state, message: expect.stringMatching(message) }]);
    expect(conditions.map(({ type, status }) => [type, status])).toEqual([
      ["Ready", "True"],
      ["EnginesReady", state === "Ready" ? "True" : "False"],
    ]);
  });

  test("the last words of a build that failed, and why one does not start", () => {
    const terminated = { exitCode: 1, message: "loading weights\nout of memory on device 0\n" };
    const failed = { conditions: [{ type: "Failed", status: "True", message: "BackoffLimitExceeded" }] };
    const pods = [podOf({ phase: "Failed", containerStatuses: [{ name: "build", state: { terminated } }] })];
    expect(judged(failed, { pods }).engines[0]?.message).toBe("BackoffLimitExceeded: out of memory on device 0");
    const conditions = [{ type: "PodScheduled", status: "False", reason: "Unschedulable", message: "no GPU is free" }];
    expect(judged({}, { pods: [podOf({ phase: "Pending", conditions })] }).engines[0]?.message).toBe("pod build-1: no GPU is free");
  });

  test("of two tries the later one's last words are told", () => {
    const ended = (message: string, finishedAt: string) =>
      podOf({
        phase: "Failed",
        containerStatuses: [{ name: "build", state: { terminated: { exitCode: 1, message, finishedAt } } }],
      });
    const pods = [ended("first", "1970-01-01T00:01:00Z"), ended("second", "1970-01-01T00:02:00Z")];
    for (const each of [pods, pods.toReversed()])
      expect(judged({ startTime, failed: 2 }, { pods: each }).engines[0]?.message).toMatch(/, try 3 of 3: second$/);
  });

  test("a class that is not there is waited for, by name", () => {
    const { engines, conditions } = decideCache(filled(withEngines([l40s]), [], { engineClasses: new Map() }));
    expect(engines[0]).toMatchObject({ state: "Waiting", message: 'there is no GPUClass "l40s"' });
    expect(conditions[1]).toMatchObject({
      reason: "BuildingEngine",
      message: expect.stringContaining('GPUClass "l40s", TensorRT-LLM 1.2.1'),
    });
  });

  test("builds and their pods say nothing of the files", () => {
    const object = withEngines([l40s]);
    const job = { ...jobOf(planOf(filled(object))), status: { conditions: [{ type: "Failed", status: "True" }] } };
    const seen = seenOf(object, { children: new Map([[childKey(job), job]]) });
    expect(decideCache(seen).conditions[0]).toMatchObject({ type: "Ready", reason: "Downloading" });
  });
});

describe("a pool that serves a built engine", () => {
  const served = (engine: Loose) =>
    pool((p) =>
      Object.assign(p.spec, { engine: { type: "TensorRTLLM", backend: "TensorRT", ...engine }, speculative: { method: "None" } }),
    );
  const cacheOf = (engines: Loose[]) => {
    const object = live(withEngines(engines));
    return new Map([["coder-7b", { object, spec: readSpec(modelCacheSpec, object.spec).spec as never, ready: undefined }]]);
  };

  test("mounts the engine of its own key, read-only, beside the model whose vocabulary it needs", () => {
    const caches = cacheOf([{ ...l40s, tensor: 2 }, l40s]);
    const { spec } = poolTemplate(poolSeen(served({}), { caches }));
    const engine = spec.containers.find(({ name }: Loose) => name === "engine");
    const { spec: cacheSpec } = caches.get("coder-7b") as Loose;
    expect(engine.command).toEqual(["trtllm-serve", "/models/engine"]);
    expect(engine.args).toEqual(expect.arrayContaining(["--backend", "--tokenizer", "/models/model"]));
    expect(engine.volumeMounts).toContainEqual({
      ...{ name: "engine", mountPath: "/models/engine", readOnly: true, subPath: engineName(cacheSpec, cacheSpec.engines[1]) },
    });
  });

  test("one that came as an image is mounted as an image", () => {
    const prebuilt = `r/engine@sha256:${"e".repeat(64)}`;
    const { spec } = poolTemplate(poolSeen(served({}), { caches: cacheOf([{ ...l40s, prebuilt }]) }));
    expect(spec.volumes).toContainEqual({ name: "engine", image: { reference: prebuilt, pullPolicy: "IfNotPresent" } });
  });
});
