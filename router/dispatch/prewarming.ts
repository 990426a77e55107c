// prewarming: prompts that a worker was asked to compute ahead, until it says what became of each, its link breaks or the time is over.
// Bounded: what is more is not asked.
import type { Clock } from "../../lib/clock.ts";
import type { Prewarmed, RouterFrame } from "../../proto/gen/slipstream/v1/worker_pb.ts";
import type { Segment } from "../completion.ts";
import { routerFrame, segmentMessages } from "./frames.ts";

/** What a worker is asked to compute. */
export interface Ahead {
  readonly model: string;
  readonly tenant: string;
  readonly segments: readonly Segment[];
}

const atOnceMax = 64;
/** A worker without an idle moment for so long has none to come. */
const answerMs = 30_000;

export class Prewarming {
  readonly #clock: Clock;
  readonly #asked = new Map<bigint, (warm: boolean) => void>();
  #nextId = 1n;

  constructor(deps: { clock: Clock }) {
    this.#clock = deps.clock;
  }

  /** Resolves whether it is warm. */
  ask({ model, tenant, segments }: Ahead, send: (frame: RouterFrame) => void): Promise<boolean> {
    if (this.#asked.size >= atOnceMax) return Promise.resolve(false);
    const id = this.#nextId++;
    return new Promise((resolve) => {
      const timer = this.#clock.timer(answerMs, () => this.#answer(id, false));
      this.#asked.set(id, (warm) => {
        timer[Symbol.dispose]();
        resolve(warm);
      });
      const value = {
        $typeName: "slipstream.v1.Prewarm" as const,
        ...{ id, model, segments: segmentMessages(segments), cacheSalt: tenant, soon: true },
      };
      send(routerFrame({ case: "prewarm", value }));
    });
  }

  answered({ id, warm }: Prewarmed): void {
    this.#answer(id, warm);
  }

  /** The link broke. */
  broken(): void {
    for (const id of [...this.#asked.keys()]) this.#answer(id, false);
  }

  #answer(id: bigint, warm: boolean): void {
    const told = this.#asked.get(id);
    this.#asked.delete(id);
    told?.(warm);
  }
}
