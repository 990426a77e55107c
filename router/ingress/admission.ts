// admission: may this tenant ask for that, now? A model's name in, the pool that the policy leads it to, its deadline and its
// prompt's bound out; or `permission_denied` where the name is not for this tenant, `overloaded` where its triggers are used up.
import { SlipstreamError } from "../../lib/errors.ts";
import type { Quotas } from "./quotas.ts";

/** What the policy says of a tenant, as far as ingress asks. */
export interface Terms {
  /** Names that a call's `model` may have; undefined: whatever workers serve. */
  readonly models: readonly string[] | undefined;
  /** Where a name leads ("": the default); undefined: nowhere for this tenant. */
  route(name: string): Leads | undefined;
  excludes(path: string): boolean;
  completes(language: string): boolean;
}

interface Leads {
  readonly pools: readonly string[];
  readonly deadlines: { readonly [K in Ask]?: number | undefined };
  readonly promptBytesMax?: number | undefined;
}

/** Deadlines differ by what is asked. */
export type Ask = "auto" | "invoked" | "chat";

export interface AdmissionDeps {
  readonly quotas: Quotas;
  readonly terms: (tenant: string) => Terms;
  /** Does a worker serve that pool or model now? */
  readonly serves: (name: string) => boolean;
}

export interface Admitted {
  readonly model: string;
  /** Of what names no deadline; undefined: the router's own. */
  readonly deadlineMs: number | undefined;
  /** undefined: as many as the model has room for. */
  readonly promptBytesMax: number | undefined;
}

export class Admission {
  readonly #deps: AdmissionDeps;

  constructor(deps: AdmissionDeps) {
    this.#deps = deps;
  }

  /** Is that file one that the tenant's policy lets be completed? */
  covers(
    at: string,
    { tenant, path, language }: { readonly tenant: string; readonly path: string; readonly language: string },
  ): void {
    const its = this.#deps.terms(tenant);
    // A session's file is known by its document.
    const field = at === "" ? "path" : `${at}document_id`;
    const refused = (what: string) => new SlipstreamError("permission_denied", `${field}: ${what}`, { field });
    if (its.excludes(path)) throw refused("the policy excludes this path from completions");
    if (!its.completes(language)) throw refused("the policy has no completions for this language");
  }

  /** `at` leads to the message's fields as errors name them. */
  admit(at: string, tenant: string, model: string, ask: Ask): Admitted {
    const { quotas, terms, serves } = this.#deps;
    const its = terms(tenant);
    const route = its.route(model);
    if (!route) throw notAllowed(`${at}model`, model, its.models ?? []);
    quotas.trigger(tenant, at === "" ? undefined : at.replace(/\.$/, ""));
    // The preferred pool that is there; where none is, the path says that there is no worker.
    const { pools, deadlines, promptBytesMax } = route;
    return { model: pools.find(serves) ?? pools[0] ?? model, deadlineMs: deadlines[ask], promptBytesMax };
  }
}

function notAllowed(field: string, model: string, names: readonly string[]): SlipstreamError {
  const may = names.length === 0 ? "it may use none" : `it may use ${names.join(", ")}`;
  const sentence = model === "" ? `this tenant has no default; ${may}` : `"${model}" is not for this tenant; ${may}`;
  return new SlipstreamError("permission_denied", `${field}: ${sentence}`, { field });
}
