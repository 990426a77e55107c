// invalid-services: CompletionServices with one thing wrong each.
import { service } from "./cluster-objects.ts";
import { type Invalid, row } from "./invalid-row.ts";

export const invalidServices: readonly Invalid[] = [
  row(
    "no tiers",
    service((s) => (s.spec.tiers = [])),
    "spec.tiers",
    "should have at least 1 items",
  ),
  row(
    "a fallback that is not there",
    service((s) => (s.spec.tiers[0].fallback = "quick")),
    "tiers.fallback: names no tier of this service",
  ),
  row(
    "a fallback to itself",
    service((s) => (s.spec.tiers[0].fallback = "inline")),
    "tiers.fallback: is the tier itself",
  ),
  row(
    "a tier with a pool's name",
    service((s) => (s.spec.tiers[0].name = "inline-7b")),
    "tiers.name: is also the name of a pool",
  ),
  row(
    "a tier twice",
    service((s) => s.spec.tiers.push(s.spec.tiers[0])),
    "",
    "Duplicate value",
  ),
  row(
    "more routers at least than at most",
    service((s) => (s.spec.router = { minReplicas: 3 })),
    "router.minReplicas: is above router.maxReplicas",
  ),
  row(
    "an inline target under the network's",
    service((s) => (s.spec.slo = { inline: { p95: "20ms" } })),
    "slo.inline: p95 less networkBudget",
  ),
  row(
    "a bus without a port",
    service((s) => (s.spec.nats = { servers: ["nats"] })),
    "spec.nats.servers.0",
    "spec.nats.servers[0]",
  ),
];
