// answers: how many developers a GPU serves, by side and cell: every question that a comparison asks of virtual time, each kept as
// it is answered. Peers of one policy share an answer: in virtual time they are the same.
import type { ProfileEnd, ProfileName } from "../../workers/engine/simulated/profiles.ts";
import type { Switches } from "../keys/switches.ts";
import { ablations } from "../keys/switches.ts";
import { type Capacity, capacityOf, type Near, type Question } from "./capacity.ts";
import type { Figures } from "./fleet.ts";
import { type PeerName, peers } from "./peer-table.ts";
import { type Cell, nameOf, type Sizes } from "./rounds.ts";
import { ours, type Side } from "./sides.ts";
import type { State } from "./state.ts";
import type { Threads } from "./threads.ts";

export interface AnswersOptions extends Pick<Sizes, "slots" | "maxTokens"> {
  readonly seed: number;
  /** Of our own figure, for its band. */
  readonly seeds: number;
  readonly gpus: number;
  /** Between a crowd that is served and one that is not, as a share. */
  readonly within: number;
}

interface Deps {
  readonly threads: Pick<Threads, "ask">;
  readonly state: Pick<State, "once">;
  readonly say: (line: string) => void;
}

/** Of several seeds. */
export interface Band {
  readonly developers_per_gpu: number;
  readonly low: number;
  readonly high: number;
  readonly figures: Figures | null;
}

/** About where answers were on an H100 with a model of 7B, and what of that other profiles serve. A search finds its way from anywhere. */
const firstGuess = {
  naive: { slow: 1, mid: 2, fast: 3 },
  careful: { slow: 5, mid: 12, fast: 20 },
  expert: { slow: 115, mid: 150, fast: 190 },
  native: { slow: 215, mid: 270, fast: 330 },
} as const;
const scaleOf: Readonly<Record<ProfileName, Readonly<Record<ProfileEnd, number>>>> = {
  "h100-7b-eagle3": { slow: 1, mid: 1, fast: 1 },
  "h100-7b-draft": { slow: 0.6, mid: 0.8, fast: 0.9 },
  "l40s-3b-eagle3": { slow: 0.37, mid: 0.6, fast: 0.75 },
  "l40s-7b-eagle3": { slow: 0.01, mid: 0.05, fast: 0.2 },
  "2xh100-32b-eagle3": { slow: 0.01, mid: 0.05, fast: 0.25 },
};
/** From a guess, from another seed's answer, and with a mechanism off. */
const [fromGuess, fromAnswer, fromWhole] = [1.25, 1.1, 1.5];
/** What a mechanism is worth, and how far seeds are apart, is told in tenths: the half of the time is enough. */
const [withinAblated, withinFurther] = [0.1, 0.1];

/** Rows of the ablation: one mechanism of our router off, or all of them. */
export const ablated = {
  gate_off: ablations.gate_off,
  ahead_off: ablations.ahead_off,
  hedge_off: ablations.hedge_off,
  reuse_and_follow_off: { reuse: false, follow: false },
  supersede_off: ablations.supersede_off,
  prefix_first: ablations.prefix_first,
  sliding_window: ablations.sliding_window,
  requests_not_keystrokes: ablations.requests_not_keystrokes,
} as const satisfies Record<string, Partial<Switches>>;
export type Ablated = keyof typeof ablated;

export class Answers {
  readonly #options: AnswersOptions;
  readonly #deps: Deps;
  readonly #open = new Map<string, Promise<Capacity>>();
  readonly #seen = new Map<string, Promise<Figures>>();

  constructor(options: AnswersOptions, deps: Deps) {
    this.#options = options;
    this.#deps = deps;
  }

  /** By side; of ours with a band over seeds. */
  async cell(cell: Cell, sides: readonly Side[]): Promise<Map<Side, Band>> {
    const found = await Promise.all(
      sides.map(async (side): Promise<[Side, Band]> => {
        const seeds = side === ours ? this.#options.seeds : 1;
        return [side, await this.#band(cell, side, seeds)];
      }),
    );
    return new Map(found);
  }

  /** `whole`: what a GPU serves with all of them, where that is known. */
  async ablation(cell: Cell, names: readonly Ablated[], whole: number | undefined): Promise<Partial<Record<Ablated, Capacity>>> {
    const first = whole ?? guessOf(cell, ours);
    const found = await Promise.all(
      names.map(async (name) => [
        name,
        await this.#ask(
          { ...this.#question(cell, ours, this.#options.seed), switches: ablated[name] },
          { first, step: fromWhole, within: withinAblated },
          name,
        ),
      ]),
    );
    return Object.fromEntries(found);
  }

  /** What this side sees with a crowd of that size on so many GPUs. */
  predicted(cell: Cell, side: Side, people: number, gpus: number): Promise<Figures> {
    return this.#sees({ ...this.#question(cell, side, this.#options.seed), gpus }, people, false);
  }

  async #band(cell: Cell, side: Side, seeds: number): Promise<Band> {
    const { seed, within } = this.#options;
    let near: Near = { first: guessOf(cell, side), step: fromGuess, within };
    const all: Capacity[] = [];
    // One after the other: each begins where the last one ended.
    for (let nth = 0; nth < seeds; nth++) {
      const found = await this.#ask(this.#question(cell, side, seed + nth), near, nameOf(side));
      all.push(found);
      near = { first: found.developers_per_gpu, step: fromAnswer, within: Math.max(within, withinFurther) };
    }
    const values = all.map(({ developers_per_gpu }) => developers_per_gpu).sort((a, b) => a - b);
    return {
      developers_per_gpu: values[(values.length - 1) >> 1] as number,
      ...{ low: values[0] as number, high: values.at(-1) as number, figures: all[0]?.figures ?? null },
    };
  }

  #ask(question: Question, near: Near, name: string): Promise<Capacity> {
    const key = JSON.stringify(question);
    const open = this.#open.get(key);
    if (open) return open;
    const { profile, end, agreement, gpus } = question;
    const say = (what: string) => this.#deps.say(`${profile} ${end} ${Math.round(100 * agreement)} %, ${name}: ${what}`);
    say(`looked for from ${Math.round(near.first)} developers a GPU on; a large crowd takes a minute of a core, or some`);
    const sees = async (people: number) => {
      const figures = await this.#sees(question, people, true);
      say(`a crowd of ${people} on ${gpus} GPUs waits ${Math.round(figures.p95_ms)} ms at p95`);
      return figures;
    };
    const asked = capacityOf(gpus, near, sees).then((answer) => {
      say(`${answer.developers_per_gpu} developers a GPU`);
      return answer;
    });
    this.#open.set(key, asked);
    return asked;
  }

  /** Each crowd is kept as it has typed: a search that was interrupted goes on. */
  #sees(question: Question, people: number, brief: boolean): Promise<Figures> {
    const { state, threads } = this.#deps;
    const of = { kind: "virtual", question, people, brief };
    const key = JSON.stringify(of);
    const seen = this.#seen.get(key) ?? state.once(of, () => threads.ask({ question, people, brief }));
    this.#seen.set(key, seen);
    return seen;
  }

  #question({ profile, end, agreement }: Cell, side: Side, seed: number): Question {
    const { gpus, slots, maxTokens } = this.#options;
    return { profile, end, agreement, side: sameAs(side), gpus, slots, maxTokens, seed };
  }
}

const guessOf = ({ profile, end }: Cell, { editor }: Side) => firstGuess[editor][end] * scaleOf[profile][end];

/** The first peer of the same policy. */
function sameAs(side: Side): Side {
  if (side.name === "slipstream") return side;
  const { policy } = peers[side.name];
  const name = (Object.keys(peers) as PeerName[]).find((each) => peers[each].policy === policy) as PeerName;
  return { name, editor: side.editor };
}
