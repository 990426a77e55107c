// emit: an engine's Pieces in, Delta frames and exactly one closing frame out. Text leaves as valid UTF-8, cut at stop
// strings, coalesced, within the reader's window. Holds at most the text of the generations that are open.
import { create } from "@bufbuild/protobuf";
import type { Clock } from "../../lib/clock.ts";
import type { SlipstreamError } from "../../lib/errors.ts";
import { Finish as WireFinish } from "../../proto/gen/slipstream/v1/completion_pb.ts";
import { type Submit, type WorkerFrame, WorkerFrameSchema } from "../../proto/gen/slipstream/v1/worker_pb.ts";
import type { Finish, Usage } from "../generation.ts";
import type { WorkerMetrics } from "../metrics.ts";
import { Emission } from "./emission.ts";
import { Together } from "./together.ts";

export type { Emission } from "./emission.ts";

/** How a generation ends for its router. */
export type Ending =
  | { readonly kind: "done"; readonly finish: Finish | "deadline" }
  | { readonly kind: "cancelled"; readonly abortMs: number }
  | { readonly kind: "refused"; readonly error: SlipstreamError };

const finishes: Readonly<Record<Finish | "deadline", WireFinish>> = {
  stop: WireFinish.STOP,
  length: WireFinish.LENGTH,
  cut: WireFinish.CUT,
  deadline: WireFinish.DEADLINE,
};

export class Emit {
  readonly #options: { readonly coalesceMs: number };
  readonly #clock: Clock;
  readonly #metrics: Pick<WorkerMetrics, "delta_bytes_total" | "window_waits_total"> | undefined;

  constructor(
    options: { coalesceMs: number },
    deps: { clock: Clock; metrics?: Pick<WorkerMetrics, "delta_bytes_total" | "window_waits_total"> },
  ) {
    this.#options = options;
    this.#clock = deps.clock;
    this.#metrics = deps.metrics;
  }

  /** `first` is called before the first delta. */
  start(submit: Submit, send: (frame: WorkerFrame) => unknown, first: () => void): Emission {
    let started = false;
    return new Emission(
      {
        id: submit.id,
        coalesceMs: this.#options.coalesceMs,
        stops: submit.sampling?.stop ?? [],
        stopAtNewline: submit.stopAtNewline,
        windowBytes: submit.windowBytes === 0 ? Number.POSITIVE_INFINITY : submit.windowBytes,
      },
      {
        clock: this.#clock,
        send,
        sent: (bytes) => {
          if (!started) first();
          started = true;
          this.#metrics?.delta_bytes_total.inc({}, bytes);
        },
        waits: () => this.#metrics?.window_waits_total.inc({}),
      },
    );
  }

  /** For a router that takes what is said in one tick as one message. */
  together(send: (frame: WorkerFrame) => unknown): Pick<Together, "send" | "flush"> {
    return new Together(send);
  }

  /** `handOverMs`: it still takes work of its sessions for so long. */
  draining(graceMs: number, handOverMs = 0): WorkerFrame {
    const value = { graceMs: Math.round(graceMs), handOverMs: Math.ceil(handOverMs) };
    return create(WorkerFrameSchema, { frame: { case: "draining", value } });
  }

  prewarmed(id: bigint, warm: boolean): WorkerFrame {
    return create(WorkerFrameSchema, { frame: { case: "prewarmed", value: { id, warm } } });
  }

  resume(): WorkerFrame {
    return create(WorkerFrameSchema, { frame: { case: "resume", value: {} } });
  }

  tokens(id: bigint, { ids, pieces }: { readonly ids: readonly number[]; readonly pieces: readonly Uint8Array[] }): WorkerFrame {
    return create(WorkerFrameSchema, { frame: { case: "tokens", value: { id, ids: [...ids], pieces: [...pieces] } } } as never);
  }

  noTokens(id: bigint, { code, message }: SlipstreamError): WorkerFrame {
    const detail = code === "internal" ? "internal error; see the worker's log" : message;
    return create(WorkerFrameSchema, { frame: { case: "tokens", value: { id, code, detail } } });
  }

  end(id: bigint, ending: Ending, usage: Usage): WorkerFrame {
    const frame = (): WorkerFrame["frame"] | object => {
      switch (ending.kind) {
        case "done":
          return { case: "done", value: { id, finish: finishes[ending.finish], usage } };
        case "cancelled":
          return { case: "cancelAck", value: { id, usage, abortMs: ending.abortMs } };
        case "refused": {
          const { code, message, row } = ending.error;
          // What went wrong inside stays in this process's log.
          const detail = code === "internal" ? "internal error; see the worker's log" : message;
          return { case: "refused", value: { id, code, detail, retryable: row.retryable, usage } };
        }
      }
    };
    return create(WorkerFrameSchema, { frame: frame() as never });
  }
}
