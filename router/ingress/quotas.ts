// quotas: what of a router one tenant may hold at once, by the policy as it stands: open sessions, triggers a second, generations
// under way. Each tenant is counted by itself, so that one that is refused never costs another. Who asks for more gets
// `overloaded` with the time after which to ask again. Bounded: a tenant that holds nothing and owes nothing is forgotten.
import type { Clock } from "../../lib/clock.ts";
import { SlipstreamError } from "../../lib/errors.ts";
import { TokenBucket } from "../../lib/structures/token-bucket.ts";
import type { Lane } from "../completion.ts";
import type { RouterMetrics } from "../metrics.ts";

/** As the policy grants them; absent: no bound. */
export interface Granted {
  readonly sessions?: number | undefined;
  readonly triggersPerSecond?: number | undefined;
  readonly triggersBurst?: number | undefined;
  readonly generations?: number | undefined;
}

export interface QuotasDeps {
  readonly clock: Clock;
  /** What a tenant is granted now. */
  readonly granted: (tenant: string) => Granted;
  readonly metrics: Pick<RouterMetrics, "quota_refused_total">;
}

interface Held {
  sessions: number;
  generations: number;
  bucket: TokenBucket | undefined;
  perSecond: number;
  burst: number;
}

/** A session ends when its window closes; asking sooner is of no use. */
const sessionRetryMs = 5_000;
/** About what a generation takes. */
const generationRetryMs = 100;

export class Quotas {
  readonly #options: { readonly tenantsMax: number };
  readonly #deps: QuotasDeps;
  readonly #held = new Map<string, Held>();

  /** `tenantsMax`: tenants that hold nothing are kept up to here, for the triggers they have used up. */
  constructor(options: { tenantsMax: number }, deps: QuotasDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  /** Tenants that are counted now. */
  get tenants(): number {
    return this.#held.size;
  }

  /** Takes one session; the result gives it back. */
  session(tenant: string): Disposable {
    const held = this.#of(tenant);
    const { sessions = Number.POSITIVE_INFINITY } = this.#deps.granted(tenant);
    if (held.sessions >= sessions)
      throw this.#refusal("sessions", `hello: the quota of ${sessions} open sessions is used up`, "hello", sessionRetryMs);
    held.sessions += 1;
    return this.#given(tenant, held, () => {
      held.sessions -= 1;
    });
  }

  /** Counts one trigger; `field` as errors name it, if the message has one. */
  trigger(tenant: string, field: string | undefined): void {
    const { triggersPerSecond: perSecond, triggersBurst } = this.#deps.granted(tenant);
    if (perSecond === undefined) return;
    const held = this.#of(tenant);
    const burst = triggersBurst ?? Math.max(1, Math.ceil(perSecond));
    const now = this.#deps.clock.now();
    if (!held.bucket || held.perSecond !== perSecond || held.burst !== burst) {
      held.bucket = new TokenBucket({ perSecond, burst }, now);
      held.perSecond = perSecond;
      held.burst = burst;
    }
    if (held.bucket.take(now)) return;
    throw this.#refusal(
      "triggers",
      `${field === undefined ? "" : `${field}: `}the quota of ${perSecond} triggers a second is used up`,
      field,
      Math.max(1, Math.ceil(held.bucket.waitMs(now))),
    );
  }

  /**
   * Takes one generation until `signal` aborts or the result is disposed, whichever is first: a newer trigger may begin in the
   * tick in which it retires the older one. What is done ahead of the person never takes the last.
   */
  generation(tenant: string, lane: Lane, signal: AbortSignal): Disposable {
    const held = this.#of(tenant);
    const { generations = Number.POSITIVE_INFINITY } = this.#deps.granted(tenant);
    const ahead = lane === "speculative" || lane === "batch";
    if (held.generations >= generations - (ahead ? 1 : 0))
      throw this.#refusal(
        "generations",
        `the quota of ${generations} generations at once is used up`,
        undefined,
        generationRetryMs,
      );
    held.generations += 1;
    const given = this.#given(tenant, held, () => {
      held.generations -= 1;
      signal.removeEventListener("abort", over);
    });
    const over = () => given[Symbol.dispose]();
    signal.addEventListener("abort", over, { once: true });
    return given;
  }

  #refusal(quota: "sessions" | "triggers" | "generations", message: string, field: string | undefined, retryAfterMs: number) {
    this.#deps.metrics.quota_refused_total.inc({ quota });
    return new SlipstreamError("overloaded", message, { retryAfterMs, ...(field === undefined ? {} : { field }) });
  }

  #of(tenant: string): Held {
    const known = this.#held.get(tenant);
    if (known) return known;
    if (this.#held.size >= this.#options.tenantsMax) this.#forget();
    const made: Held = { sessions: 0, generations: 0, bucket: undefined, perSecond: 0, burst: 0 };
    this.#held.set(tenant, made);
    return made;
  }

  /** Gives back once. */
  #given(tenant: string, held: Held, back: () => void): Disposable {
    let open = true;
    return {
      [Symbol.dispose]: () => {
        if (!open) return;
        open = false;
        back();
        if (!held.bucket && isIdle(held)) this.#held.delete(tenant);
      },
    };
  }

  /** Those that hold nothing and may ask for as much as ever. */
  #forget(): void {
    const now = this.#deps.clock.now();
    for (const [tenant, held] of this.#held)
      if (isIdle(held) && (held.bucket?.waitMs(now, held.burst) ?? 0) === 0) this.#held.delete(tenant);
  }
}

const isIdle = ({ sessions, generations }: Held) => sessions === 0 && generations === 0;
