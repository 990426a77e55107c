// service: what a CompletionService owns: routers and the way to them, their policy document, how many they are, and what may be
// taken away. Pools are referred to and never owned.
import { noDefaults } from "../api/defaults.ts";
import type { KubeObject } from "../objects.ts";
import { labels, linkPort, type Plan, type ServiceSeen } from "../pool.ts";
import { onPort, outward } from "./egress.ts";
import { guarding, own, spread } from "./parts.ts";
import { policyFile, policyName, renderPolicy } from "./policy.ts";
import { routerTemplate, serviceSecrets } from "./router.ts";

const routerName = (service: string) => `${service}-router`;
const httpPort = 7412;
const grpcPort = 7411;

const routerLabels = (service: string) => ({ [labels.component]: "router", [labels.service]: service });

export function servicePlan(
  seen: ServiceSeen,
): Omit<Plan, "status"> & { readonly problems: readonly string[]; readonly version: number } {
  const { service, spec } = seen;
  const { name, namespace = "" } = service.metadata;
  const policy = renderPolicy(seen);
  const secrets = serviceSecrets(name);
  const { minReplicas, maxReplicas, tlsSecretRef, keysSecretRef } = spec.router;
  const scaled = maxReplicas > minReplicas;
  const hpa = seen.children.get(`HorizontalPodAutoscaler/${routerName(name)}`);
  return {
    problems: policy.problems,
    version: policy.version,
    certificates: [
      {
        ...{
          namespace,
          secret: secrets.link,
          commonName: `${routerName(name)}.${namespace}`,
          hosts: [`${routerName(name)}.${namespace}.svc`],
        },
        owner: service,
        keys: { secret: secrets.keys, tenant: keysSecretRef === undefined },
      },
      ...(tlsSecretRef === undefined
        ? [
            {
              ...{ namespace, secret: secrets.tls, commonName: `${name}.${namespace}.svc`, owner: service },
              hosts: [`${name}.${namespace}.svc`, `${name}.${namespace}.svc.cluster.local`, `${name}.${namespace}`, name],
            },
          ]
        : []),
    ],
    claim: scaled ? handedOver(seen, hpa !== undefined) : [],
    apply: [
      ...(policy.problems.length === 0
        ? [
            {
              ...own("ConfigMap", service, policyName(name), { labels: routerLabels(name), annotations: policy.annotations }),
              data: { [policyFile]: policy.text },
            },
          ]
        : []),
      entrance(seen),
      ...guards(seen).wanted,
      routers(seen, scaled),
      ...(scaled ? [autoscaler(seen)] : []),
    ],
    remove: [...(!scaled && hpa ? [hpa] : []), ...guards(seen).unwanted],
    warmed: [],
  };
}

function entrance({ service, spec }: ServiceSeen): KubeObject {
  const name = service.metadata.name;
  const port = (named: string, number: number) => ({ name: named, port: number, targetPort: named, protocol: "TCP" });
  return {
    ...own("Service", service, name, { labels: routerLabels(name), annotations: spec.router.serviceAnnotations }),
    spec: {
      type: spec.router.serviceType,
      selector: routerLabels(name),
      ports: [port("grpc", grpcPort), port("http", httpPort)],
    },
  };
}

const guards = (seen: ServiceSeen) => guarding(seen, (seen.setting.defaults ?? noDefaults).router, { network, budget });

function network({ service, spec, setting }: ServiceSeen): KubeObject {
  const name = service.metadata.name;
  return {
    ...own("NetworkPolicy", service, routerName(name), { labels: routerLabels(name) }),
    spec: {
      podSelector: { matchLabels: routerLabels(name) },
      ingress: [{ ports: [grpcPort, httpPort, 7413].map((port) => onPort(port)) }],
      ...outward({
        allowed: setting.defaults?.router.egress,
        servers: spec.nats.servers.length > 0 ? spec.nats.servers : setting.natsServers,
        links: [{ to: [{ podSelector: { matchLabels: { [labels.component]: "worker" } } }], ports: [onPort(linkPort)] }],
      }),
    },
  };
}

function budget({ service }: ServiceSeen): KubeObject {
  const name = service.metadata.name;
  return {
    ...own("PodDisruptionBudget", service, routerName(name), { labels: routerLabels(name) }),
    spec: { selector: { matchLabels: routerLabels(name) }, maxUnavailable: 1, unhealthyPodEvictionPolicy: "AlwaysAllow" },
  };
}

function routers(seen: ServiceSeen, scaled: boolean): KubeObject {
  const { service, spec } = seen;
  const name = service.metadata.name;
  return {
    ...own("Deployment", service, routerName(name), { labels: routerLabels(name) }),
    spec: {
      // Where an HPA decides, the number is its field and none of ours.
      ...(scaled ? {} : { replicas: spec.router.minReplicas }),
      revisionHistoryLimit: 2,
      // Sessions move when their router drains: a new one first.
      strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      selector: { matchLabels: routerLabels(name) },
      template: routerTemplate(seen, routerLabels(name), spread(routerLabels(name))),
    },
  };
}

/** A Deployment whose number is named no more would fall to one router until the HPA looks; and at first it has one. */
function handedOver({ service, spec, children }: ServiceSeen, hasAutoscaler: boolean): KubeObject[] {
  const name = routerName(service.metadata.name);
  const live = children.get(`Deployment/${name}`);
  const replicas = Number(live?.spec?.replicas ?? 1);
  const { minReplicas } = spec.router;
  if (!live || (hasAutoscaler && replicas >= minReplicas)) return [];
  const { namespace = "" } = service.metadata;
  return [
    {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name, namespace },
      spec: { replicas: Math.max(replicas, minReplicas) },
    },
  ];
}

function autoscaler({ service, spec }: ServiceSeen): KubeObject {
  const name = service.metadata.name;
  const { minReplicas, maxReplicas, targetCpuPercent } = spec.router;
  return {
    ...own("HorizontalPodAutoscaler", service, routerName(name), { labels: routerLabels(name) }),
    spec: {
      scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: routerName(name) },
      ...{ minReplicas, maxReplicas },
      metrics: [
        { type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: targetCpuPercent } } },
      ],
      // Every router that leaves moves its sessions: seldom, and one at a time.
      behavior: { scaleDown: { stabilizationWindowSeconds: 600, policies: [{ type: "Pods", value: 1, periodSeconds: 120 }] } },
    },
  };
}
