// costs: measured times in, the time a verify of n tokens and a draft pass take now out. A table by n and by load; what was
// never measured lies on the line through its neighbours. Times move together when a machine is busy, so the table keeps
// relations, which last, and one scale for the present.

export type Figures = Readonly<Record<string, number>>;

/** Loads at which costs are kept apart: 1, 2, 3–4, 5–8, more. */
const loadsMax = 5;
/** A time this much over what was expected says something about the machine, not about the call. */
const outlierFactor = 4;
/** Weight of a sample in a relation, and in the scale. */
const relationWeight = 0.04;
const scaleWeight = 0.1;
/** Until a second point is known, each further token is taken to cost this share of the first. */
const unknownSlope = 0.5;

class Mean {
  #count = 0;
  #value = 0;

  get known(): boolean {
    return this.#count > 0;
  }

  get value(): number {
    return this.#value;
  }

  add(sample: number, weight: number): void {
    this.#count += 1;
    // The first samples weigh alike; later ones fade in.
    this.#value += (sample - this.#value) * Math.max(weight, 1 / this.#count);
  }
}

export class Costs {
  readonly #tokensMax: number;
  readonly #verify: readonly (readonly Mean[])[];
  readonly #draftPass = new Mean();
  readonly #catchUp = new Mean();
  #scale = 1;

  /** `tokensMax`: of one verify. */
  constructor(options: { tokensMax: number }) {
    this.#tokensMax = options.tokensMax;
    this.#verify = Array.from({ length: loadsMax }, () => Array.from({ length: options.tokensMax + 1 }, () => new Mean()));
  }

  verified(tokens: number, ms: number, load = 1): void {
    if (tokens > this.#tokensMax) return;
    this.#take(this.#verify[bucket(load)]?.[tokens] as Mean, ms, this.#known(load) ? this.verifyMs(tokens, load) : ms);
  }

  /** A pass that drafted one token. */
  drafted(ms: number): void {
    this.#take(this.#draftPass, ms, this.#draftPass.known ? this.draftMs : ms);
  }

  /** A pass that only read what the draft model had missed. */
  caughtUp(tokens: number, ms: number): void {
    if (tokens > 0) this.#take(this.#catchUp, ms / tokens, this.#catchUp.known ? this.catchUpMs(1) : ms / tokens);
  }

  verifyMs(tokens: number, load = 1): number {
    const row = this.#row(load);
    let [below, above] = [0, 0];
    for (let n = 1; n < row.length; n++) {
      if (!row[n]?.known) continue;
      if (n <= tokens) below = n;
      else {
        above = n;
        break;
      }
    }
    const at = (n: number) => (row[n]?.value ?? 0) * this.#scale;
    if (below === tokens && below > 0) return at(below);
    if (below === 0) return above === 0 ? 0 : at(above);
    if (above > 0) return at(below) + Math.max(0, ((at(above) - at(below)) * (tokens - below)) / (above - below));
    let before = below - 1;
    while (before > 0 && !row[before]?.known) before -= 1;
    const slope = before > 0 ? Math.max(0, (at(below) - at(before)) / (below - before)) : at(below) * unknownSlope;
    return at(below) + slope * (tokens - below);
  }

  /** Undefined before the first pass. */
  get draftMs(): number {
    return this.#draftPass.known ? this.#draftPass.value * this.#scale : this.verifyMs(1) / 2;
  }

  catchUpMs(tokens: number): number {
    return tokens * (this.#catchUp.known ? this.#catchUp.value * this.#scale : this.draftMs / 8);
  }

  /** What was measured, in ms, for reports. */
  get table(): { readonly verify: Figures; readonly draft: number; readonly catchUpPerToken: number } {
    const row = this.#row(1);
    const measured = row.flatMap((mean, n) => (mean.known ? [[String(n), this.verifyMs(n)] as const] : []));
    return { verify: Object.fromEntries(measured), draft: this.draftMs, catchUpPerToken: this.catchUpMs(1) };
  }

  #take(mean: Mean, ms: number, expected: number): void {
    const fair = expected > 0 ? Math.min(ms, expected * outlierFactor) : ms;
    if (expected > 0) this.#scale *= 1 + scaleWeight * Math.max(-0.5, Math.min(1, fair / expected - 1));
    mean.add(fair / this.#scale, relationWeight);
  }

  #known(load: number): boolean {
    return this.#row(load).some((mean) => mean.known);
  }

  /** The measured row nearest to this load, the lighter one first. */
  #row(load: number): readonly Mean[] {
    const wanted = bucket(load);
    for (let away = 0; away < loadsMax; away++) {
      for (const row of [this.#verify[wanted - away], this.#verify[wanted + away]]) if (row?.some((mean) => mean.known)) return row;
    }
    return this.#verify[wanted] as readonly Mean[];
  }
}

function bucket(load: number): number {
  return load <= 1 ? 0 : load === 2 ? 1 : load <= 4 ? 2 : load <= 8 ? 3 : 4;
}
