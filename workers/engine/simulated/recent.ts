// recent: how the engine did lately: drafts by position over the last minute, prompt speed and step time over seconds.
import type { Clock } from "../../../lib/clock.ts";
import { Ewma } from "../../../lib/structures/ewma.ts";
import type { Acceptance } from "../../generation.ts";

const sliceMs = 10_000;
const slices = 6;

interface Slice {
  readonly at: number;
  readonly drafted: number[];
  readonly accepted: number[];
}

export class Recent {
  readonly #clock: Clock;
  readonly #stepMs = new Ewma({ halfLifeMs: 1_000 });
  readonly #prefill = new Ewma({ halfLifeMs: 2_000 });
  #slices: Slice[] = [];

  constructor(deps: { clock: Clock }) {
    this.#clock = deps.clock;
  }

  step(ms: number): void {
    this.#stepMs.add(ms, this.#clock.now());
  }

  prefill(tokens: number, ms: number): void {
    if (ms > 0) this.#prefill.add((tokens / ms) * 1_000, this.#clock.now());
  }

  /** One verified block: `depth` drafts, the first `accepted` of them right. */
  block(depth: number, accepted: number): void {
    if (depth === 0) return;
    const slice = this.#slice();
    for (let i = 0; i < depth; i++) {
      slice.drafted[i] = (slice.drafted[i] ?? 0) + 1;
      if (i < accepted) slice.accepted[i] = (slice.accepted[i] ?? 0) + 1;
    }
  }

  get stepMs(): number {
    return this.#stepMs.value(0);
  }

  get prefillTokensPerSecond(): number {
    return this.#prefill.value(0);
  }

  acceptance(): Acceptance {
    this.#drop();
    const depth = Math.max(0, ...this.#slices.map((slice) => slice.drafted.length));
    const sum = (pick: (slice: Slice) => number[], i: number) =>
      this.#slices.reduce((all, slice) => all + (pick(slice)[i] ?? 0), 0);
    const perPosition = Array.from({ length: depth }, (_, i) => ({
      drafted: sum((slice) => slice.drafted, i),
      accepted: sum((slice) => slice.accepted, i),
    }));
    return {
      drafted: perPosition.reduce((all, position) => all + position.drafted, 0),
      accepted: perPosition.reduce((all, position) => all + position.accepted, 0),
      perPosition,
    };
  }

  #slice(): Slice {
    const at = Math.floor(this.#clock.now() / sliceMs);
    const last = this.#slices.at(-1);
    if (last?.at === at) return last;
    const slice = { at, drafted: [], accepted: [] };
    this.#slices.push(slice);
    this.#drop();
    return slice;
  }

  #drop(): void {
    const oldest = Math.floor(this.#clock.now() / sliceMs) - slices;
    this.#slices = this.#slices.filter((slice) => slice.at > oldest);
  }
}
