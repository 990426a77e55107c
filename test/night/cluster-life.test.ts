// The longer life of a service on real kubelets: an upgrade of the chart and the end of a router and a worker while people type; what
// a kubelet kills or cannot pull; a model on a volume.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { root } from "../../tools/child.ts";
import { Cluster } from "../../tools/cluster/cluster.ts";
import { clusterToolsHere } from "../../tools/cluster/programs.ts";
import { outsideAddress } from "../../tools/cluster/sandbox.ts";
import { comes, condition, installService, json, People, readmeCommands, restarts, teller } from "../support/cluster.ts";
import type { Loose } from "../support/cluster-objects.ts";
import { accelerated, carried, kept, modelsPort, offered, starved, unpullable } from "../support/kubelet-facts.ts";

describe.skipIf(!clusterToolsHere())("on real kubelets", () => {
  let cluster: Cluster;
  const tell = teller();
  const service = "dev.code.svc.cluster.local";

  beforeAll(async () => {
    ({ cluster } = await Cluster.up(`life-${process.pid}`, { nodes: 2, say: tell }));
    installService(cluster);
    tell("the service is ready");
  }, 900_000);
  afterAll(async () => {
    cluster?.shell("rm -f dev.key dev.crt");
    await cluster?.[Symbol.asyncDispose]();
  }, 60_000);

  test("helm upgrade with other values, and the end of a router and of a worker, cost nobody who types a completion", async () => {
    cluster.kubectl([
      "patch",
      "cps",
      "dev",
      "-n",
      "code",
      "--type=merge",
      "-p",
      '{"spec":{"router":{"minReplicas":2,"maxReplicas":2}}}',
    ]);
    cluster.kubectl(["scale", "wp", "dev", "-n", "code", "--replicas=2"]);
    const routers = () => json(cluster, "get", "cps", "dev", "-n", "code").status.ready as string;
    await comes("two routers serve", routers, (ready) => ready === "2/2");
    await comes(
      "two workers serve",
      () => json(cluster, "get", "wp", "dev", "-n", "code").status.readyReplicas as number,
      (n) => n === 2,
    );
    const people = new People(cluster, `${service}:7411`, 3);
    tell("people type");
    const generation = () => json(cluster, "get", "deployment", "dev-router", "-n", "code").metadata.generation as number;
    const before = generation();
    const upgrade = readmeCommands().install[0]?.replace("helm install", "helm upgrade") ?? "";
    cluster.shell(`${upgrade} --set router.podLabels.wave=two,workers.podLabels.wave=two`);
    await comes("routers are told to change", generation, (now) => now > before);
    const waved = () => podsOf().filter(({ metadata }) => metadata.labels.wave === "two").length;
    const podsOf = () =>
      json(cluster, "get", "pods", "-n", "code", "-l", "app.kubernetes.io/component in (router,worker)").items as Loose[];
    await comes(
      "every pod is of the new values",
      () => `${waved()} of ${podsOf().length}`,
      (is) => is === "5 of 5",
      240_000,
    );
    expect(condition(cluster, "cps", "dev")).toMatch(/^(True|False)/);
    await comes(
      "the service is ready",
      () => condition(cluster, "cps", "dev"),
      (is) => is.startsWith("True"),
    );
    tell("upgraded");
    for (const component of ["router", "worker"]) {
      const [first] = podsOf().filter(({ metadata }) => metadata.name.startsWith(component === "router" ? "dev-router" : "dev-"));
      const { name } = (first as Loose).metadata;
      const drained = cluster.shell(`${process.execPath} bin/slipstream.js drain --pod code/${name} --deadline 3m`);
      expect(drained).toMatch(new RegExp(`${component} drained: 0 `));
      tell(`drained ${name}: ${drained.trim().split("\n").length} states`);
      cluster.kubectl(["delete", "pod", name, "-n", "code", "--wait"]);
      await comes(
        "the service is ready again",
        () => condition(cluster, "cps", "dev"),
        (is) => is.startsWith("True"),
      );
    }
    const tally = await people.end();
    tell(`people stopped: ${JSON.stringify(tally)}`);
    expect(tally.asked).toBeGreaterThan(100);
    // Every router that they were at is gone, and they moved before it went.
    expect(tally.failures).toEqual([]);
    expect(restarts(cluster)).toEqual([]);
  }, 900_000);

  test("what a kubelet kills or cannot pull is in the pool's Ready, and a model on a volume or in a pod's folder is fetched once and served, whatever becomes of the container", async () => {
    const folder = "/run/node-1/models";
    cluster.sandbox.run(["mkdir", "-m", "777", folder]);
    const files = [
      "python3",
      "-m",
      "http.server",
      String(modelsPort),
      "--bind",
      outsideAddress,
      "--directory",
      join(root, "models"),
    ];
    cluster.sandbox.serve("models", files);
    for (const object of [starved, unpullable, ...kept(outsideAddress, "node-1", folder), ...carried(outsideAddress)])
      cluster.kubectl(["apply", "-f", "-"], JSON.stringify(object));
    const says = (pool: string, wanted: RegExp) =>
      comes(
        `${pool} says ${wanted}`,
        () => condition(cluster, "workerpool", pool),
        (is) => wanted.test(is),
        240_000,
      );
    await says("starved", /^False OutOfMemory: 0 of 1 workers serve: pod starved-\S+: container agent was killed for its memory/);
    await says(
      "unpullable",
      /^False ImagePullFailed: 0 of 1 workers serve: pod unpullable-\S+: container agent cannot pull its image/,
    );
    await says("kept", /^True Complete/);
    await says("carried", /^True Complete/);
    expect(condition(cluster, "modelcache", "small")).toMatch(/^True/);
    tell("kubelets' facts are told");
    const fetches = () => readFileSync(cluster.sandbox.logOf("models"), "utf8").match(/"GET /g)?.length ?? 0;
    const before = fetches();
    for (const name of ["kept", "carried"]) {
      const pod = () => json(cluster, "get", "pods", "-n", "code", "-l", `slipstream.dev/pool=${name}`).items[0] as Loose;
      const { metadata, spec } = pod();
      const volume = (spec.volumes as Loose[]).find((each) => each.name === "model");
      expect(Object.keys(volume ?? {})).toContain(name === "kept" ? "persistentVolumeClaim" : "emptyDir");
      const node = (script: string) =>
        cluster.kubectl(["exec", metadata.name, "-n", "code", "-c", "agent", "--", "node", "-p", script]);
      const files =
        "fs.readdirSync('/models/model').map((n) => { const s = fs.statSync('/models/model/' + n); return [n, s.ino, s.size, s.mtimeMs].join(' ') }).join()";
      const there = node(files);
      expect(there).toMatch(/\.gguf \d+ [1-9]\d+ /);
      node("process.kill(1, 'SIGTERM')");
      const restarted = () => (pod().status.containerStatuses as Loose[]).find((each) => each.name === "agent") as Loose;
      await comes(
        "the container is made anew",
        () => restarted().restartCount as number,
        (times) => times >= 1,
      );
      await comes(
        "and is ready",
        () => restarted().ready as boolean,
        (ready) => ready,
      );
      expect(pod().metadata.uid).toBe(metadata.uid);
      expect(node(files)).toBe(there);
    }
    // Neither the Job nor the pod fetched again.
    expect(fetches()).toBe(before);
    tell("models outlive the container that serves them");
    const { labels, patch } = offered(1);
    cluster.kubectl(["label", "node", "node-1", ...labels]);
    cluster.kubectl(["patch", "node", "node-1", "--subresource=status", "--type=json", "-p", patch]);
    for (const object of accelerated(2)) cluster.kubectl(["apply", "-f", "-"], JSON.stringify(object));
    const placed = () =>
      (json(cluster, "get", "pods", "-n", "code", "-l", "slipstream.dev/pool=accelerated").items as Loose[])
        .map(({ spec, status }) => spec.nodeName ?? status.conditions?.find(({ type }: Loose) => type === "PodScheduled")?.message)
        .sort();
    const seen = await comes(
      "as many workers as there are GPUs have a node",
      placed,
      (at) => at.filter((each) => each === "node-1").length === 1,
    );
    expect(seen.find((each) => each !== "node-1")).toMatch(/Insufficient nvidia\.com\/gpu/);
    tell(`GPUs are given: ${JSON.stringify(seen)}`);
    cluster.kubectl([
      "delete",
      "wp,mc",
      "starved",
      "unpullable",
      "kept",
      "carried",
      "accelerated",
      "small",
      "own",
      "-n",
      "code",
      "--ignore-not-found",
      "--wait",
    ]);
    cluster.kubectl(["delete", "pv", "models", "--wait=false"]);
  }, 600_000);
});
