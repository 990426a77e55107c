// answers: how many developers a GPU serves, by side and cell: every question that a comparison asks of virtual time, each kept as
// it is answered. Peers of one policy share an answer: in virtual time they are the same.
import type { Switches } from "../keys/switches.ts";
import { ablations } from "../keys/switches.ts";
import { type Capacity, capacityOf, type Question } from "./capacity.ts";
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

/** About where answers were, on the profiles there are. */
const firstGuess = { naive: 2, careful: 12, expert: 100, native: 90 } as const;

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

  async ablation(cell: Cell, names: readonly Ablated[], first: number): Promise<Partial<Record<Ablated, Capacity>>> {
    const found = await Promise.all(
      names.map(async (name) => [
        name,
        await this.#ask({ ...this.#question(cell, ours, this.#options.seed), switches: ablated[name] }, first, name),
      ]),
    );
    return Object.fromEntries(found);
  }

  /** What this side sees with a crowd of that size on so many GPUs. */
  predicted(cell: Cell, side: Side, people: number, gpus: number): Promise<Figures> {
    return this.#sees({ ...this.#question(cell, side, this.#options.seed), gpus }, people);
  }

  async #band(cell: Cell, side: Side, seeds: number): Promise<Band> {
    const { seed } = this.#options;
    const all = await Promise.all(
      Array.from({ length: seeds }, (_, nth) =>
        this.#ask(this.#question(cell, side, seed + nth), firstGuess[side.editor], nameOf(side)),
      ),
    );
    const values = all.map(({ developers_per_gpu }) => developers_per_gpu).sort((a, b) => a - b);
    return {
      developers_per_gpu: values[(values.length - 1) >> 1] as number,
      ...{ low: values[0] as number, high: values.at(-1) as number, figures: all[0]?.figures ?? null },
    };
  }

  #ask(question: Question, first: number, name: string): Promise<Capacity> {
    const key = JSON.stringify(question);
    const open = this.#open.get(key);
    if (open) return open;
    const { profile, end, agreement, gpus } = question;
    const say = (what: string) => this.#deps.say(`${profile} ${end} ${Math.round(100 * agreement)} %, ${name}: ${what}`);
    say(`looked for from ${first} developers a GPU on; a large crowd takes a minute of a core, or some`);
    const sees = async (people: number) => {
      const figures = await this.#sees(question, people);
      say(`a crowd of ${people} on ${gpus} GPUs waits ${Math.round(figures.p95_ms)} ms at p95`);
      return figures;
    };
    const asked = capacityOf(gpus, first, sees).then((answer) => {
      say(`${answer.developers_per_gpu} developers a GPU`);
      return answer;
    });
    this.#open.set(key, asked);
    return asked;
  }

  /** Each crowd is kept as it has typed: a search that was interrupted goes on. */
  #sees(question: Question, people: number): Promise<Figures> {
    const { state, threads } = this.#deps;
    const of = { kind: "virtual", question, people };
    const key = JSON.stringify(of);
    const seen = this.#seen.get(key) ?? state.once(of, () => threads.ask({ question, people }));
    this.#seen.set(key, seen);
    return seen;
  }

  #question({ profile, end, agreement }: Cell, side: Side, seed: number): Question {
    const { gpus, slots, maxTokens } = this.#options;
    return { profile, end, agreement, side: sameAs(side), gpus, slots, maxTokens, seed };
  }
}

/** The first peer of the same policy. */
function sameAs(side: Side): Side {
  if (side.name === "slipstream") return side;
  const { policy } = peers[side.name];
  const name = (Object.keys(peers) as PeerName[]).find((each) => peers[each].policy === policy) as PeerName;
  return { name, editor: side.editor };
}
