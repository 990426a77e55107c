// policy/schema: the shape of the policy document, which the operator renders and routers obey: tiers, pools, tenants and
// policies, one version. A field that is not known is a problem, so that a misspelt one is found and not ignored.
// docs/reference/policy.md is generated from the sentences here.
import { z } from "zod";
import { bytes, duration } from "../config.ts";

/** Of tiers, pools and tenants: as in Kubernetes, and tenants as in tokens. */
const name = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, "is not a name of letters, digits, ., _ and -, 63 at most");
/** A tenant; "*" stands for all that have no entry. */
const tenantName = z.union([name, z.literal("*")], "is neither a name of letters, digits, ., _ and -, 63 at most, nor *");
const whole = (min: number, max: number) =>
  z.number("is not a number").int("is not a whole number").min(min, `must be at least ${min}`).max(max, `must be at most ${max}`);

/** What a list may hold. A document is read on the router's one thread. */
const limits = { tiers: 64, pools: 256, tenants: 10_000, poolsOfTier: 16, globs: 256, languages: 256, models: 64 } as const;
const atMost = (max: number) => (record: Readonly<Record<string, unknown>>) => Object.keys(record).length <= max;

const deadlines = z.strictObject({
  auto: duration(10, 60_000).optional().describe('Of AUTO triggers that name none, like "100ms".'),
  invoked: duration(10, 120_000).optional().describe("Of INVOKED triggers that name none."),
  chat: duration(100, 600_000).optional().describe("Of Generate calls that name none."),
});

/** Less holds no code to complete from; more than a router takes of a document is no bound. */
const prompt = bytes(1_024, 16 << 20).optional();

const tier = z.strictObject({
  pools: z.array(name).min(1, "must name a pool").max(limits.poolsOfTier).describe("Pools that serve it, the preferred one first."),
  fallback: name.optional().describe("Tier that is asked instead where this one cannot answer before a trigger's deadline."),
  deadlines: deadlines.optional().describe("Deadlines of what asks for this tier; else the pool's, else the router's own."),
  prompt: prompt.describe(
    "Bytes that a prompt may have at most of what asks for this tier, like \"6KiB\"; else the pool's, else the model's room alone.",
  ),
});

const pool = z.strictObject({
  model: z.string().min(1).max(256).optional().describe("Model that its workers serve; another one is not asked of this pool."),
  deadlines: deadlines.optional().describe("Deadlines of what is served by this pool."),
  prompt: prompt.describe("Bytes that a prompt may have at most of what is served by this pool."),
});

const quotas = z.strictObject({
  sessions: whole(1, 1_000_000).optional().describe("Open session streams on one router."),
  triggersPerSecond: z.number().positive().max(1_000_000).optional().describe("Triggers a second on one router, all kinds."),
  triggersBurst: whole(1, 1_000_000).optional().describe("Triggers that may come at once; else those of one second."),
  generations: whole(1, 1_000_000).optional().describe("Generations at the same time on one router."),
});

const rules = {
  completions: z.boolean().optional().describe("false: no completions at all."),
  languages: z
    .array(z.string().min(1).max(64))
    .max(limits.languages)
    .optional()
    .describe("Languages that are completed; absent or empty: all."),
  excludedPaths: z
    .array(z.string().min(1).max(1_024))
    .max(limits.globs)
    .optional()
    .describe('Globs of paths that are never completed and never sent as context: "**" any folders, "*" and "?" within one.'),
  keepText: z.boolean().optional().describe("true: outcome events carry the delivered text, for whoever may learn from it."),
};
const policies = z.strictObject(rules);

const tenant = z.strictObject({
  models: z
    .array(name)
    .max(limits.models)
    .optional()
    .describe("Tiers and pools that `model` of a call may name; absent: all. A tier allows its pools and its fallbacks."),
  default: name.optional().describe("Tier or pool of calls that name none; else the document's first allowed tier."),
  quotas: quotas.optional().describe("What one router grants this tenant; absent: no bound but the router's own."),
  policies: policies
    .optional()
    .describe(
      "What holds for this tenant instead of the document's `policies`; excluded paths add to those, languages narrow them.",
    ),
});

export const policySchema = z
  .strictObject({
    version: whole(1, Number.MAX_SAFE_INTEGER).describe("Grows with every change; shown in status, metrics and to editors."),
    tiers: z
      .record(name, tier)
      .refine(atMost(limits.tiers), `holds more than ${limits.tiers} tiers`)
      .default({})
      .describe("What a caller asks for by name."),
    pools: z
      .record(name, pool)
      .refine(atMost(limits.pools), `holds more than ${limits.pools} pools`)
      .default({})
      .describe("What workers say that they belong to."),
    tenants: z
      .record(tenantName, tenant)
      .refine(atMost(limits.tenants), `holds more than ${limits.tenants} tenants`)
      .default({})
      .describe('Who may ask for what; "*" stands for every tenant without an entry.'),
    policies: policies.default({}).describe("What holds for everybody."),
  })
  .superRefine(checkReferences);

export type PolicyDocument = z.infer<typeof policySchema>;
export type Tier = PolicyDocument["tiers"][string];
export type Tenant = PolicyDocument["tenants"][string];
export type Quotas = NonNullable<Tenant["quotas"]>;
export type Deadlines = NonNullable<Tier["deadlines"]>;

/** Of a router that was given no document: every model for everyone. */
export const noPolicy: PolicyDocument = Object.freeze({ version: 0, tiers: {}, pools: {}, tenants: {}, policies: {} });

interface Names {
  readonly tiers: Readonly<Record<string, { pools: readonly string[]; fallback?: string | undefined }>>;
  readonly pools: Readonly<Record<string, unknown>>;
  readonly tenants: Readonly<Record<string, { models?: readonly string[] | undefined; default?: string | undefined }>>;
}

/** Every name that is used is also defined, and no tier falls back to itself. */
function checkReferences({ tiers, pools, tenants }: Names, check: z.RefinementCtx): void {
  const problem = (path: (string | number)[], message: string) => check.addIssue({ code: "custom", path, message });
  for (const [key, { pools: own, fallback }] of Object.entries(tiers)) {
    if (Object.hasOwn(pools, key)) problem(["tiers", key], "is also the name of a pool; a call could mean either");
    for (const [at, pool] of own.entries())
      if (!Object.hasOwn(pools, pool)) problem(["tiers", key, "pools", at], `there is no pool "${pool}"`);
    if (fallback !== undefined && !Object.hasOwn(tiers, fallback))
      problem(["tiers", key, "fallback"], `there is no tier "${fallback}"`);
    else if (leadsBack(key, tiers)) problem(["tiers", key, "fallback"], "leads back to this tier");
  }
  for (const [key, { models, default: first }] of Object.entries(tenants)) {
    const known = (model: string) => Object.hasOwn(tiers, model) || Object.hasOwn(pools, model);
    for (const [at, model] of (models ?? []).entries())
      if (!known(model)) problem(["tenants", key, "models", at], `there is no tier or pool "${model}"`);
    if (first !== undefined && !known(first)) problem(["tenants", key, "default"], `there is no tier or pool "${first}"`);
    else if (first !== undefined && models && !models.includes(first))
      problem(["tenants", key, "default"], `"${first}" is not among the tenant's models`);
  }
}

function leadsBack(from: string, tiers: Names["tiers"]): boolean {
  const seen = new Set<string>();
  for (let at = tiers[from]?.fallback; at !== undefined && !seen.has(at); at = tiers[at]?.fallback) {
    if (at === from) return true;
    seen.add(at);
  }
  return false;
}
