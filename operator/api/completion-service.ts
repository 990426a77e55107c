// completion-service: the CompletionService resource: what people write to have completions: tiers, the pools behind them, who
// may ask for what. It owns the routers and their policy document; it refers to pools and never owns them.
import { z } from "zod";
import { conditions, duration, durationMs, image, labels, name, passedOn, quantity, whole } from "./fields.ts";
import { type Rule, ruled } from "./rules.ts";

const deadlines = z.strictObject({
  auto: duration().optional().describe('Of completions asked for by typing, like "100ms".'),
  invoked: duration().optional().describe("Of completions asked for by hand."),
  chat: duration().optional().describe("Of chat."),
});

const tier = z.strictObject({
  name: name().describe("What callers ask for."),
  pools: z.array(name()).min(1).max(16).describe("WorkerPools of this namespace, the preferred one first."),
  fallback: name().optional().describe("Tier that is asked where this one cannot answer in time."),
  deadlines: deadlines.prefault({}).describe("Deadlines of what names none."),
  promptBytes: whole(1_024, 16_777_216).optional().describe("Bytes that a prompt may have at most."),
});

const router = ruled(
  z.strictObject({
    image: image().optional().describe("Image of the routers; absent: the operator's own."),
    minReplicas: whole(1, 200).default(2).describe("Fewest routers."),
    maxReplicas: whole(1, 200).default(2).describe("Most routers; above minReplicas an HPA chooses by CPU."),
    targetCpuPercent: whole(10, 95).default(60).describe("CPU use at which routers are added."),
    resources: z
      .strictObject({
        cpu: quantity().optional().describe("CPU of a router; absent: as the operator's installer says, else 1."),
        memory: quantity()
          .optional()
          .describe("Memory of a router, request and limit; absent: as the operator's installer says, else 1Gi."),
      })
      .prefault({})
      .describe("What a router may use."),
    serviceType: z.enum(["ClusterIP", "LoadBalancer", "NodePort"]).default("ClusterIP").describe("How editors reach routers."),
    serviceAnnotations: labels("Annotations of that Service, for load balancers.").default({}),
    tlsSecretRef: name()
      .optional()
      .describe("Secret (kubernetes.io/tls) that editors are served with; absent: one of the operator's own authority."),
    keysSecretRef: name()
      .optional()
      .describe("Secret with key `keys`: the hashes of API keys; absent: clients must show a certificate."),
    nodeSelector: labels("Labels that nodes must have.").default({}),
    affinity: passedOn("Affinity of the routers, as in a pod.").optional(),
    imagePullSecrets: z.array(name()).max(8).default([]).describe("Secrets for pulling the image."),
  }),
  [
    {
      cel: "self.minReplicas <= self.maxReplicas",
      message: "router.minReplicas: is above router.maxReplicas",
      holds: ({ minReplicas, maxReplicas }) => minReplicas <= maxReplicas,
    },
  ],
);

const tenant = z.strictObject({
  name: z
    .string()
    .min(1)
    .max(63)
    .regex(/^(\*|[A-Za-z0-9][A-Za-z0-9._-]*)$/, 'is neither a name nor "*"')
    .describe('Tenant; "*" stands for all without an entry.'),
  models: z.array(name()).max(64).default([]).describe("Tiers and pools it may ask for; empty: all."),
  quotas: z
    .strictObject({
      sessions: whole(1, 1_000_000).optional().describe("Open sessions on one router."),
      triggersPerSecond: whole(1, 1_000_000).optional().describe("Triggers a second on one router."),
      generations: whole(1, 1_000_000).optional().describe("Generations at the same time on one router."),
    })
    .prefault({})
    .describe("What one router grants it."),
});

type Tiers = { tiers: readonly { name: string; fallback?: string | undefined; pools: readonly string[] }[] };
type Timed = { slo: { inline: { p95: string; networkBudget: string } } };

const rules: readonly Rule<Tiers & Timed>[] = [
  {
    cel: "self.tiers.all(t, !has(t.fallback) || self.tiers.exists(o, o.name == t.fallback))",
    message: "tiers.fallback: names no tier of this service",
    holds: ({ tiers }) => tiers.every(({ fallback }) => fallback === undefined || tiers.some((each) => each.name === fallback)),
  },
  {
    cel: "self.tiers.all(t, !has(t.fallback) || t.fallback != t.name)",
    message: "tiers.fallback: is the tier itself",
    holds: ({ tiers }) => tiers.every(({ name: own, fallback }) => fallback !== own),
  },
  {
    cel: "self.tiers.all(t, !self.tiers.exists(o, o.pools.exists(p, p == t.name)))",
    message: "tiers.name: is also the name of a pool; a caller could mean either",
    holds: ({ tiers }) => tiers.every((own) => !tiers.some(({ pools }) => pools.includes(own.name))),
  },
  {
    cel: "duration(self.slo.inline.p95) - duration(self.slo.inline.networkBudget) >= duration('20ms')",
    message: "slo.inline: p95 less networkBudget leaves under 20ms for the router and the engine",
    holds: ({ slo }) => durationMs(slo.inline.p95) - durationMs(slo.inline.networkBudget) >= 20,
  },
];

export const completionServiceSpec = ruled(
  z.strictObject({
    slo: z
      .strictObject({
        inline: z
          .strictObject({
            p95: duration().default("100ms").describe("Time within which 95 of 100 inline completions begin."),
            networkBudget: duration().default("12ms").describe("Share of it that the network takes."),
          })
          .prefault({})
          .describe("Of completions at typing speed."),
        chat: z
          .strictObject({ ttftP95: duration().default("600ms").describe("Time within which 95 of 100 answers begin.") })
          .prefault({})
          .describe("Of chat."),
      })
      .prefault({})
      .describe("What people shall see."),
    tiers: z
      .array(tier)
      .min(1)
      .max(8)
      .meta({ "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"] })
      .describe("What callers ask for by name; the first is for those that name none."),
    router: router.prefault({}).describe("The routers."),
    tenants: z
      .array(tenant)
      .max(200)
      .default([])
      .meta({ "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"] })
      .describe("Who may ask for what; empty: everybody, everything."),
    excludedPaths: z.array(z.string().min(1).max(256)).max(64).default([]).describe("Globs of files that never reach a model."),
    nats: z
      .strictObject({
        servers: z
          .array(
            z
              .string()
              .max(256)
              .regex(/^(\[[0-9a-fA-F:]+\]|[^\s:[\]]+):\d{1,5}$/, 'is not "host:port"'),
          )
          .max(16)
          .default([])
          .describe("NATS servers, host:port."),
        credentialsSecretRef: name().optional().describe("Secret with key `nats.creds`."),
        tls: z.boolean().default(false).describe("true: only over TLS."),
      })
      .prefault({})
      .describe(
        "The bus between routers, workers and operator; absent: the operator's own servers. Without any they find each other by DNS, and latency is not reported.",
      ),
    logLevel: z.enum(["error", "warn", "info", "debug"]).default("info").describe("What routers log."),
  }),
  rules,
);

export type CompletionServiceSpec = z.infer<typeof completionServiceSpec>;

export const completionServiceStatus = z.strictObject({
  observedGeneration: whole(0, Number.MAX_SAFE_INTEGER).optional().describe("The generation that this status is about."),
  ready: z.string().max(24).optional().describe("Routers that serve, of those wanted: 2/2."),
  endpoint: z.string().max(320).optional().describe("Where editors connect."),
  policyVersion: whole(0, Number.MAX_SAFE_INTEGER).optional().describe("Version of the policy document that routers are given."),
  p95: z
    .string()
    .max(16)
    .optional()
    .describe("95th percentile of the first useful inline text lately; absent while no router reports."),
  conditions: conditions(),
});
