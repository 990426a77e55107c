// link-monitor: the frames of the streams of one link in, violations of the link's protocol out. It sees each frame as it is
// sent and credits as they arrive, so it judges what each side could know. Holds one entry a generation under way, and
// the usage of those that ended, for the books.
import type { RouterFrame, Usage, WorkerFrame } from "../proto/gen/slipstream/v1/worker_pb.ts";
import type { Watch } from "./pipe.ts";

export interface LinkMonitorOptions {
  readonly name: string;
  /** From a Cancel's arrival to the engine's stop: one step and one tick of the agent. */
  readonly abortMaxMs: number;
}

interface Submitted {
  readonly lane: number;
  /** Whose KV it may use, and its text so far. */
  readonly salt: string;
  readonly arrivesMs: number;
  text: string;
  cancelArrivesMs?: number;
}

/** One generation that ended with a frame. */
export interface Ended {
  readonly link: string;
  readonly id: bigint;
  readonly salt: string;
  readonly text: string;
  readonly usage: Usage | undefined;
  readonly end: "done" | "refused" | "cancelAck";
}

export interface LinkMonitorDeps {
  readonly now: () => number;
  readonly violate: (what: string) => void;
  readonly ended: (generation: Ended) => void;
}

export class LinkMonitor {
  readonly #options: LinkMonitorOptions;
  readonly #deps: LinkMonitorDeps;
  readonly #open = new Map<bigint, Submitted>();
  readonly #credits = new Map<number, number>();
  #lastId = -1n;
  #over = false;
  readonly up: Watch<RouterFrame> = { sent: ({ frame }, arrivesMs) => this.#routerSent(frame, arrivesMs) };
  readonly down: Watch<WorkerFrame> = {
    sent: ({ frame }) => this.#workerSent(frame),
    arrived: ({ frame }) => {
      if (frame.case !== "credits") return;
      const { inline, chat, speculative, batch } = frame.value;
      for (const [index, credits] of [inline, chat, speculative, batch].entries()) this.#credits.set(index + 1, credits);
    },
  };

  constructor(options: LinkMonitorOptions, deps: LinkMonitorDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  /** Generations submitted whose end has not been sent. */
  get open(): number {
    return this.#open.size;
  }

  /** The link broke: what was under way has no end, and what is still said on it does not count. Returns whose texts those were. */
  broke(): { salt: string; text: string }[] {
    const lost = [...this.#open.values()];
    this.#open.clear();
    this.#over = true;
    return lost;
  }

  #routerSent(frame: RouterFrame["frame"], arrivesMs: number): void {
    if (this.#over) return;
    if (frame.case === "submit") {
      const { id, lane, cacheSalt } = frame.value;
      if (id <= this.#lastId) this.#violate(`generation ${id} is submitted after ${this.#lastId}`);
      this.#lastId = id;
      const outstanding = [...this.#open.values()].filter((other) => other.lane === lane).length;
      const credits = this.#credits.get(lane) ?? 0;
      if (outstanding >= credits)
        this.#violate(`generation ${id} of lane ${lane} is submitted with ${outstanding} of ${credits} credits used`);
      this.#open.set(id, { lane, salt: cacheSalt, arrivesMs, text: "" });
    } else if (frame.case === "cancel") {
      const submitted = this.#open.get(frame.value.id);
      if (submitted) submitted.cancelArrivesMs ??= arrivesMs;
      else if (frame.value.id > this.#lastId) this.#violate(`generation ${frame.value.id} is cancelled before it was submitted`);
    }
  }

  #workerSent(frame: WorkerFrame["frame"]): void {
    if (this.#over) return;
    if (frame.case !== "delta" && frame.case !== "done" && frame.case !== "refused" && frame.case !== "cancelAck") return;
    const { id } = frame.value;
    const submitted = this.#open.get(id);
    if (!submitted) {
      this.#violate(`${frame.case} for generation ${id}, which is not under way`);
      return;
    }
    const now = this.#deps.now();
    if (now < submitted.arrivesMs) this.#violate(`${frame.case} for generation ${id} before it arrived`);
    const lateMs = now - (submitted.cancelArrivesMs ?? Number.POSITIVE_INFINITY);
    if (lateMs > this.#options.abortMaxMs) {
      this.#violate(`${frame.case} for generation ${id} ${lateMs.toFixed(1)} ms after its Cancel arrived`);
    }
    if (frame.case === "delta") {
      submitted.text += frame.value.text;
      return;
    }
    if (frame.case === "cancelAck" && submitted.cancelArrivesMs === undefined)
      this.#violate(`cancelAck for generation ${id} without a Cancel`);
    this.#open.delete(id);
    const { name } = this.#options;
    this.#deps.ended({ link: name, id, salt: submitted.salt, text: submitted.text, usage: frame.value.usage, end: frame.case });
  }

  #violate(what: string): void {
    this.#deps.violate(`link ${this.#options.name}: ${what}`);
  }
}
