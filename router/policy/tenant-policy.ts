// tenant-policy: one version of the document as it stands for one tenant: what it may ask for and where that leads, its quotas,
// what is excluded. Pure; made once per tenant and version.
import type { Deadlines, PolicyDocument, Quotas } from "../../lib/policy/schema.ts";
import { Lru } from "../../lib/structures/lru.ts";
import { type Glob, globOf, matchesAny } from "./glob.ts";

/** Where a call's `model` leads. */
export interface Route {
  /** "" where a pool or a model was named. */
  readonly tier: string;
  /** Pools that serve it, the preferred one first; models too, where no document names pools. */
  readonly pools: readonly string[];
  /** Where a trigger goes that cannot be answered in time here. */
  readonly fallback: Route | undefined;
  readonly deadlines: Deadlines;
  /** Bytes that a prompt may have; undefined: as many as the model has room for. */
  readonly promptBytesMax?: number | undefined;
}

/** Paths of late and whether they are excluded: the same few are asked about with every key. */
const pathsMax = 4_096;

export class TenantPolicy {
  readonly version: number;
  readonly quotas: Quotas;
  readonly completions: boolean;
  /** Languages that are completed; empty: all. */
  readonly languages: readonly string[];
  readonly excludedPaths: readonly string[];
  /** undefined: as the router is set. */
  readonly keepText: boolean | undefined;
  readonly #document: PolicyDocument;
  /** Tiers and pools that may be named; undefined: all. */
  readonly #models: readonly string[] | undefined;
  readonly #default: string | undefined;
  readonly #globs: readonly Glob[];
  readonly #paths = new Lru<boolean>({ max: pathsMax });

  constructor(document: PolicyDocument, tenant: string) {
    const entry = own(document.tenants, tenant) ?? own(document.tenants, "*") ?? {};
    const { policies: all } = document;
    const mine = entry.policies ?? {};
    this.version = document.version;
    this.quotas = entry.quotas ?? {};
    this.completions = mine.completions ?? all.completions ?? true;
    // What a list of languages leaves out stays out for everybody.
    this.languages = both(all.languages ?? [], mine.languages ?? []);
    this.excludedPaths = [...new Set([...(all.excludedPaths ?? []), ...(mine.excludedPaths ?? [])])];
    this.keepText = mine.keepText ?? all.keepText;
    this.#document = document;
    this.#models = entry.models;
    this.#default = entry.default;
    this.#globs = this.excludedPaths.map(globOf);
  }

  /** Names that `model` of a call may have; undefined: whatever workers serve. */
  get models(): readonly string[] | undefined {
    const { tiers, pools } = this.#document;
    if (this.#models) return this.#models;
    return this.#isOpen ? undefined : [...Object.keys(tiers), ...Object.keys(pools)];
  }

  /** Where the name leads ("": the default); undefined: not for this tenant, or not there. */
  route(name: string): Route | undefined {
    if (this.#isOpen) return { tier: "", pools: [name], fallback: undefined, deadlines: {} };
    const wanted = name === "" ? this.#first : name;
    if (wanted === undefined) return undefined;
    const { tiers } = this.#document;
    if (this.#mayName(wanted)) return own(tiers, wanted) ? this.#tier(wanted) : this.#pool([wanted]);
    // A model's own name stands for the allowed pools that serve it.
    const serving = this.#allowedPools().filter((pool) => this.#document.pools[pool]?.model === wanted);
    return serving.length > 0 ? this.#pool(serving) : undefined;
  }

  /** Never completed, never sent as context. */
  excludes(path: string): boolean {
    if (this.#globs.length === 0) return false;
    const known = this.#paths.get(path, 0);
    if (known !== undefined) return known;
    const excluded = matchesAny(path, this.#globs);
    this.#paths.set(path, excluded, 0);
    return excluded;
  }

  completes(language: string): boolean {
    return this.completions && (this.languages.length === 0 || this.languages.includes(language));
  }

  /** The document says nothing of tiers and pools: whatever workers serve may be named. */
  get #isOpen(): boolean {
    const { tiers, pools } = this.#document;
    return this.#models === undefined && Object.keys(tiers).length + Object.keys(pools).length === 0;
  }

  get #first(): string | undefined {
    const { tiers, pools } = this.#document;
    const allowed = this.#models ?? [...Object.keys(tiers), ...Object.keys(pools)];
    return this.#default ?? allowed.find((name) => own(tiers, name)) ?? allowed[0];
  }

  #mayName(name: string): boolean {
    const { tiers, pools } = this.#document;
    if (!own(tiers, name) && !own(pools, name)) return false;
    if (!this.#models || this.#models.includes(name)) return true;
    return this.#models.some((model) => own(tiers, model) && this.#reaches(this.#tier(model), name));
  }

  #reaches({ tier, pools, fallback }: Route, name: string): boolean {
    return tier === name || pools.includes(name) || (fallback !== undefined && this.#reaches(fallback, name));
  }

  #allowedPools(): string[] {
    return Object.keys(this.#document.pools).filter((pool) => this.#mayName(pool));
  }

  #tier(name: string): Route {
    const { pools, fallback, deadlines, prompt } = this.#document.tiers[name] as PolicyDocument["tiers"][string];
    const next = fallback === undefined ? undefined : this.#tier(fallback);
    const preferred = this.#pool(pools);
    return {
      ...{ tier: name, pools, fallback: next, deadlines: { ...preferred.deadlines, ...deadlines } },
      promptBytesMax: prompt ?? preferred.promptBytesMax,
    };
  }

  #pool(pools: readonly string[]): Route {
    const { deadlines = {}, prompt } = this.#document.pools[pools[0] as string] ?? {};
    return { tier: "", pools, fallback: undefined, deadlines, promptBytesMax: prompt };
  }
}

/** Entries alone: a name is no property of the language's. */
function own<T>(record: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}

/** An empty list is no list. */
function both(all: readonly string[], mine: readonly string[]): readonly string[] {
  if (all.length === 0 || mine.length === 0) return [...all, ...mine];
  const shared = mine.filter((language) => all.includes(language));
  // Two lists without a common language allow none; "" is no editor's language.
  return shared.length > 0 ? shared : [""];
}
