// costs: measured times in, the time a verify of n tokens and a draft pass take now out. A table by n and by load; what was
// never measured lies on the line through its neighbours. When a machine gets busy all times grow together, so each is kept in
// relation to a plain step, which lasts, and one scale says what a plain step takes at present. Means are geometric: a call
// that was disturbed moves them little. A plain step after a pass of another size costs more than one after its like: llama.cpp
// lays its computation out anew. That is a cost of the draft before it, and is kept apart.

/** Loads at which costs are kept apart: 1, 2, 3–4, 5–8, more. */
const loadsMax = 5;
/** A time this much off what was expected says something about the machine, not about the call. */
const outlierFactor = 4;
/** Weight of a sample in its relation, and in the scale. */
const relationWeight = 0.03;
const scaleWeight = 0.1;
/** A plain step after drafts that takes less than a plain step by this, in the mean, is no luck any more. */
const lessThanPlain = -0.05;
/** Until a second point is known, each further token is taken to cost this share of the first. */
const unknownSlope = 0.5;
/** Until a draft pass was timed. */
const unknownDraft = 0.5;
/** Reading is that much cheaper a token than drafting, until it was timed. */
const unknownReading = 1 / 8;

/** Of plain steps; undefined: never measured. */
type Relation = { value: number; samples: number } | undefined;

/** What was measured on purpose counts as so many samples. */
const purposeSamples = 5;

export interface CostTable {
  readonly verify: Readonly<Record<string, number>>;
  readonly draft: number;
  readonly catchUpPerToken: number;
}

export class Costs {
  readonly #tokensMax: number;
  /** By load, then by tokens. */
  readonly #verify: readonly Relation[][];
  #draft: Relation;
  #reading: Relation;
  /** What the first plain step after drafts takes beyond another. */
  #switch: Relation;
  /** ms of a plain step; 0: nothing was measured yet. */
  #stepMs = 0;

  /** `tokensMax`: of one verify. */
  constructor(options: { tokensMax: number }) {
    this.#tokensMax = options.tokensMax;
    this.#verify = Array.from({ length: loadsMax }, () => Array.from({ length: options.tokensMax + 1 }, () => undefined));
  }

  /** Measured on purpose: counts at once, in full. */
  measured(tokens: number, ms: number, load = 1): void {
    const row = this.#verify[bucket(load)];
    if (!row || tokens > this.#tokensMax) return;
    if (this.#stepMs === 0) this.#stepMs = ms;
    row[tokens] = { value: ms / this.#stepMs, samples: purposeSamples };
  }

  draftMeasured(ms: number): void {
    if (this.#stepMs > 0) this.#draft = { value: ms / this.#stepMs, samples: purposeSamples };
  }

  /** The first plain step after drafts, measured on purpose. */
  switchMeasured(ms: number): void {
    if (this.#stepMs > 0) this.#switch = { value: Math.max(0, ms / this.#stepMs - 1), samples: purposeSamples };
  }

  /** `samples`: passes of which `ms` is the geometric mean. */
  verified(tokens: number, ms: number, load = 1, samples = 1): void {
    const row = this.#verify[bucket(load)];
    if (!row || tokens > this.#tokensMax) return;
    if (this.#stepMs === 0) this.measured(tokens, ms, load);
    // Begins on its neighbours' line: one disturbed call does not make a cost.
    const relation = row[tokens] ?? { value: this.verifyMs(tokens, load) / this.#stepMs, samples: 1 };
    row[tokens] = relation;
    this.#learn(relation, ms, tokens === 1 && load === 1, samples);
  }

  /** A pass that drafted one token. */
  drafted(ms: number): void {
    if (this.#stepMs === 0) return;
    this.#draft ??= { value: ms / this.#stepMs, samples: 1 };
    this.#learn(this.#draft, ms, false);
  }

  /** The first plain step after drafts. */
  switched(ms: number): void {
    if (this.#stepMs === 0) return;
    this.#switch ??= { value: 0, samples: 1 };
    this.#switch.samples += 1;
    const more = Math.min(outlierFactor, ms / this.#stepMs - 1);
    this.#switch.value += (more - this.#switch.value) * Math.max(relationWeight, 1 / this.#switch.samples);
    if (this.#switch.value < lessThanPlain) this.#anchor(1 + this.#switch.value);
  }

  /** A plain step takes this much of what was thought. Where every pass drafts, those after drafts are the only ones that tell. */
  #anchor(share: number): void {
    this.#stepMs *= share;
    for (const relation of [...this.#verify.flatMap((row) => row.slice(2)), this.#draft, this.#reading])
      if (relation) relation.value /= share;
    if (this.#switch) this.#switch.value = 0;
  }

  /** Passes that only read what the draft model had missed. */
  caughtUp(tokens: number, ms: number): void {
    if (tokens === 0 || this.#stepMs === 0) return;
    this.#reading ??= { value: ms / tokens / this.#stepMs, samples: 1 };
    this.#learn(this.#reading, ms / tokens, false);
  }

  verifyMs(tokens: number, load = 1): number {
    const row = this.#row(load);
    const at = (n: number) => leastFrom(row, n) * this.#stepMs;
    const below = lastKnown(row, tokens);
    if (below === tokens && below > 0) return at(below);
    const above = row.findIndex((relation, n) => n > tokens && relation !== undefined);
    if (below === 0) return above < 0 ? 0 : at(above);
    if (above > 0) return at(below) + Math.max(0, ((at(above) - at(below)) * (tokens - below)) / (above - below));
    const before = lastKnown(row, below - 1);
    const slope = before > 0 ? Math.max(0, (at(below) - at(before)) / (below - before)) : at(below) * unknownSlope;
    return at(below) + slope * (tokens - below);
  }

  /** Whether what a draft of this source costs is known and no guess. */
  known(source: "lookup" | "model"): boolean {
    return lastKnown(this.#row(1), this.#tokensMax) > 1 && (source === "lookup" || this.#draft !== undefined);
  }

  get switchMs(): number {
    return Math.max(0, this.#switch?.value ?? 0) * this.#stepMs;
  }

  get draftMs(): number {
    return (this.#draft?.value ?? unknownDraft) * this.#stepMs;
  }

  catchUpMs(tokens: number): number {
    return tokens * (this.#reading ? this.#reading.value * this.#stepMs : this.draftMs * unknownReading);
  }

  /** What was measured, in ms, for reports. */
  get table(): CostTable {
    const measured = this.#row(1).flatMap((relation, n) => (relation ? [[String(n), this.verifyMs(n)] as const] : []));
    return { verify: Object.fromEntries(measured), draft: this.draftMs, catchUpPerToken: this.catchUpMs(1) };
  }

  #learn(relation: NonNullable<Relation>, ms: number, plain: boolean, samples = 1): void {
    const expectedMs = relation.value * this.#stepMs;
    if (!(ms > 0 && expectedMs > 0)) return;
    const off = Math.min(outlierFactor, Math.max(1 / outlierFactor, ms / expectedMs));
    // Nothing makes a pass faster than it is: so much faster, it was disturbed while it was measured.
    if (!plain && off === 1 / outlierFactor) {
      relation.value *= off;
      return;
    }
    this.#stepMs *= off ** weightOf(scaleWeight, samples);
    // A plain step is the measure itself.
    relation.samples += samples;
    if (!plain) relation.value *= off ** Math.max(weightOf(relationWeight, samples), samples / relation.samples);
  }

  /** The measured row nearest to this load, the lighter one first. */
  #row(load: number): readonly Relation[] {
    const wanted = bucket(load);
    for (let away = 0; away < loadsMax; away++) {
      for (const row of [this.#verify[wanted - away], this.#verify[wanted + away]])
        if (row && lastKnown(row, row.length) > 0) return row;
    }
    return this.#verify[wanted] ?? [];
  }
}

/** Of so many samples, each of which has `weight`. */
const weightOf = (weight: number, samples: number): number => (samples === 1 ? weight : 1 - (1 - weight) ** samples);

/** No pass takes longer than one of more tokens: what was measured otherwise was disturbed. A plain step is the measure itself. */
function leastFrom(row: readonly Relation[], from: number): number {
  let least = row[from]?.value ?? 0;
  for (let n = from + 1; from > 1 && n < row.length; n++) least = Math.min(least, row[n]?.value ?? least);
  return Math.max(least, row[1]?.value ?? 0);
}

/** 0: none. */
function lastKnown(row: readonly Relation[], from: number): number {
  for (let n = Math.min(from, row.length - 1); n > 0; n--) if (row[n]) return n;
  return 0;
}

function bucket(load: number): number {
  return load <= 1 ? 0 : load === 2 ? 1 : load <= 4 ? 2 : load <= 8 ? 3 : 4;
}
