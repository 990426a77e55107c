// speculation: the controller. What the next block could be drafted from in, a plan out: from where (nothing, a lookup, the
// draft model) and how many tokens; then what became of it in, so that costs, odds and limits are always measured ones. Pure:
// no engine, no clock. It earns the most tokens a millisecond, and may lose no more than its purse against plain steps.
import { exploreEvery, Kind } from "./arm.ts";
import { Costs } from "./costs.ts";
import { couldPay, type Known, lookupOffer, modelOffer, type Offer, risk, worth } from "./offers.ts";
import type { Booked } from "./plain-steps.ts";
import { type Block, type Plan, plainPlan, type Situation, type Source, type SpeculationOptions, type Why } from "./plan.ts";

export { type Block, type Plan, plainPlan, type Situation, type Source, type SpeculationOptions, type Why } from "./plan.ts";

/** In tokens a block: what a source must promise more than plain steps to be opened, and how much less closes it again. */
const openMargin = 0.05;
const closeMargin = 0.03;
/** Of the kind of the longest matches (odds.ts). */
const longMatch = 16;
/** Tokens of a usual completion, until some were seen; most are cut at the end of a line. */
const firstHorizon = 16;

export class Speculation {
  readonly costs: Costs;
  readonly #options: SpeculationOptions;
  readonly #kinds: readonly [greedy: Kind, sampled: Kind];
  #horizon = firstHorizon;
  /** Whether the last block carried drafts: then leaving off costs, not going on. */
  #drafted = false;

  constructor(options: SpeculationOptions) {
    this.#options = options;
    this.costs = new Costs({ tokensMax: options.lengthMax + 1 });
    this.#kinds = [new Kind(options), new Kind(options)];
  }

  /** Whether a step of "auto" is plain whatever could be looked up: then nothing need be looked up, nor planned. */
  rests(at: { readonly load: number; readonly sampled: boolean }): boolean {
    return this.#kind(at).settled.rests(at.load);
  }

  plan(situation: Situation): Plan {
    const { mode, lengthMax } = situation;
    if (mode === "off") return plainPlan.asked;
    if (lengthMax < 1) return plainPlan.nothing_to_draft;
    const kind = this.#kind(situation);
    if (mode === "auto" && kind.settled.has(situation)) return plainPlan.no_gain;
    this.#book(kind, kind.plainSteps.take());
    const known = this.#known(situation);
    const offers = [lookupOffer(situation, known), modelOffer(situation, known)].filter((offer) => offer !== undefined);
    if (offers.length === 0) return plainPlan.nothing_to_draft;
    offers.sort((one, other) => worth(other, known.rate) - worth(one, known.rate));
    return mode === "always" ? this.#planned(offers[0] as Offer, "asked", situation) : this.#auto(situation, known, offers);
  }

  /** What became of a plan of "auto". */
  ended(block: Block): void {
    const { source, evidence, accepted, load, verifyMs, draftMs, catchUpMs, catchUpTokens } = block;
    const kind = this.#kind(block);
    const drafts = evidence.length > 0;
    kind.settled.stepped();
    const usual = !drafts && !this.#drafted && catchUpTokens === 0;
    this.#book(kind, usual ? kind.plainSteps.add(verifyMs, load) : kind.plainSteps.take());
    if (usual) return;
    const entryMs = drafts ? this.#entryMs : 0;
    if (drafts) this.costs.verified(evidence.length + 1, verifyMs, load);
    else this.costs.switched(verifyMs);
    this.#drafted = drafts;
    if (source === "model" && drafts) this.costs.drafted(draftMs / evidence.length);
    this.costs.caughtUp(catchUpTokens, catchUpMs);
    // By the table, not by this block's own time: what else the machine did meanwhile is no merit of a plan.
    const stepMs = this.costs.verifyMs(1, load);
    const passesMs = source === "model" ? evidence.length * this.costs.draftMs + this.costs.catchUpMs(catchUpTokens) : 0;
    const ms = this.costs.verifyMs(evidence.length + 1, load) + passesMs + entryMs;
    kind.learn(accepted + 1, ms);
    kind.earn(stepMs > 0 ? ms / stepMs : 0);
    if (source === "none") return;
    const arm = kind.arm(source);
    arm.purse.block(stepMs > 0 ? accepted + 1 - ms / stepMs : 0);
    if (!drafts) return;
    if (block.why === "explore") arm.explored(accepted);
    arm.learn(accepted);
    kind.odds.learn(source, evidence, accepted);
    kind.settled.clear();
  }

  /** A generation ended after so many tokens. */
  finished(tokens: number): void {
    this.#horizon += (tokens - this.#horizon) * 0.1;
    for (const kind of this.#kinds) kind.finished();
  }

  /** What it knows now, for reports. */
  get state(): { readonly open: readonly Source[]; readonly purseSteps: readonly number[]; readonly rate: number } {
    const [greedy] = this.#kinds;
    const open = (["lookup", "model"] as const).filter((source) => greedy[source].open);
    return {
      open,
      purseSteps: [greedy.lookup.purse.steps, greedy.model.purse.steps],
      rate: this.#rate({ load: 1, sampled: false }),
    };
  }

  /** `offers`: the best first. */
  #auto(situation: Situation, known: Known, offers: readonly Offer[]): Plan {
    const { kind, rate } = known;
    const stepMs = this.costs.verifyMs(1, situation.load);
    const plainWorth = worth({ tokens: 1, ms: stepMs }, rate);
    let kept = false;
    for (const offer of offers) {
      const arm = kind.arm(offer.source);
      arm.open = worth(offer, rate) - plainWorth > (arm.open ? -closeMargin : openMargin);
      if (!arm.open) continue;
      arm.wait = exploreEvery.first;
      if (arm.purse.affords(risk(offer, stepMs))) return this.#planned(offer, "gain", situation);
      kept = true;
    }
    if (kept) return plainPlan.no_budget;
    const early = situation.horizonTokens >= this.#horizon / 2;
    const hopeful = offers.filter((offer) => {
      const { idle, purse, trying } = kind.arm(offer.source);
      // Costs that were measured on a busy machine are not believed for ever.
      const doubted = trying || idle >= exploreEvery.most;
      return couldPay(offer, situation, known) || (doubted && purse.affords(risk(offer, stepMs)));
    });
    for (const offer of hopeful) {
      const arm = kind.arm(offer.source);
      if (arm.curious(early) && arm.purse.affords(risk(offer, stepMs))) return this.#planned(offer, "explore", situation);
    }
    this.#settle(situation, known, hopeful);
    return plainPlan.no_gain;
  }

  /** Nothing pays here: until a source is curious again it need not be asked, nor anywhere if not even a long match would pay. */
  #settle(situation: Situation, known: Known, hopeful: readonly Offer[]): void {
    const { kind, lengthMax, rate } = known;
    const restsOf = (offers: readonly Offer[]) => ({
      steps: Math.min(...offers.map(({ source }) => kind.arm(source).restsFor)),
      byReading: offers.some(({ source }) => source === "model"),
    });
    kind.settled.add(situation, restsOf(hopeful));
    const anywhere = { ...situation, lengthMax, lookup: { match: longMatch, length: lengthMax } };
    const longest = lookupOffer(anywhere, known);
    const plainTokens = rate * this.costs.verifyMs(1, situation.load);
    if (!longest || worth(longest, rate) > 1 - plainTokens + (kind.lookup.open ? -closeMargin : openMargin)) return;
    const model = hopeful.filter(({ source }) => source === "model");
    kind.settled.rest(situation.load, restsOf(couldPay(longest, anywhere, known) ? [longest, ...model] : model));
  }

  #planned({ source, length }: Offer, why: Why, situation: Situation): Plan {
    let further = why === "gain" && source === "model" && this.#kind(situation).model.further();
    const goOn = (evidence: readonly number[]) => {
      if (this.#goOn(evidence, situation)) return true;
      const once = further;
      further = false;
      return once;
    };
    return { source, length, why, goOn };
  }

  #goOn(evidence: readonly number[], situation: Situation): boolean {
    const { load } = situation;
    const { odds } = this.#kind(situation);
    const n = evidence.length;
    const survival = evidence.reduce((product, one) => product * odds.of("model", one), 1);
    const ms = this.costs.draftMs + this.costs.verifyMs(n + 2, load) - this.costs.verifyMs(n + 1, load);
    return survival * odds.next(n) > this.#rate(situation) * ms;
  }

  #book(kind: Kind, booked: Booked | undefined): void {
    if (!booked) return;
    const { steps, ms, load } = booked;
    this.costs.verified(1, ms, load, steps);
    kind.learn(1, this.costs.verifyMs(1, load), steps);
    kind.earn(steps);
  }

  #known(situation: Situation): Known {
    return {
      costs: this.costs,
      kind: this.#kind(situation),
      lengthMax: this.#options.lengthMax,
      entryMs: this.#entryMs,
      horizonTokens: this.#horizon,
      rate: this.#rate(situation),
    };
  }

  /** Tokens a ms, never less than plain steps have. */
  #rate(situation: { readonly load: number; readonly sampled: boolean }): number {
    const stepMs = this.costs.verifyMs(1, situation.load);
    return Math.max(stepMs > 0 ? 1 / stepMs : 0, this.#kind(situation).rate);
  }

  get #entryMs(): number {
    return this.#drafted ? 0 : this.costs.switchMs;
  }

  #kind({ sampled }: { readonly sampled: boolean }): Kind {
    return this.#kinds[sampled ? 1 : 0];
  }
}
