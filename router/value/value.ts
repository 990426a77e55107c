// value: what generations cost, by what became of their text: a trigger in, a Bill for its generation out. What it cost goes to the
// metrics once both are known, the cost and how the triggers ended that read it, in whichever order they come. Split by pool,
// tenant and language, each with at most so many names: those that come later are "other". A bill lives as long as its generation
// and its completion do; here only the names are kept.
import type { Bill, Cost, Fate, Trigger } from "../completion.ts";
import type { RouterMetrics } from "../metrics.ts";

export interface ValueOptions {
  readonly poolsMax: number;
  readonly tenantsMax: number;
  readonly languagesMax: number;
}

type Metrics = Pick<
  RouterMetrics,
  | "value_engine_seconds_total"
  | "value_tokens_total"
  | "value_accepted_engine_seconds_total"
  | "value_accepted_tokens_total"
  | "value_accepted_characters_total"
>;

/** Whose it is: each sum over all names of one of these is the whole. */
type Split = readonly { readonly by: "pool" | "tenant" | "language"; readonly of: string }[];

export class Value {
  readonly #names: Readonly<Record<Split[number]["by"], Names>>;
  readonly #metrics: Metrics;

  constructor({ poolsMax, tenantsMax, languagesMax }: ValueOptions, deps: { readonly metrics: Metrics }) {
    this.#names = { pool: new Names(poolsMax), tenant: new Names(tenantsMax), language: new Names(languagesMax) };
    this.#metrics = deps.metrics;
  }

  open({ tenant, language, lane, kind }: Pick<Trigger, "tenant" | "language" | "lane" | "kind">, pool: string): Bill {
    const ahead = lane === "speculative" || kind === "preload" || kind === "speculative";
    return new OpenBill({ split: this.#split(pool, tenant, language), ahead }, this.#metrics);
  }

  /** Text that was delivered is accepted; typed ahead, it has no bill of its own. */
  accepted(
    { tenant, language, bill }: Pick<Trigger, "tenant" | "language"> & { readonly bill?: Bill | undefined },
    { characters, share }: { readonly characters: number; readonly share: number },
  ): void {
    bill?.accepted(share);
    const pool = bill instanceof OpenBill ? bill.pool : "typed_ahead";
    for (const labels of this.#split(pool, tenant, language)) this.#metrics.value_accepted_characters_total.inc(labels, characters);
  }

  #split(pool: string, tenant: string, language: string): Split {
    const { pool: pools, tenant: tenants, language: languages } = this.#names;
    return [
      { by: "pool", of: pools.of(pool) },
      { by: "tenant", of: tenants.of(tenant) },
      { by: "language", of: languages.of(language) },
    ];
  }
}

class OpenBill implements Bill {
  readonly #split: Split;
  /** Asked before anybody wanted its text. */
  readonly #ahead: boolean;
  readonly #metrics: Metrics;
  #readers = 0;
  #fate: Fate | undefined;
  #whole = { tokens: 0, engineMs: 0 };
  /** Until it is known what became of it. */
  #held = { tokens: 0, engineMs: 0 };
  #accepted = 0;

  constructor({ split, ahead }: { readonly split: Split; readonly ahead: boolean }, metrics: Metrics) {
    this.#split = split;
    this.#ahead = ahead;
    this.#metrics = metrics;
  }

  get pool(): string {
    return this.#split[0]?.of ?? "";
  }

  read(): void {
    this.#readers += 1;
  }

  /** Whoever was shown text decides; else the last one to end. */
  ended(fate: Fate): void {
    this.#readers -= 1;
    if (this.#fate !== "shown") this.#fate = this.#ahead ? "speculative" : fate;
    if (this.#readers > 0) return;
    const { tokens, engineMs } = this.#held;
    this.#held = { tokens: 0, engineMs: 0 };
    this.#book(this.#fate, tokens, engineMs);
  }

  spent({ tokens, engineMs }: Cost, hedged: boolean): void {
    if (hedged) this.#book("hedged", tokens, engineMs);
    else {
      this.#whole = { tokens: this.#whole.tokens + tokens, engineMs: this.#whole.engineMs + engineMs };
      if (this.#fate !== undefined && this.#readers <= 0) this.#book(this.#fate, tokens, engineMs);
      else this.#held = { tokens: this.#held.tokens + tokens, engineMs: this.#held.engineMs + engineMs };
    }
  }

  /** Several completions of one generation can be accepted; it was computed once. */
  accepted(share: number): void {
    const more = Math.min(share, 1 - this.#accepted);
    if (!(more > 0)) return;
    this.#accepted += more;
    const { value_accepted_engine_seconds_total: seconds, value_accepted_tokens_total: tokens } = this.#metrics;
    for (const labels of this.#split) {
      seconds.inc(labels, (more * this.#whole.engineMs) / 1_000);
      tokens.inc(labels, more * this.#whole.tokens);
    }
  }

  #book(fate: Fate, tokens: number, engineMs: number): void {
    for (const { by, of } of this.#split) {
      const labels = { by, of, fate };
      if (engineMs > 0) this.#metrics.value_engine_seconds_total.inc(labels, engineMs / 1_000);
      if (tokens > 0) this.#metrics.value_tokens_total.inc(labels, tokens);
    }
  }
}

/** The first so many names; clients say what they like. */
class Names {
  readonly #max: number;
  readonly #known = new Set<string>();

  constructor(max: number) {
    this.#max = max;
  }

  of(name: string): string {
    if (name === "") return "none";
    if (this.#known.has(name)) return name;
    if (this.#known.size >= this.#max) return "other";
    this.#known.add(name);
    return name;
  }
}
