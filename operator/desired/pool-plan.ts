// pool-plan: everything that a pool owns: workloads by revision, the Service by which routers find workers, budget, network, claims.
import type { Json, KubeObject } from "../objects.ts";
import { adminPort, labels, linkPort, type Plan, type PoolSeen, type PoolVerdict, workerServerName } from "../pool.ts";
import { given, own, reference } from "./parts.ts";
import { claimTemplateName, configName, poolSecrets, type Template } from "./pool-template.ts";
import { workload } from "./workload.ts";

export function poolPlan(seen: PoolSeen, verdict: PoolVerdict, template: Template): Omit<Plan, "status"> {
  const { pool, spec } = seen;
  const { name = "", namespace = "" } = pool.metadata;
  const secrets = poolSecrets(name);
  const retired = new Set(verdict.retired);
  return {
    certificates: [
      {
        ...{ namespace, secret: secrets.link, commonName: `${name}.${namespace}`, owner: pool },
        hosts: [workerServerName, `${name}.${namespace}.svc`, `*.${name}.${namespace}.svc`],
        keys: { secret: secrets.keys, tenant: false },
      },
    ],
    apply: verdict.halted
      ? []
      : [
          service(seen),
          network(seen),
          budget(seen),
          ...(spec.gpu?.mode === "DRA" ? [claim(seen)] : []),
          ...(template.config ? [engineConfig(seen, template)] : []),
          ...verdict.shares.map(({ revision, replicas }) =>
            revision === template.revision ? workload(seen, template, replicas) : resized(seen, revision, replicas),
          ),
        ],
    remove: [
      ...seen.workloads.filter(({ metadata }) => retired.has(metadata.labels?.[labels.revision] ?? "")),
      ...[...seen.children.values()].filter(
        ({ kind, metadata }) => kind === "ConfigMap" && retired.has(metadata.labels?.[labels.revision] ?? ""),
      ),
    ],
    warmed: verdict.warmed,
  };
}

/** An older revision: as it is, with another number. It was rendered by a template that is gone. */
function resized({ pool, workloads }: PoolSeen, revision: string, replicas: number): KubeObject {
  const live = workloads.find(({ metadata }) => metadata.labels?.[labels.revision] === revision) as KubeObject;
  const { name, namespace, labels: own } = live.metadata;
  return {
    apiVersion: live.apiVersion,
    kind: live.kind,
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      ...(own ? { labels: own } : {}),
      ownerReferences: [reference(pool)],
    },
    spec: { ...live.spec, replicas },
  };
}

const workerLabels = (pool: string) => ({ [labels.component]: "worker", [labels.pool]: pool });

/** Headless: its name leads to every worker that is ready. */
function service({ pool }: PoolSeen): KubeObject {
  const name = pool.metadata.name;
  return {
    ...own("Service", pool, name, { labels: workerLabels(name) }),
    spec: {
      clusterIP: "None",
      selector: { [labels.pool]: name },
      ports: [{ name: "link", port: linkPort, targetPort: "link", protocol: "TCP" }],
    },
  };
}

function budget({ pool, spec }: PoolSeen): KubeObject {
  const name = pool.metadata.name;
  const { minAvailable } = spec.disruption;
  return {
    ...own("PodDisruptionBudget", pool, name, { labels: workerLabels(name) }),
    spec: {
      selector: { matchLabels: { [labels.pool]: name } },
      ...(minAvailable === undefined ? { maxUnavailable: 1 } : { minAvailable }),
      // A worker that does not serve holds up no node.
      unhealthyPodEvictionPolicy: "AlwaysAllow",
    },
  };
}

/** Links from routers of the namespace alone; figures from anybody, who is asked for a key. The engine is for its agent alone. */
function network({ pool, spec }: PoolSeen): KubeObject {
  const name = pool.metadata.name;
  const port = (number: number) => ({ port: number, protocol: "TCP" });
  const own_ = { podSelector: { matchLabels: { [labels.pool]: name } } };
  return {
    ...own("NetworkPolicy", pool, name, { labels: workerLabels(name) }),
    spec: {
      podSelector: { matchLabels: { [labels.pool]: name } },
      policyTypes: ["Ingress"],
      ingress: [
        { from: [{ podSelector: { matchLabels: { [labels.component]: "router" } } }], ports: [port(linkPort)] },
        { ports: [port(adminPort)] },
        ...(spec.parallelism.nodes > 1 ? [{ from: [own_] }] : []),
      ],
    },
  };
}

function claim({ pool, spec, gpuClass }: PoolSeen): KubeObject {
  const name = pool.metadata.name;
  const { deviceClass = "", cel = [] } = gpuClass?.dra ?? {};
  return {
    ...own("ResourceClaimTemplate", pool, claimTemplateName(name), { labels: workerLabels(name) }),
    spec: {
      spec: {
        devices: {
          requests: [
            {
              name: "gpu",
              exactly: given({
                deviceClassName: deviceClass,
                allocationMode: "ExactCount",
                count: spec.gpu?.count ?? 1,
                selectors: cel.map((expression): Json => ({ cel: { expression } })),
              }),
            },
          ],
        },
      },
    },
  };
}

function engineConfig({ pool }: PoolSeen, { revision, config }: Template): KubeObject {
  const name = pool.metadata.name;
  return {
    ...own("ConfigMap", pool, configName(name, revision), { labels: { ...workerLabels(name), [labels.revision]: revision } }),
    data: config,
  };
}
