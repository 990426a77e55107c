// What a real kube-apiserver 1.35 makes of the custom resources, roles and admission policies: the second half of every rule, which
// only it can tell, and the operator under its own ServiceAccount.
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { systemClock } from "../../lib/clock.ts";
import { silentLog } from "../../lib/log.ts";
import { systemRandom } from "../../lib/random.ts";
import type { Kube } from "../../operator/kube/kube.ts";
import { kinds } from "../../operator/objects.ts";
import { Operator } from "../../operator/wire.ts";
import { root } from "../../tools/child.ts";
import { findTool } from "../../tools/toolbox.ts";
import { cpuPool, type Loose, pool, service } from "../support/cluster-objects.ts";
import { ControlPlane, controlPlane } from "../support/control-plane.ts";
import { installed, send } from "../support/install.ts";
import { invalidObjects } from "../support/invalid-objects.ts";
import { until } from "../support/until.ts";

const kubectl = findTool("kubectl");

describe.skipIf(controlPlane.path === undefined)("on a real apiserver", () => {
  let plane: ControlPlane;
  let kube: Kube;

  beforeAll(async () => {
    plane = await ControlPlane.start();
    kube = plane.kube();
    await installed(kube, ["code"]);
  }, 120_000);
  afterAll(async () => {
    await kube?.close();
    await plane?.[Symbol.asyncDispose]();
  });

  const create = (object: Loose, query = "?dryRun=All&fieldValidation=Strict") => send(kube, "POST", object, query);

  test.each(invalidObjects.map((row) => [row.what, row] as const))(
    "%s is refused, and the message names the field",
    async (_, row) => {
      const { status, message } = await create(row.object);
      expect(message).toContain(row.apiserver ?? row.says);
      expect([400, 422]).toContain(status);
    },
  );

  test("the whole examples are accepted, and applying them again changes nothing", async () => {
    for (const name of readdirSync(join(root, "docs/examples")).filter((each) => each.endsWith(".yaml"))) {
      const objects = parseAllDocuments(readFileSync(join(root, "docs/examples", name), "utf8")).map(
        (document) => document.toJS() as Loose,
      );
      for (const object of objects.filter(({ kind }) => kind !== "Namespace")) {
        const { status, message } = await create(object);
        expect(`${name} ${object.metadata.name}: ${status} ${status > 299 ? message : ""}`).toBe(
          `${name} ${object.metadata.name}: 201 `,
        );
      }
    }
  });

  test("defaults are those that the operator's own reader gives", async () => {
    const { body } = await create(cpuPool());
    expect(body.spec).toMatchObject({
      scaling: { mode: "Fixed", minReplicas: 1, slo: { p95: "100ms", networkBudget: "12ms" }, scaleDown: { hold: "5m", step: 1 } },
      rollout: { strategy: "Auto", maxSurge: 1, maxUnavailable: 0 },
      speculative: { method: "None", numTokens: 4 },
      startup: { deadline: "10m", warmup: { requests: 16, prefixReplay: 0 } },
    });
  });

  test.each<[string, (made: Loose) => void, string]>([
    ["the tier", (made) => (made.spec.tier = "Chat"), "tier cannot be changed"],
    ["the engine", (made) => Object.assign(made.spec, { engine: { type: "Simulated" } }), "engine.type cannot be changed"],
  ])("%s of a pool cannot be changed afterwards", async (_, change, says) => {
    const name = `fixed-${says.split(/\W/)[0]}`;
    const { body } = await create(
      cpuPool((made) => (made.metadata.name = name)),
      "",
    );
    change(body);
    const { message } = await send(kube, "PUT", body, "?dryRun=All");
    expect(message).toContain(says);
  });

  test("a name too long is refused", async () => {
    const { message } = await create(cpuPool((made) => (made.metadata.name = "x".repeat(41))));
    expect(message).toContain("metadata.name: is longer than 40 characters");
  });

  test("a namespace's labels bound its pools' GPUs, and ask for digests", async () => {
    await send(kube, "POST", {
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name: "tight", labels: { "slipstream.dev/gpus-per-pool-max": "4", "slipstream.dev/production": "true" } },
    });
    const inTight = (change: (made: Loose) => void) =>
      create(
        pool((made) => {
          made.metadata.namespace = "tight";
          change(made);
        }),
      );
    await until("the policy holds", async () => (await inTight(() => undefined)).status === 422);
    expect((await inTight(() => undefined)).message).toContain(
      "scaling.maxReplicas: up to 8 GPUs are asked for; a pool of this namespace may have 4",
    );
    expect(
      (
        await inTight((made) => {
          made.spec.scaling.maxReplicas = 4;
          made.spec.engine.image = "vllm/vllm-openai:v1";
        })
      ).message,
    ).toContain("must be named by digest");
    expect(
      (
        await inTight((made) => {
          made.spec.scaling.maxReplicas = 4;
        })
      ).status,
    ).toBe(201);
  });

  test("the pool's scale is its replicas, for kubectl scale and an HPA", async () => {
    await create(
      cpuPool((made) => {
        made.metadata.name = "scaled";
        made.spec.scaling = { mode: "External", maxReplicas: 5 };
      }),
      "",
    );
    const path = "/apis/slipstream.dev/v1alpha1/namespaces/code/workerpools/scaled/scale";
    const scale = {
      apiVersion: "autoscaling/v1",
      kind: "Scale",
      metadata: { name: "scaled", namespace: "code" },
      spec: { replicas: 3 },
    };
    expect((await send(kube, "PUT", scale, "", path)).status).toBe(200);
    expect((await kube.cluster.get(kinds.WorkerPool, "code", "scaled"))?.spec.replicas).toBe(3);
  });

  test.skipIf(kubectl.path === undefined)("kubectl shows the columns and explains every field", async () => {
    const run = (...words: string[]) =>
      execFileSync(kubectl.path as string, [...words, "--kubeconfig", plane.kubeconfig], { encoding: "utf8" });
    await create(
      cpuPool((made) => (made.metadata.name = "shown")),
      "",
    );
    expect(
      run("get", "wp", "-n", "code")
        .split("\n")[0]
        ?.split(/\s+/)
        .filter((word) => word !== ""),
    ).toEqual([...["NAME", "READY", "REASON", "TIER", "REPLICAS", "P95", "GPU", "MODEL", "AGE"]]);
    const explained = run("explain", "workerpool", "--recursive");
    expect(explained).toContain("speculative");
    expect(run("explain", "workerpool.spec.speculative.method")).toContain("How tokens are guessed before they are verified");
  });

  test("under its own ServiceAccount the operator may do all that it does, and nothing of it is refused", async () => {
    const { body } = await send(
      kube,
      "POST",
      { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: { expirationSeconds: 3_600 } },
      "",
      "/api/v1/namespaces/slipstream-system/serviceaccounts/slipstream-operator/token",
    );
    const operator = new Operator(
      {
        setting: { image: "slipstream:test", namespace: "slipstream-system", natsServers: [], bus: false },
        ...{ namespaces: [], name: "operator-0", atOnce: 4 },
        lease: { namespace: "slipstream-system", name: "slipstream-operator", leaseMs: 15_000, renewMs: 10_000, retryMs: 500 },
      },
      { target: plane.target(body.status.token), clock: systemClock, random: systemRandom(), log: silentLog },
    );
    const running = operator.run();
    const example = parseAllDocuments(readFileSync(join(root, "docs/examples/onprem-l40s-h100.yaml"), "utf8")).map(
      (document) => document.toJS() as Loose,
    );
    for (const object of example.filter(({ kind }) => kind !== "Namespace")) expect((await create(object, "")).status).toBe(201);
    await create(
      service((made) =>
        Object.assign(made, {
          metadata: { name: "small", namespace: "code" },
          spec: { tiers: [{ name: "dev", pools: ["shown"] }] },
        }),
      ),
      "",
    );
    const judged = async () =>
      (await kube.cluster.list(kinds.WorkerPool, "code")).every(
        ({ status, metadata }) => status?.observedGeneration === metadata.generation,
      );
    await until("every pool is judged", judged, 60_000);
    await until(
      "routers are wanted",
      async () => (await kube.cluster.list(kinds.Deployment, "code")).some(({ metadata }) => metadata.name === "acme-router"),
      30_000,
    );
    const inline = await kube.cluster.get(kinds.WorkerPool, "code", "inline-7b");
    const ready = inline?.status.conditions.find(({ type }: Loose) => type === "Ready");
    expect(ready).toMatchObject({
      status: "False",
      reason: "Downloading",
      message: expect.stringContaining('ModelCache "coder-7b" is not ready'),
    });
    const refused = plane
      .audited()
      .filter(({ user, code }) => user === "system:serviceaccount:slipstream-system:slipstream-operator" && code === 403);
    expect(refused).toEqual([]);
    // Calm: what is applied already is not sent again.
    await until("calm", () => operator.idle);
    await operator.close();
    await running;
    expect((await kube.cluster.get(kinds.Lease, "slipstream-system", "slipstream-operator"))?.spec.holderIdentity).toBe("");
  }, 180_000);
});
