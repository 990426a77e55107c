import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { Cluster } from "../../tools/cluster/cluster.ts";
import { clusterToolsHere } from "../../tools/cluster/programs.ts";
import { comes, condition, json, readmeCommands, restarts, teller } from "../support/cluster.ts";
import type { Loose } from "../support/cluster-objects.ts";
import { prometheus, Scraper } from "../support/scraped.ts";

const { install, uninstall } = readmeCommands();

describe.skipIf(!clusterToolsHere())("on real kubelets", () => {
  let cluster: Cluster;
  const name = `walk-${process.pid}`;
  const said = new Map<string, string>();
  const tell = teller();
  const service = "dev.code.svc.cluster.local";
  const slipstream = `${process.execPath} bin/slipstream.js`;

  beforeAll(async () => {
    ({ cluster } = await Cluster.up(name, { nodes: 2, say: tell }));
    tell("the cluster is up");
  }, 900_000);
  afterAll(async () => {
    await cluster?.[Symbol.asyncDispose]();
  }, 60_000);

  test("the README's commands lead from nothing to a completion", async () => {
    expect(install.length).toBeGreaterThanOrEqual(8);
    for (const line of install) {
      said.set(line, cluster.shell(line.replace(/^npx slipstream/, slipstream)));
      tell(line.slice(0, 90));
    }
    const of = (part: string) => [...said].find(([line]) => line.includes(part))?.[1] ?? "";
    expect(of("helm test")).toMatch(/completion[\s\S]*Phase:\s+Succeeded/);
    expect(of("kubectl logs")).toMatch(/"outcome":"(generated|empty|cached)"/);
    expect(of("slipstream complete").trim()).not.toBe("");
    expect(JSON.parse(of("curl")).choices[0].text).not.toBe("");
  }, 600_000);

  test("pools are ready by their workers' own word over the bus, on the nodes' real probes", async () => {
    for (const pool of ["dev", "pretend"]) {
      expect(condition(cluster, "workerpool", pool)).toMatch(/^True Complete/);
      const pods = json(cluster, "get", "pods", "-n", "code", "-l", `slipstream.dev/pool=${pool}`).items as Loose[];
      for (const { status } of pods)
        expect(status.conditions).toContainEqual(expect.objectContaining({ type: "slipstream.dev/warm", status: "True" }));
    }
  });

  test("an unmodified gRPC client finds the service by reflection and completes through it from outside the nodes", () => {
    const request = {
      prefix: "function add(a, b) {\n  return ",
      suffix: "\n}\n",
      path: "a.js",
      language: "javascript",
      kind: "TRIGGER_KIND_INVOKED",
      deadline_ms: 10_000,
    };
    const call = (words: string) => `grpcurl -cacert dev.crt -H "authorization: Bearer $(cat dev.key)" ${words}`;
    expect(cluster.shell(call(`${service}:7411 list`))).toContain("slipstream.v1.CompletionService");
    const answer = cluster.shell(call(`-d '${JSON.stringify(request)}' ${service}:7411 slipstream.v1.CompletionService/Complete`));
    expect(answer).toMatch(/"insertText": "[^"]+"/);
  });

  test("both namespaces hold under the restricted profile, and no pod but the operator's has a token", () => {
    for (const namespace of ["code", "slipstream-system"]) {
      const label = [
        "label",
        "--dry-run=server",
        "--overwrite",
        `namespace/${namespace}`,
        "pod-security.kubernetes.io/enforce=restricted",
      ];
      expect(cluster.sandbox.try(["bash", "-c", `kubectl ${label.join(" ")} 2>&1`], { env: cluster.env }).stdout).not.toMatch(
        /violate/i,
      );
    }
    const pods = json(cluster, "get", "pods", "-A", "-l", "app.kubernetes.io/name=slipstream").items as Loose[];
    const tokens = pods.filter(({ spec }) => spec.volumes.some(({ projected }: Loose) => projected !== undefined));
    expect(new Set(tokens.map(({ metadata }) => metadata.labels["app.kubernetes.io/component"]))).toEqual(new Set(["operator"]));
    const [worker] = pods.filter(({ metadata }) => metadata.labels["app.kubernetes.io/component"] === "worker") as Loose[];
    const name = worker.metadata.name;
    const seen = cluster.kubectl([
      "exec",
      name,
      "-n",
      "code",
      "-c",
      "agent",
      "--",
      "node",
      "-p",
      "process.env.SLIPSTREAM_WORKER_NAME",
    ]);
    expect(seen.trim()).toBe(name);
  });

  test("figures of operator, routers and workers open to the one administrator's key of the chart", () => {
    const script = `
key=$(kubectl get secret slipstream-operator-admin -n slipstream-system -o jsonpath='{.data.admin}' | base64 -d)
for pod in $(kubectl get pods -n code -l 'app.kubernetes.io/component in (router,worker)' -o jsonpath='{range .items[*]}{.status.podIP}:{.spec.containers[-1:].ports[?(@.name=="admin")].containerPort}{"\\n"}{end}'); do
  curl -sk --fail https://$pod/healthz > /dev/null
  curl -sk -o /dev/null -w '%{http_code} ' https://$pod/metrics
  curl -sk --fail -H "authorization: Bearer $key" https://$pod/metrics | grep -c '^slipstream_'
done
curl -sk --fail -H "authorization: Bearer $key" https://slipstream-operator.slipstream-system.svc:7433/metrics | grep -c '^slipstream_operator_'
`;
    const rows = cluster.shell(script).trim().split("\n");
    expect(rows.length).toBeGreaterThanOrEqual(4);
    for (const row of rows.slice(0, -1)) expect(row).toMatch(/^401 [1-9]\d*$/);
    expect(Number(rows.at(-1))).toBeGreaterThan(3);
  });

  test.skipIf(prometheus.path === undefined)("a Prometheus finds and scrapes all of them by the chart's monitors", async () => {
    const enabled = ["operator", "router", "workers"].map(
      (each) => `${each}.serviceMonitor.enabled=true,${each}.serviceMonitor.interval=1s`,
    );
    const monitors = parseAllDocuments(
      cluster.shell(
        `helm template slipstream charts/slipstream -n slipstream-system -f charts/slipstream/values-dev.yaml --kube-version 1.35.4 --show-only templates/monitors.yaml --set ${enabled.join(",")}`,
      ),
    ).map((document) => document.toJS() as Loose);
    const scraper = new Scraper(cluster, monitors);
    const up = await comes(
      "every target is up",
      () => scraper.ask("up").map(({ metric, value }) => `${metric["job"]} ${metric["slipstream_dev_pool"] ?? ""}: ${value}`),
      (targets) => targets.length >= 4 && targets.every((each) => each.endsWith(": 1")),
      30_000,
    );
    expect(up.sort()).toEqual([
      "slipstream-operator : 1",
      "slipstream-routers : 1",
      "slipstream-workers dev: 1",
      "slipstream-workers pretend: 1",
    ]);
    const series = scraper.ask('count by (job) ({__name__=~"slipstream_.+"})');
    expect(series.map(({ metric }) => metric["job"]).sort()).toEqual([
      "slipstream-operator",
      "slipstream-routers",
      "slipstream-workers",
    ]);
    // Of the commands before.
    expect(
      scraper.ask('sum(slipstream_router_outcomes_total{outcome=~"generated|empty|cached"})')[0]?.value,
    ).toBeGreaterThanOrEqual(1);
    tell(`scraped: ${series.map(({ metric, value }) => `${metric["job"]} ${value} series`).join(", ")}`);
  });

  test("a router is drained as a pod, over the API and with the chart's key, and taken back", async () => {
    const [pod] = json(cluster, "get", "pods", "-n", "code", "-l", "app.kubernetes.io/component=router").items as Loose[];
    const drain = `${slipstream} drain --pod code/${(pod as Loose).metadata.name}`;
    expect(cluster.shell(`${drain} --no-wait`)).toMatch(/router leaving: 0 sessions open/);
    expect(cluster.shell(`${drain} --undo`)).toMatch(/router serving: 0 sessions open/);
    await comes(
      "the service is ready",
      () => condition(cluster, "cps", "dev"),
      (is) => is.startsWith("True"),
    );
  });

  test("no operator had to begin anew, and one leads", () => {
    expect(restarts(cluster)).toEqual([]);
    const lease = json(cluster, "get", "lease", "slipstream-operator", "-n", "slipstream-system");
    expect(lease.spec).toMatchObject({ holderIdentity: expect.stringMatching(/^slipstream-operator-/), leaseTransitions: 0 });
  });

  test("nothing is left after the README's last commands, but the definitions", async () => {
    for (const line of uninstall) cluster.shell(line);
    tell("uninstalled");
    await comes(
      "nothing is left",
      () => cluster.shell(everything).trim(),
      (left) => left === "",
    );
    const crds = cluster.kubectl(["get", "crds", "-o", "name"]).trim().split("\n");
    expect(crds.filter((each) => each.endsWith(".slipstream.dev"))).toHaveLength(4);
  }, 300_000);
});

/** Of every kind that can be listed, what bears our labels; namespaces and definitions are looked at apart. */
const everything = `
kubectl get ns -o name | grep -E '/(code|slipstream-system)$' || true
kinds=$(kubectl api-resources --verbs=list -o name | grep -vE '^(events|customresourcedefinitions|componentstatuses)' | paste -sd,)
for label in app.kubernetes.io/name=slipstream app.kubernetes.io/part-of=slipstream; do
  kubectl get $kinds -A -l $label -o name --ignore-not-found
done`;
