// speculation: the controller. What the next block could be drafted from in, a plan out: from where (nothing, a lookup, the
// draft model) and how many tokens; then what became of it in, so that costs, odds and limits are always measured ones. Pure:
// no engine, no clock. It earns the most tokens a millisecond, and may lose no more than its purse against plain steps.
import { exploreEvery, Kind } from "./arm.ts";
import { Costs } from "./costs.ts";
import type { Block, Plan, Situation, Source, SpeculationOptions, Why } from "./plan.ts";

export type { Block, Plan, Situation, Source, SpeculationOptions, Why } from "./plan.ts";

/** In tokens a block: what a source must promise more than plain steps to be opened, and how much less closes it again. */
const openMargin = 0.05;
const closeMargin = 0.03;
const rateWeight = 0.02;
/** Tokens of a usual completion, until some were seen; most are cut at the end of a line. */
const firstHorizon = 16;

interface Offer {
  readonly source: Source;
  readonly length: number;
  /** Tokens expected, and ms they take. */
  readonly tokens: number;
  readonly ms: number;
  /** With all that is read for it, though later blocks gain by that too. */
  readonly mostMs: number;
}

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

  plan(situation: Situation): Plan {
    const { mode, load, lengthMax } = situation;
    const plain = this.#offer("none", 0, 1, this.costs.verifyMs(1, load));
    if (mode === "off") return this.#planned(plain, "asked", situation);
    if (lengthMax < 1) return this.#planned(plain, "nothing_to_draft", situation);
    const kind = this.#kind(situation);
    if (mode === "auto" && kind.settled.has(situation)) return this.#planned(plain, "no_gain", situation);
    const offers = [this.#lookup(situation), this.#model(situation)].filter((offer) => offer !== undefined);
    if (offers.length === 0) return this.#planned(plain, "nothing_to_draft", situation);
    const best = offers.reduce((one, other) => (this.#worth(other, situation) > this.#worth(one, situation) ? other : one));
    if (mode === "always") return this.#planned(best, "asked", situation);
    const margin = kind.arm(best.source).open ? -closeMargin : openMargin;
    const gains = this.#worth(best, situation) > this.#worth(plain, situation) + margin;
    const arm = kind.arm(best.source);
    arm.open = gains;
    if (gains) {
      arm.wait = exploreEvery.first;
      return arm.purse.affords(this.#risk(best, plain))
        ? this.#planned(best, "gain", situation)
        : this.#planned(plain, "no_budget", situation);
    }
    const curious = offers.find((offer) => this.#curious(kind, offer.source, this.#risk(offer, plain)));
    if (curious) return this.#planned(curious, "explore", situation);
    kind.settled.add(situation, Math.min(kind.lookup.restsFor, kind.model.restsFor));
    return this.#planned(plain, "no_gain", situation);
  }

  /** What became of a plan of "auto". */
  ended(block: Block): void {
    const { source, evidence, accepted, load, verifyMs, draftMs, catchUpMs } = block;
    const kind = this.#kind(block);
    const drafts = evidence.length > 0;
    const entryMs = drafts ? this.#entryMs : 0;
    if (this.#drafted && !drafts) this.costs.switched(verifyMs);
    else this.costs.verified(evidence.length + 1, verifyMs, load);
    this.#drafted = drafts;
    kind.settled.stepped();
    if (source === "model" && evidence.length > 0) this.costs.drafted(draftMs / evidence.length);
    this.costs.caughtUp(block.catchUpTokens, catchUpMs);
    kind.lookup.idle += 1;
    kind.model.idle += 1;
    // By the table, not by this block's own time: what else the machine did meanwhile is no merit of a plan.
    const stepMs = this.costs.verifyMs(1, load);
    const passesMs = source === "model" ? evidence.length * this.costs.draftMs + this.costs.catchUpMs(block.catchUpTokens) : 0;
    const ms = this.costs.verifyMs(evidence.length + 1, load) + passesMs + entryMs;
    if (source === "none" || !drafts) for (const { purse } of [kind.lookup, kind.model]) purse.plain();
    else {
      const arm = kind.arm(source);
      // Better than thought: looked into at once, as far as its purse goes. As bad as thought: not again so soon.
      if (block.why === "explore") arm.wait = accepted > arm.accepted ? 0 : Math.min(exploreEvery.most, Math.max(1, arm.wait * 2));
      arm.learn(evidence.length, accepted);
      kind.odds.learn(source, evidence, accepted);
      kind.settled.clear();
      arm.purse.block(stepMs > 0 ? accepted + 1 - ms / stepMs : 0);
    }
    kind.tokens += (accepted + 1 - kind.tokens) * rateWeight;
    kind.ms += (ms - kind.ms) * rateWeight;
  }

  /** A generation ended after so many tokens. */
  finished(tokens: number): void {
    this.#horizon += (tokens - this.#horizon) * 0.1;
    for (const { settled } of this.#kinds) settled.clear();
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

  #lookup(situation: Situation): Offer | undefined {
    const { match, length } = situation.lookup;
    const { odds, lookup } = this.#kind(situation);
    const plain = this.#offer("none", 0, 1, this.costs.verifyMs(1, situation.load));
    let best: Offer | undefined;
    let [tokens, survival] = [1, 1];
    for (let k = 1; k <= Math.min(length, situation.lengthMax, this.#options.lengthMax); k++) {
      survival *= odds.of("lookup", match + k - 1);
      tokens += survival;
      const offer = this.#offer("lookup", k, tokens, this.costs.verifyMs(k + 1, situation.load) + this.#entryMs);
      // A shorter one may still be afforded.
      if (best && situation.mode === "auto" && !lookup.purse.affords(this.#risk(offer, plain))) break;
      if (!best || this.#worth(offer, situation) > this.#worth(best, situation)) best = offer;
    }
    return best;
  }

  #model(situation: Situation): Offer | undefined {
    const { behindTokens, load, horizonTokens } = situation;
    if (behindTokens === undefined) return undefined;
    const { model } = this.#kind(situation);
    const length = Math.min(situation.lengthMax, this.#options.lengthMax);
    const drafted = Math.max(1, Math.min(model.drafted, length));
    const tokens = 1 + Math.min(model.accepted, length);
    // Reading what it missed serves all blocks that are left: this one bears its share.
    const readMs = this.costs.catchUpMs(behindTokens);
    const share = tokens / Math.max(tokens, Math.min(horizonTokens, this.#horizon));
    const ms = this.costs.verifyMs(drafted + 1, load) + drafted * this.costs.draftMs + this.#entryMs;
    return { ...this.#offer("model", length, tokens, ms + readMs * share), mostMs: ms + readMs };
  }

  #offer(source: Source, length: number, tokens: number, ms: number): Offer {
    return { source, length, tokens, ms, mostMs: ms };
  }

  /** Tokens more than its time would have brought at the present rate. */
  #worth({ tokens, ms }: Offer, situation: Situation): number {
    return tokens - this.#rate(situation) * ms;
  }

  /** Tokens a ms, never less than plain steps have. */
  #rate(situation: { readonly load: number; readonly sampled: boolean }): number {
    const plain = this.costs.verifyMs(1, situation.load);
    const { tokens, ms } = this.#kind(situation);
    return Math.max(plain > 0 ? 1 / plain : 0, ms > 0 ? tokens / ms : 0);
  }

  /** In plain steps: lost when every draft is refused. */
  #risk(offer: Offer, plain: Offer): number {
    return plain.ms > 0 ? offer.mostMs / plain.ms - 1 : 0;
  }

  #curious(kind: Kind, source: Source, riskSteps: number): boolean {
    const arm = kind.arm(source);
    return arm.idle >= arm.wait && arm.purse.affords(riskSteps);
  }

  #planned({ source, length }: Offer, why: Why, situation: Situation): Plan {
    return { source, length, why, goOn: (evidence) => this.#goOn(evidence, situation) };
  }

  #goOn(evidence: readonly number[], situation: Situation): boolean {
    const { load } = situation;
    const { odds } = this.#kind(situation);
    const n = evidence.length;
    const survival = evidence.reduce((product, one) => product * odds.of("model", one), 1);
    const ms = this.costs.draftMs + this.costs.verifyMs(n + 2, load) - this.costs.verifyMs(n + 1, load);
    return survival * odds.next(n) > this.#rate(situation) * ms;
  }

  /** Of drafts after a plain step: the plain step that follows them some time takes longer. */
  get #entryMs(): number {
    return this.#drafted ? 0 : this.costs.switchMs;
  }

  #kind({ sampled }: { readonly sampled: boolean }): Kind {
    return this.#kinds[sampled ? 1 : 0];
  }
}
