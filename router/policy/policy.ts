// policy: the policy document's file in, what holds for a tenant out. A changed file takes effect whole, for the next trigger, or
// not at all: the last good version stays, and log, metric and status say what is wrong. Without a file everything is allowed.
// Bounded: the document's size (lib/policy), `tenantsMax` tenants looked at.
import type { Clock } from "../../lib/clock.ts";
import { SlipstreamError } from "../../lib/errors.ts";
import type { Log } from "../../lib/log.ts";
import { policyBytesMax, readPolicy } from "../../lib/policy/read.ts";
import { noPolicy, type PolicyDocument } from "../../lib/policy/schema.ts";
import { Lru } from "../../lib/structures/lru.ts";
import { WatchedFile } from "../../lib/watched-file.ts";
import type { RouterMetrics } from "../metrics.ts";
import { TenantPolicy } from "./tenant-policy.ts";

export type { Route } from "./tenant-policy.ts";

export interface PolicyOptions {
  /** "": no document. */
  readonly path: string;
  readonly everyMs: number;
  readonly tenantsMax: number;
}

export interface PolicyDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Pick<RouterMetrics, "policy_version" | "policy_loads_total">;
}

/** As status shows it. */
export interface PolicyState {
  readonly path: string;
  readonly version: number;
  /** Why the file's newest text does not hold. */
  readonly problem?: string;
}

export class Policy {
  readonly #options: PolicyOptions;
  readonly #deps: PolicyDeps;
  readonly #file: WatchedFile | undefined;
  #document: PolicyDocument = noPolicy;
  #problem: string | undefined;
  #tenants: Lru<TenantPolicy>;
  readonly #listeners = new Set<() => void>();

  /** Throws where the document is wrong at the start: a router never begins by a policy that nobody wrote. */
  constructor(options: PolicyOptions, deps: PolicyDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#tenants = new Lru({ max: options.tenantsMax });
    if (options.path !== "") {
      const failed = (error: SlipstreamError) => this.#refused(error);
      const changed = (text: string) => this.#changed(text);
      const file = new WatchedFile({ ...options, bytesMax: policyBytesMax }, { clock: deps.clock, changed, failed });
      try {
        this.#document = readPolicy(file.text, options.path);
      } catch (thrown) {
        file[Symbol.dispose]();
        throw thrown;
      }
      this.#file = file;
      deps.metrics.policy_loads_total.inc({ result: "applied" });
    }
    deps.metrics.policy_version.set({}, this.#document.version);
  }

  get state(): PolicyState {
    const { version } = this.#document;
    return { path: this.#options.path, version, ...(this.#problem === undefined ? {} : { problem: this.#problem }) };
  }

  /** What holds for a tenant now. */
  of(tenant: string): TenantPolicy {
    const known = this.#tenants.get(tenant, 0);
    if (known) return known;
    const made = new TenantPolicy(this.#document, tenant);
    this.#tenants.set(tenant, made, 0);
    return made;
  }

  /** Told after a new version has taken effect, until the result is disposed. */
  onChange(told: () => void): Disposable {
    this.#listeners.add(told);
    return { [Symbol.dispose]: () => void this.#listeners.delete(told) };
  }

  close(): void {
    this.#file?.[Symbol.dispose]();
  }

  #changed(text: string): void {
    const { log, metrics } = this.#deps;
    try {
      const document = readPolicy(text, this.#options.path);
      const before = this.#document.version;
      this.#document = document;
      this.#problem = undefined;
      this.#tenants = new Lru({ max: this.#options.tenantsMax });
      metrics.policy_version.set({}, document.version);
      metrics.policy_loads_total.inc({ result: "applied" });
      const fields = { path: this.#options.path, version: document.version, before };
      if (document.version > before) log.info(fields, "policy changed");
      else log.warn(fields, "policy changed, but its version did not grow");
    } catch (thrown) {
      this.#refused(SlipstreamError.from(thrown));
      return;
    }
    for (const told of this.#listeners) told();
  }

  #refused(error: SlipstreamError): void {
    this.#problem = error.message;
    this.#deps.metrics.policy_loads_total.inc({ result: "refused" });
    this.#deps.log.error(
      { path: this.#options.path, version: this.#document.version, why: error.message },
      "policy kept as it was",
    );
  }
}
