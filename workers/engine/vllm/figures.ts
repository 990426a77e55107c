// figures: what vLLM's counters say, as they are read over and over, in; the KV blocks in use, how many drafts were right lately, and
// whether another length of drafts would be worth a restart, out.
import type { Clock } from "../../../lib/clock.ts";
import type { Acceptance, Recommendation } from "../../generation.ts";
import { Recommending } from "../../speculation/recommendation.ts";
import { AcceptanceWindow } from "../acceptance-window.ts";
import type { Counters } from "./counters.ts";
import { byPosition } from "./speculated.ts";

/** As long as what acceptance is counted over. */
const recommendEveryMs = 60_000;

interface Deps {
  readonly clock: Clock;
  /** The engine should draft otherwise than it was started to. */
  readonly recommended?: (recommendation: Recommendation) => void;
}

export class Figures {
  readonly #deps: Deps;
  readonly #acceptance: AcceptanceWindow;
  readonly #recommending = new Recommending();
  #recommendedMs: number;
  #counters: Counters | undefined;

  constructor(counters: Counters | undefined, deps: Deps) {
    this.#deps = deps;
    this.#counters = counters;
    this.#recommendedMs = deps.clock.now();
    this.#acceptance = new AcceptanceWindow(byPosition(counters?.speculation), deps);
  }

  get kvBlocksUsed(): number {
    const { kvUsed = 0, blocks = 0 } = this.#counters ?? {};
    return Math.round(kvUsed * blocks);
  }

  get acceptance(): Acceptance {
    return this.#acceptance.value;
  }

  get recommendation(): Recommendation | undefined {
    return this.#recommending.standing;
  }

  read(counters: Counters): void {
    this.#counters = counters;
    if (!counters.speculation) return;
    this.#acceptance.add(byPosition(counters.speculation));
    const now = this.#deps.clock.now();
    if (now - this.#recommendedMs < recommendEveryMs) return;
    this.#recommendedMs = now;
    const recommendation = this.#recommending.take(this.#acceptance.value);
    if (recommendation) this.#deps.recommended?.(recommendation);
  }
}
