// paper-engine: an engine on paper, for tests of the speculation controller: what passes take, and how often drafts are right, in;
// what a controller makes of it out. No model, no clock: seconds of decoding in milliseconds.
import { type Random, seeded } from "../../lib/random.ts";
import { plainPlan, type Situation, type Source, Speculation } from "../../workers/speculation/speculation.ts";

export const lengthMax = 8;
const promptTokens = 400;
const completionTokens = 24;

export interface World {
  /** ms of a verify of n tokens. */
  readonly verify: (tokens: number) => number;
  readonly draftMs: number;
  readonly readMs: number;
  /** Chance that a model's draft is right; how sure it is tells a little about it. */
  readonly model: number | undefined;
  /** Chance that a lookup's draft is right, by how long the match is. */
  readonly lookup: (match: number) => number;
  /** Share of places where a lookup finds anything. */
  readonly found: number;
  readonly noise: number;
  readonly busy?: boolean;
  /** ms more of a plain step that follows a pass of another size. */
  readonly switchMs?: number;
}

type Controller = Pick<Speculation, "rests" | "plan" | "ended" | "finished">;

export interface Ran {
  readonly tokens: number;
  readonly ms: number;
  readonly blocks: Record<Source, number>;
  /** Blocks for which the controller wanted nothing looked up. */
  readonly rested: number;
  /** Mean drafted tokens of the blocks in the second half that drafted. */
  readonly length: number;
}

/** Evenly scattered; on a busy machine also set aside now and then for some ms, the longer a pass the likelier. */
function disturbed(world: World, time: number, random: Random): number {
  const even = time * (1 + world.noise * (random.next() * 2 - 1));
  let aside = 0;
  for (let left = time; world.busy && left > 0; left -= 0.1) if (random.next() < 0.02) aside += 8 * random.next();
  return even + aside;
}

/** Generations, until `tokens` are out. */
export function run(world: World, speculation: Controller, tokens: number, random: Random, change: Partial<Situation> = {}): Ran {
  const blocks: Record<Source, number> = { none: 0, lookup: 0, model: 0 };
  let [out, ms, left, behind, drafted, drafting] = [0, 0, 0, promptTokens, 0, 0];
  let [size, rested] = [1, 0];
  const noisy = (time: number) => disturbed(world, time, random);
  while (out < tokens) {
    if (left <= 0) [left, behind] = [completionTokens, promptTokens];
    const match = random.next() < world.found ? 1 + Math.floor(random.next() * 10) : 0;
    const { mode = "auto", load = 1, sampled = false } = change;
    const rests = mode === "auto" && speculation.rests({ load, sampled });
    const plan = rests
      ? plainPlan.no_gain
      : speculation.plan({
          mode,
          load,
          sampled,
          lookup: { match, length: match === 0 ? 0 : lengthMax },
          behindTokens: world.model === undefined ? undefined : behind,
          lengthMax: Math.min(lengthMax, left - 1),
          horizonTokens: left,
          ...change,
        });
    const evidence: number[] = [];
    const right: boolean[] = [];
    let [draftMs, catchUpMs, catchUpTokens] = [0, 0, 0];
    if (plan.source === "lookup")
      for (let i = 0; i < plan.length; i++) {
        evidence.push(match + i);
        right.push(random.next() < world.lookup(match + i));
      }
    if (plan.source === "model") {
      catchUpTokens = behind > 3 ? behind : 0;
      catchUpMs = noisy(catchUpTokens * world.readMs);
      do {
        const chance = Math.min(1, Math.max(0, (world.model ?? 0) + (random.next() - 0.5) * 0.5));
        evidence.push(chance);
        right.push(random.next() < chance);
        draftMs += noisy(world.draftMs);
      } while (evidence.length < plan.length && plan.goOn(evidence));
      behind = 0;
    }
    const wrong = right.indexOf(false);
    const accepted = wrong < 0 ? right.length : wrong;
    const switchMs = evidence.length === 0 && size > 1 ? (world.switchMs ?? 0) : 0;
    size = evidence.length + 1;
    const verifyMs = noisy(world.verify(size) + switchMs);
    speculation.ended({
      source: plan.source,
      why: plan.why,
      load,
      sampled,
      evidence,
      accepted,
      verifyMs,
      draftMs,
      catchUpMs,
      catchUpTokens,
    });
    blocks[plan.source] += 1;
    if (rests) rested += 1;
    if (out > tokens / 2 && evidence.length > 0) [drafted, drafting] = [drafted + evidence.length, drafting + 1];
    out += accepted + 1;
    left -= accepted + 1;
    behind += accepted + 1;
    // Scored without the noise that it saw.
    ms += world.verify(size) + switchMs + (plan.source === "model" ? evidence.length * world.draftMs : 0);
    ms += catchUpTokens * world.readMs;
    if (left <= 0) speculation.finished(completionTokens);
  }
  return { tokens: out, ms, blocks, rested, length: drafting === 0 ? 0 : drafted / drafting };
}

export function calibrated(world: World, random = seeded(9)): Speculation {
  const speculation = new Speculation({ lengthMax });
  const least = (ms: number) => Math.min(...Array.from({ length: 5 }, () => disturbed(world, ms, random)));
  for (const n of [1, 2, 3, 5, lengthMax + 1]) speculation.costs.measured(n, least(world.verify(n)));
  speculation.costs.switchMeasured(least(world.verify(1) + (world.switchMs ?? 0)));
  speculation.costs.draftMeasured(least(world.draftMs));
  speculation.costs.caughtUp(128, least(128 * world.readMs));
  return speculation;
}

export const plainMs = (world: World, tokens: number) => tokens * world.verify(1);

/** Best tokens a ms of the fixed lengths of model drafts, 0 included. */
export function bestFixed(world: World, tokens = 2_000): number {
  const rates = Array.from({ length: lengthMax }, (_, index) => {
    const ran = run(world, fixed(index + 1), tokens, seeded(index + 1));
    return ran.tokens / ran.ms;
  });
  return Math.max(1 / world.verify(1), ...(world.model === undefined ? [] : rates));
}

function fixed(k: number): Controller {
  return {
    rests: () => false,
    plan: ({ lengthMax: most }) => {
      const length = Math.min(k, most);
      return { source: length > 0 ? "model" : "none", length, why: "asked", goOn: () => true };
    },
    ended: () => {},
    finished: () => {},
  };
}
