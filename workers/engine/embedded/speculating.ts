// speculating: the decode of one generation, block by block. The first token in; each `next` gives the tokens of one step: one,
// or several when drafts were right. The controller says what to draft from; while healing asks for certain tokens nothing is.
import type { Clock } from "../../../lib/clock.ts";
import type { Usage } from "../../generation.ts";
import { type Plan, plainPlan, type Source, type Speculation } from "../../speculation/speculation.ts";
import type { Chosen, Decoding } from "./decoding.ts";
import type { Drafting } from "./drafting.ts";
import { lookup } from "./lookup.ts";
import type { Tally } from "./tally.ts";
import type { Turns } from "./turns.ts";

/** What one generation asks of speculation. */
export interface Asked {
  readonly mode: "auto" | "always" | "off";
  /** Most tokens drafted at once; 0: the engine's own limit. */
  readonly lengthMax: number;
  /** For measurements: drafts exactly so, and teaches the controller nothing. */
  readonly fixed?: { readonly source: Source; readonly length: number } | undefined;
}

const nothing = { match: 0, tokens: [] };

/** Read with a drafting pass at no cost to speak of: what the step before chose. */
const fewTokens = 3;

interface Options {
  readonly asked: Asked;
  readonly lengthMax: number;
  readonly sampled: boolean;
  readonly rank: number;
  readonly chunkTokens: number;
  /** Prompt and the first chosen token; grows by what is chosen. */
  readonly text: number[];
  readonly usage: Usage;
  /** Tokens this generation may still have. */
  readonly left: () => number;
  /** Whether the next token may be any. */
  readonly free: () => boolean;
}

interface Deps {
  readonly decoding: Decoding;
  /** Undefined: no draft model. */
  readonly drafting: Drafting | undefined;
  readonly speculation: Speculation;
  readonly tally: Tally;
  readonly turns: Pick<Turns, "take">;
  readonly clock: Clock;
  readonly processorMs: () => number;
}

interface Proposal {
  readonly plan: Plan;
  readonly tokens: readonly number[];
  readonly evidence: readonly number[];
  readonly draftMs: number;
  readonly catchUpTokens: number;
  readonly catchUpMs: number;
  readonly draftPasses: number;
}

export class Speculating {
  readonly #options: Options;
  readonly #deps: Deps;

  constructor(options: Options, deps: Deps) {
    this.#options = options;
    this.#deps = deps;
  }

  /** The tokens of one step; undefined when the signal aborted. */
  async next(signal: AbortSignal): Promise<readonly Chosen[] | undefined> {
    const { usage } = this.#options;
    const { clock, processorMs, tally } = this.#deps;
    const startedMs = clock.now();
    const spentMs = processorMs();
    try {
      return await this.#block(signal);
    } finally {
      usage.decodeMs += clock.now() - startedMs;
      tally.spent(processorMs() - spentMs);
    }
  }

  async #block(signal: AbortSignal): Promise<readonly Chosen[] | undefined> {
    const { text, usage, rank, sampled, asked } = this.#options;
    const { decoding, drafting, speculation, tally, turns } = this.#deps;
    const { plan, found } = this.#plan();
    const caught = plan.source === "model" ? await this.#catchUp(signal) : { tokens: 0, ms: 0, passes: 0 };
    using turn = await turns.take(rank, signal);
    if (!turn) return undefined;
    let proposal: Proposal = {
      plan,
      tokens: [],
      evidence: [],
      draftMs: 0,
      catchUpTokens: caught.tokens,
      catchUpMs: caught.ms,
      draftPasses: caught.passes,
    };
    if (plan.source === "lookup") {
      const tokens = found.tokens.slice(0, plan.length);
      proposal = { ...proposal, tokens, evidence: tokens.map((_, i) => found.match + i) };
    }
    if (plan.source === "model") {
      const drafts = await drafting?.draft(text, plan.length, plan.goOn, signal);
      if (!drafts) return undefined;
      // What the first pass took beyond a usual one was reading.
      const readMs = drafts.read > fewTokens ? Math.max(0, drafts.firstMs - speculation.costs.draftMs) : 0;
      proposal = {
        ...proposal,
        tokens: drafts.tokens,
        evidence: drafts.confidences,
        draftMs: drafts.ms - readMs,
        catchUpTokens: caught.tokens + (readMs > 0 ? drafts.read : 0),
        catchUpMs: caught.ms + readMs,
        draftPasses: caught.passes + drafts.tokens.length,
      };
    }
    const { chosen, ms } = await decoding.step(text.at(-1) as Chosen["token"], proposal.tokens);
    const accepted = chosen.length - 1;
    if (plan.source === "model") drafting?.accept(text.length, proposal.tokens.length, accepted);
    for (const { token } of chosen) text.push(token);
    usage.drafted += proposal.tokens.length;
    usage.draftAccepted += accepted;
    const block = { ...proposal, source: plan.source, why: plan.why, load: 1, sampled, accepted, verifyMs: ms };
    tally.block(block);
    if (!asked.fixed && asked.mode !== "off") speculation.ended(block);
    return chosen;
  }

  #plan(): { plan: Plan; found: { match: number; tokens: readonly number[] } } {
    const { asked, text, left, free, sampled } = this.#options;
    const { drafting, speculation } = this.#deps;
    const limit = asked.lengthMax === 0 ? this.#options.lengthMax : Math.min(asked.lengthMax, this.#options.lengthMax);
    // The step gives one token of its own beside the drafts.
    const lengthMax = free() ? Math.max(0, Math.min(limit, left() - 1)) : 0;
    if (asked.fixed) return this.#fixed(asked.fixed, lengthMax);
    if (asked.mode === "auto" && speculation.rests({ load: 1, sampled })) return { plan: plainPlan.no_gain, found: nothing };
    const found = asked.mode === "off" || lengthMax === 0 ? nothing : lookup(text, lengthMax);
    const behindTokens = drafting?.behind(text.length);
    const plan = speculation.plan({
      mode: asked.mode,
      load: 1,
      sampled,
      lookup: { match: found.match, length: found.tokens.length },
      behindTokens,
      lengthMax,
      horizonTokens: left(),
    });
    return { plan, found };
  }

  #fixed(fixed: NonNullable<Asked["fixed"]>, lengthMax: number) {
    const length = Math.min(fixed.length, lengthMax);
    const found = fixed.source === "lookup" ? lookup(this.#options.text, length) : { match: 0, tokens: [] };
    const possible =
      fixed.source === "lookup" ? found.tokens.length > 0 : fixed.source === "model" && this.#deps.drafting !== undefined;
    const source: Source = length > 0 && possible ? fixed.source : "none";
    return { plan: { source, length, why: "asked", goOn: () => true } as const, found };
  }

  /** The draft model reads what it missed, chunk by chunk, each in a turn of its own. */
  async #catchUp(signal: AbortSignal): Promise<{ tokens: number; ms: number; passes: number }> {
    const { text, rank, chunkTokens } = this.#options;
    const { drafting, turns } = this.#deps;
    let [tokens, ms, passes] = [0, 0, 0];
    while (drafting && drafting.behind(text.length) > chunkTokens && !signal.aborted) {
      using turn = await turns.take(rank, signal);
      if (!turn) break;
      const before = drafting.behind(text.length);
      ms += await drafting.read(text);
      tokens += before - drafting.behind(text.length);
      passes += 1;
    }
    return { tokens, ms, passes };
  }
}
