// tokenizing: texts that a worker was asked the tokens of, until it answers, its link breaks or the time is over. Bounded.
import type { Clock } from "../../lib/clock.ts";
import { type ErrorCode, errorTable, SlipstreamError } from "../../lib/errors.ts";
import type { RouterFrame, Tokens } from "../../proto/gen/slipstream/v1/worker_pb.ts";
import type { Segment } from "../completion.ts";
import { routerFrame, segmentMessages } from "./frames.ts";

export interface Tokenized {
  readonly ids: readonly number[];
  /** What each stands for; empty: the engine does not tell. */
  readonly pieces: readonly Uint8Array[];
}

const atOnceMax = 64;
const answerMs = 5_000;

export class Tokenizing {
  readonly #clock: Clock;
  readonly #asked = new Map<bigint, (answer: Tokenized | SlipstreamError) => void>();
  #nextId = 1n;

  constructor(deps: { clock: Clock }) {
    this.#clock = deps.clock;
  }

  ask(model: string, segments: readonly Segment[], send: (frame: RouterFrame) => void): Promise<Tokenized> {
    if (this.#asked.size >= atOnceMax) throw new SlipstreamError("overloaded", "too many texts at once", { retryAfterMs: 1_000 });
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      const late = () => this.#answer(id, new SlipstreamError("deadline_exceeded", "the worker does not say its tokens"));
      const timer = this.#clock.timer(answerMs, late);
      this.#asked.set(id, (answer) => {
        timer[Symbol.dispose]();
        if (answer instanceof SlipstreamError) reject(answer);
        else resolve(answer);
      });
      const value = { $typeName: "slipstream.v1.Tokenize" as const, id, model, segments: segmentMessages(segments) };
      send(routerFrame({ case: "tokenize", value }));
    });
  }

  answered({ id, ids, pieces, code, detail }: Tokens): void {
    const known = code in errorTable ? (code as ErrorCode) : "engine_failed";
    this.#answer(id, code === "" ? { ids, pieces } : new SlipstreamError(known, detail));
  }

  /** The link broke. */
  broken(error: SlipstreamError): void {
    for (const id of [...this.#asked.keys()]) this.#answer(id, error);
  }

  #answer(id: bigint, answer: Tokenized | SlipstreamError): void {
    const told = this.#asked.get(id);
    this.#asked.delete(id);
    told?.(answer);
  }
}
