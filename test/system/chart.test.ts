// The chart as its users install it: linted, rendered, tried on a real apiserver in every profile, and what its operator may do there
// held against a committed list. No kubelet: what its pods do stands in test/e2e.
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { readDefaults } from "../../operator/api/defaults.ts";
import { decideGuessing, decidePool } from "../../operator/decide/decide.ts";
import { poolPlan, poolTemplate, servicePlan } from "../../operator/desired/desired.ts";
import { root } from "../../tools/child.ts";
import { findTool } from "../../tools/toolbox.ts";
import { type Loose, pool, service } from "../support/cluster-objects.ts";
import { ControlPlane, controlPlane } from "../support/control-plane.ts";
import { poolSeen, serviceSeen, setting } from "../support/pool-seen.ts";

const [helm, kubectl, promtool] = [findTool("helm"), findTool("kubectl"), findTool("promtool")];
const here = [helm, kubectl, promtool, controlPlane].every(({ path }) => path !== undefined);
const chart = join(root, "charts/slipstream");
const profiles = ["values.yaml", "values-dev.yaml", "values-onprem.yaml", "values-airgap.yaml"] as const;
const everything = [
  ...["--set", "operator.serviceMonitor.enabled=true,router.serviceMonitor.enabled=true,workers.serviceMonitor.enabled=true"],
  ...["--set", "monitoring.rules.enabled=true,monitoring.dashboards.enabled=true"],
];

const scratch = here ? mkdtempSync(join(tmpdir(), "slipstream-chart-")) : "";
const home = { HELM_CACHE_HOME: scratch, HELM_CONFIG_HOME: scratch, HELM_DATA_HOME: scratch };

function run(program: string | undefined, words: readonly string[], input = ""): string {
  return execFileSync(program as string, [...words], {
    encoding: "utf8",
    input,
    env: { ...process.env, ...home },
    maxBuffer: 64 << 20,
  });
}

/** Rendered as for a cluster of the release that is tested. */
function render(...words: string[]): Loose[] {
  const text = run(helm.path, ["template", "slipstream", chart, "-n", "slipstream-system", "--kube-version", "1.35.4", ...words]);
  return parseAllDocuments(text).flatMap((document) => (document.contents === null ? [] : [document.toJS() as Loose]));
}

const of = (objects: readonly Loose[], kind: string, name?: RegExp) =>
  objects.filter((object) => object.kind === kind && (name?.test(object.metadata.name) ?? true));

describe.skipIf(!here)("the chart", () => {
  afterAll(() => rmSync(scratch, { recursive: true, force: true }));

  test.each(profiles)("%s passes helm lint --strict", (profile) => {
    expect(run(helm.path, ["lint", "--strict", chart, "-f", join(chart, profile)])).toContain("0 chart(s) failed");
  });

  test.each([
    ["a value that there is not", "operator.replica=2", /replica/],
    ["a number beyond its bounds", "operator.replicas=9", /replicas/],
    ["a word that is none of those", "operator.logLevel=loud", /logLevel/],
    ["a digest that is none", "operator.image.digest=abc", /digest/],
  ])("%s is refused by name", (_, value, problem) => {
    const words = ["template", "slipstream", chart, "--set", value];
    const { status, stderr } = spawnSync(helm.path as string, words, { encoding: "utf8", env: { ...process.env, ...home } });
    expect(status).not.toBe(0);
    expect(stderr).toMatch(problem);
  });

  test("one's own NATS and the chart's at once are refused", () => {
    expect(() => render("--set", "nats.install=true,nats.servers={a:4222}")).toThrow(/not both/);
  });

  test("definitions are templates that stay behind, unless one says that they shall go or come from elsewhere", () => {
    const kept = of(render(), "CustomResourceDefinition");
    expect(kept.map(({ spec }) => spec.names.kind).sort()).toEqual(["CompletionService", "GPUClass", "ModelCache", "WorkerPool"]);
    for (const { metadata } of kept) expect(metadata.annotations["helm.sh/resource-policy"]).toBe("keep");
    for (const { metadata } of of(render("--set", "crds.keep=false"), "CustomResourceDefinition"))
      expect(metadata.annotations?.["helm.sh/resource-policy"]).toBeUndefined();
    expect(of(render("--set", "crds.install=false"), "CustomResourceDefinition")).toEqual([]);
  });

  test("with namespaces to watch there is a Role in each of them, and the ClusterRole says nothing of namespaces", () => {
    const objects = render("--set", "watchNamespaces={code,other}");
    const roles = of(objects, "Role", /operator$/).map(({ metadata }) => metadata.namespace);
    expect(roles).toEqual(["code", "other"]);
    const [wide] = of(objects, "ClusterRole", /operator$/);
    expect(wide.rules.flatMap(({ resources }: Loose) => resources)).toEqual(["gpuclasses", "nodes", "priorityclasses"]);
    const [everywhere] = of(render(), "ClusterRole", /operator$/);
    expect(everywhere.rules.length).toBeGreaterThan(wide.rules.length);
  });

  test("the lease's calls have a flow of their own, of the operator's account and of nothing else, unless one says not", () => {
    const [flow] = of(render(), "FlowSchema") as [Loose];
    expect(flow.spec.priorityLevelConfiguration).toEqual({ name: "leader-election" });
    expect(flow.spec.rules).toEqual([
      {
        subjects: [{ kind: "ServiceAccount", serviceAccount: { name: "slipstream-operator", namespace: "slipstream-system" } }],
        resourceRules: [
          {
            ...{ verbs: ["get", "create", "update"], apiGroups: ["coordination.k8s.io"], resources: ["leases"] },
            namespaces: ["slipstream-system"],
          },
        ],
      },
    ]);
    expect(of(render("--set", "operator.flowSchema.enabled=false"), "FlowSchema")).toEqual([]);
  });

  test("nobody is given a wildcard, nor a list of Secrets", () => {
    for (const profile of profiles)
      for (const { rules } of render("-f", join(chart, profile)).filter(({ kind }) => /^(Cluster)?Role$/.test(kind)))
        for (const { apiGroups, resources, verbs } of rules) {
          expect([...apiGroups, ...resources, ...verbs]).not.toContain("*");
          if (resources.includes("secrets")) expect(verbs).not.toContain("list");
        }
  });

  test("a mirror stands before every image, its secret beside every pod, and a digest takes the place of a tag", () => {
    const objects = render("-f", join(chart, "values-airgap.yaml"), "--set", `operator.image.digest=sha256:${"a".repeat(64)}`);
    const pods = objects.flatMap(({ kind, spec }) => (kind === "Pod" ? [spec] : spec?.template?.spec ? [spec.template.spec] : []));
    expect(pods.length).toBe(3);
    for (const { containers, imagePullSecrets } of pods) {
      expect(imagePullSecrets).toEqual([{ name: "mirror" }]);
      expect(containers[0].image).toMatch(/^registry\.internal\.example\/mirror\/(slipstream@sha256:a{64}|library\/nats:)/);
    }
    const [{ data }] = of(objects, "ConfigMap", /defaults$/) as [Loose];
    expect(JSON.parse(data["defaults.json"])).toMatchObject({
      imageRegistry: "registry.internal.example/mirror",
      workers: { imagePullSecrets: ["mirror"] },
    });
  });

  test("every pod passes the restricted profile as it is rendered", () => {
    const pods = render("-f", join(chart, "values-onprem.yaml")).flatMap(({ kind, spec }) =>
      kind === "Pod" ? [spec] : spec?.template?.spec ? [spec.template.spec] : [],
    );
    for (const { securityContext, containers } of pods) {
      expect(securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } });
      for (const each of containers)
        expect(each.securityContext).toEqual({
          ...{ allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ["ALL"] } },
        });
    }
  });

  test("promtool finds the rules good as Prometheus is given them", () => {
    const [{ spec }] = of(render(...everything), "PrometheusRule") as [Loose];
    writeFileSync(join(scratch, "rules.yaml"), JSON.stringify(spec));
    expect(run(promtool.path, ["check", "rules", join(scratch, "rules.yaml")])).toMatch(/SUCCESS: \d\d+ rules found/);
  });

  test("out of what the chart looks after goes what its values allow, and no rule without ports lets everything through", () => {
    const own = [
      "--set-json",
      'networkPolicy.egress.models=[{"ipBlock":{"cidr":"10.1.0.0/16"}}]',
      "--set",
      "watchNamespaces={code}",
    ];
    const objects = render(...own, "--set", "nats.servers={a:4222,b:5222}", "--set-json", "networkPolicy.egress.otlpPorts=[]");
    const policies = of(objects, "NetworkPolicy");
    for (const { spec } of policies) expect(spec.policyTypes).toContain("Egress");
    const rules = policies.flatMap(({ spec }) => (spec.egress ?? []) as Loose[]);
    for (const { ports } of rules) expect(ports.length).toBeGreaterThan(0);
    const [operator] = of(policies, "NetworkPolicy", /operator$/) as [Loose];
    expect(operator.spec.egress.flatMap(({ ports }: Loose) => ports.map(({ port }: Loose) => port))).toEqual([
      53, 53, 443, 6443, 4222, 5222,
    ]);
    const [downloads] = of(policies, "NetworkPolicy", /downloads$/) as [Loose];
    const models = { to: [{ ipBlock: { cidr: "10.1.0.0/16" } }], ports: [{ port: 443, protocol: "TCP" }] };
    expect(downloads.spec.egress[1]).toEqual(models);
    const [{ data }] = of(objects, "ConfigMap", /defaults$/) as [Loose];
    const { router, workers } = readDefaults(data["defaults.json"], "defaults.json");
    expect([router.egress, workers.egress]).toEqual([[], [models]]);
    const without = render(...own, "--set", "networkPolicy.egress.enabled=false");
    const [{ data: open }] = of(without, "ConfigMap", /defaults$/) as [Loose];
    expect(readDefaults(open["defaults.json"], "defaults.json").router.egress).toBeUndefined();
    expect(
      of(without, "NetworkPolicy", /default-deny$/).find(({ metadata }) => metadata.namespace === "code")?.spec.policyTypes,
    ).toEqual(["Ingress"]);
  });

  describe("on a real apiserver", () => {
    let plane: ControlPlane;
    const kube = (words: readonly string[], input = "") => run(kubectl.path, [...words, "--kubeconfig", plane.kubeconfig], input);
    const install = (...words: string[]) =>
      run(helm.path, [
        ...["upgrade", "--install", "slipstream", chart, "-n", "slipstream-system", "--kubeconfig", plane.kubeconfig, ...words],
      ]);

    beforeAll(async () => {
      plane = await ControlPlane.start();
      for (const name of ["slipstream-system", "code"]) {
        kube(["create", "namespace", name]);
        kube(["label", "namespace", name, "pod-security.kubernetes.io/enforce=restricted"]);
      }
      for (const kind of ["ServiceMonitor", "PodMonitor", "PrometheusRule"])
        kube(["create", "-f", "-"], JSON.stringify(monitoring(kind)));
      // What is tried is tried against definitions that are there.
      install();
    }, 180_000);
    afterAll(async () => {
      await plane?.[Symbol.asyncDispose]();
    });

    test.each(profiles)("%s is accepted whole, with nothing that the apiserver warns of", (profile) => {
      const objects = render("-f", join(chart, profile), ...everything);
      const words = [
        "apply",
        "--server-side",
        "--force-conflicts",
        "--dry-run=server",
        "-f",
        "-",
        "--kubeconfig",
        plane.kubeconfig,
      ];
      const input = objects.map((object) => JSON.stringify(object)).join("\n---\n");
      const { status, stdout, stderr } = spawnSync(kubectl.path as string, words, { encoding: "utf8", input });
      expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
      expect(stdout.trim().split("\n")).toHaveLength(objects.length);
    });

    test("the policies that the operator makes by the chart's values are accepted, with nothing that the apiserver warns of", () => {
      const values = ["--set-json", 'networkPolicy.egress.rules=[{"to":[{"namespaceSelector":{}}],"ports":[{"port":9000}]}]'];
      const [{ data }] = of(render(...values), "ConfigMap", /defaults$/) as [Loose];
      const seen = { setting: { ...setting, defaults: readDefaults(data["defaults.json"], "defaults.json") } };
      const many = pool((p) =>
        Object.assign(p.spec, {
          speculative: { method: "None" },
          parallelism: { tensor: 4, nodes: 2 },
          gpu: { ...p.spec.gpu, count: 2 },
        }),
      );
      const workers = poolSeen(many, { ...seen, servesLeaderWorkerSets: true });
      const template = poolTemplate(workers);
      const plan = poolPlan(workers, decidePool(workers, template.revision, decideGuessing(workers)), template);
      const objects = of([...servicePlan(serviceSeen(service(), seen)).apply, ...plan.apply], "NetworkPolicy") as Loose[];
      for (const { spec } of objects) expect(spec.policyTypes).toEqual(["Ingress", "Egress"]);
      for (const { metadata } of objects) delete metadata.ownerReferences;
      const words = ["apply", "--server-side", "--dry-run=server", "-f", "-", "--kubeconfig", plane.kubeconfig];
      const input = objects.map((object) => JSON.stringify(object)).join("\n---\n");
      const { status, stdout, stderr } = spawnSync(kubectl.path as string, words, { encoding: "utf8", input });
      expect({ status, stderr, lines: stdout.trim().split("\n").length }).toEqual({ status: 0, stderr: "", lines: 2 });
    });

    test("what the operator may do is what is committed, in the whole cluster or in the namespaces that it watches", async () => {
      const may = (namespace: string) =>
        kube(["auth", "can-i", "--list", "-n", namespace, "--as", "system:serviceaccount:slipstream-system:slipstream-operator"])
          .split("\n")
          .filter((line) => !/selfsubject|\[\/|^Resources/.test(line))
          .map((line) => line.replace(/\s+$/, "").replace(/ {2,}/g, "  "))
          .sort()
          .join("\n");
      await expect(may("code")).toMatchFileSnapshot("chart/operator-everywhere.txt");
      install("-f", join(chart, "values-onprem.yaml"));
      await expect(may("code")).toMatchFileSnapshot("chart/operator-watched.txt");
      await expect(may("default")).toMatchFileSnapshot("chart/operator-elsewhere.txt");
      expect(may("default")).not.toContain("pods");
    });

    test("an upgrade keeps the administrator's key, and an uninstall the definitions", () => {
      const key = () =>
        kube(["get", "secret", "slipstream-operator-admin", "-n", "slipstream-system", "-o", "jsonpath={.data.admin}"]);
      const before = key();
      install("--set", "operator.logLevel=debug");
      expect(key()).toBe(before);
      run(helm.path, ["uninstall", "slipstream", "-n", "slipstream-system", "--kubeconfig", plane.kubeconfig]);
      expect(kube(["get", "crds", "-o", "name"])).toContain("workerpools.slipstream.dev");
      expect(kube(["get", "all", "-n", "slipstream-system", "-o", "name"]).trim()).toBe("");
    });
  });
});

/** As open as it can be: the kinds of an operator that is not ours, so that our objects have a place. */
function monitoring(kind: string): Loose {
  const plural = `${kind.toLowerCase()}s`;
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${plural}.monitoring.coreos.com` },
    spec: {
      ...{ group: "monitoring.coreos.com", scope: "Namespaced", names: { kind, plural } },
      versions: [
        {
          ...{ name: "v1", served: true, storage: true },
          schema: { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } },
        },
      ],
    },
  };
}
