// pool-plan: everything that a pool owns: workloads by revision, the Service by which routers find workers, budget, network, claims.
import { noDefaults } from "../api/defaults.ts";
import { durationMs } from "../api/fields.ts";
import type { KubeObject } from "../objects.ts";
import { adminPort, labels, linkPort, type Plan, type PoolSeen, type PoolVerdict, workerServerName } from "../pool.ts";
import { claimTemplate } from "./devices.ts";
import { onPort, outward, toEndpoint } from "./egress.ts";
import { guarding, own, reference, workersName } from "./parts.ts";
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
        hosts: [workerServerName, `${workersName(name)}.${namespace}.svc`, `*.${workersName(name)}.${namespace}.svc`],
        keys: { secret: secrets.keys, tenant: false },
      },
    ],
    apply: verdict.halted
      ? []
      : [
          service(seen),
          ...guards(seen).wanted,
          ...(spec.gpu?.mode === "DRA"
            ? [claimTemplate(pool, claimTemplateName(name), workerLabels(name), seen.gpuClass, spec.gpu.count)]
            : []),
          ...(template.config ? [engineConfig(seen, template)] : []),
          ...verdict.shares.map(({ revision, replicas }) =>
            revision === template.revision ? workload(seen, template, replicas) : resized(seen, revision, replicas),
          ),
        ],
    remove: [
      ...guards(seen).unwanted,
      ...seen.workloads.filter(({ metadata }) => retired.has(metadata.labels?.[labels.revision] ?? "")),
      ...[...seen.children.values()].filter(
        ({ kind, metadata }) => kind === "ConfigMap" && retired.has(metadata.labels?.[labels.revision] ?? ""),
      ),
    ],
    warmed: verdict.warmed,
    leaving: verdict.leaving,
    drainMs: durationMs(spec.drain.timeout),
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
    ...own("Service", pool, workersName(name), { labels: workerLabels(name) }),
    spec: {
      clusterIP: "None",
      selector: workerLabels(name),
      ports: [{ name: "link", port: linkPort, targetPort: "link", protocol: "TCP" }],
    },
  };
}

const guards = (seen: PoolSeen) => guarding(seen, (seen.setting.defaults ?? noDefaults).workers, { network, budget });

function budget({ pool, spec }: PoolSeen): KubeObject {
  const name = pool.metadata.name;
  const { minAvailable } = spec.disruption;
  return {
    ...own("PodDisruptionBudget", pool, workersName(name), { labels: workerLabels(name) }),
    spec: {
      selector: { matchLabels: workerLabels(name) },
      ...(minAvailable === undefined ? { maxUnavailable: 1 } : { minAvailable }),
      // A worker that does not serve holds up no node.
      unhealthyPodEvictionPolicy: "AlwaysAllow",
    },
  };
}

/** Links from routers of the namespace alone; figures from anybody, who is asked for a key. The engine is for its agent alone. */
function network({ pool, spec, services, setting }: PoolSeen): KubeObject {
  const name = pool.metadata.name;
  const own_ = { podSelector: { matchLabels: { [labels.pool]: name } } };
  return {
    ...own("NetworkPolicy", pool, workersName(name), { labels: workerLabels(name) }),
    spec: {
      podSelector: { matchLabels: { [labels.pool]: name } },
      ingress: [
        { from: [{ podSelector: { matchLabels: { [labels.component]: "router" } } }], ports: [onPort(linkPort)] },
        { ports: [onPort(adminPort)] },
        ...(spec.parallelism.nodes > 1 ? [{ from: [own_] }] : []),
      ],
      ...outward({
        allowed: setting.defaults?.workers.egress,
        servers: services.find(({ spec: { nats } }) => nats.servers.length > 0)?.spec.nats.servers ?? setting.natsServers,
        links: [...toEndpoint(spec.engine.endpoint), ...(spec.parallelism.nodes > 1 ? [{ to: [own_] }] : [])],
      }),
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
