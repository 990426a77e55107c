// policy: the policy document of a service's routers, from its tiers and tenants. Its version grows with every change of content, by
// what stands in the cluster, so that two operators never give one version to two documents.
import { createHash } from "node:crypto";
import { type PolicyDocument, policySchema } from "../../lib/policy/schema.ts";
import { plainMs } from "../api/fields.ts";
import type { KubeObject } from "../objects.ts";
import type { ServiceSeen } from "../pool.ts";

export const policyFile = "policy.json";
export const policyName = (service: string) => `${service}-policy`;
const contentAnnotation = "slipstream.dev/policy-content";
const versionAnnotation = "slipstream.dev/policy-version";

export interface Rendered {
  readonly text: string;
  readonly version: number;
  readonly annotations: Readonly<Record<string, string>>;
  /** What routers would refuse; the live document stays then. */
  readonly problems: readonly string[];
}

export function renderPolicy({ service, spec, pools, children }: ServiceSeen): Rendered {
  const named = new Set(spec.tiers.flatMap((tier) => tier.pools));
  const document: Omit<PolicyDocument, "version"> = {
    tiers: Object.fromEntries(
      spec.tiers.map(({ name, pools: own, fallback, deadlines, promptBytes }) => [
        name,
        {
          pools: own,
          ...(fallback === undefined ? {} : { fallback }),
          ...(Object.keys(deadlines).length === 0 ? {} : { deadlines: plain(deadlines) }),
          ...(promptBytes === undefined ? {} : { prompt: String(promptBytes) }),
        },
      ]),
    ) as never,
    pools: Object.fromEntries([...named].map((name) => [name, modelOf(pools.get(name))])),
    tenants: Object.fromEntries(
      spec.tenants.map(({ name, models, quotas }) => [
        name,
        { ...(models.length > 0 ? { models } : {}), ...(Object.keys(quotas).length > 0 ? { quotas } : {}) },
      ]),
    ) as never,
    policies: spec.excludedPaths.length > 0 ? { excludedPaths: spec.excludedPaths } : {},
  };
  const live = children.get(`ConfigMap/${policyName(service.metadata.name)}`);
  const content = createHash("sha256").update(JSON.stringify(document)).digest("hex").slice(0, 16);
  const before = versionOf(live);
  const version = live?.metadata.annotations?.[contentAnnotation] === content ? before : before + 1;
  const parsed = policySchema.safeParse({ version, ...document });
  return {
    text: `${JSON.stringify({ version, ...document }, null, 1)}\n`,
    version,
    annotations: { [contentAnnotation]: content, [versionAnnotation]: String(version) },
    problems: parsed.success ? [] : parsed.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`),
  };
}

const plain = (deadlines: Readonly<Record<string, string | undefined>>) =>
  Object.fromEntries(Object.entries(deadlines).flatMap(([kind, text]) => (text === undefined ? [] : [[kind, plainMs(text)]])));

function versionOf(live: KubeObject | undefined): number {
  const version = Number(live?.metadata.annotations?.[versionAnnotation] ?? 0);
  return Number.isSafeInteger(version) && version > 0 ? version : 0;
}

function modelOf(pool: KubeObject | undefined): { model?: string } {
  const name = pool?.spec?.model?.name;
  return typeof name === "string" ? { model: name } : {};
}
