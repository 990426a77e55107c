// link-monitor: the frames of the streams of one link in, violations of the link's protocol out. It sees each frame as it is
// sent and credits as they arrive, so it judges what each side could know. Holds one entry a generation under way, and
// the usage of those that ended, for the books.
import { Finish } from "../proto/gen/slipstream/v1/completion_pb.ts";
import type { RouterFrame, Usage, WorkerFrame } from "../proto/gen/slipstream/v1/worker_pb.ts";
import type { Watch } from "./pipe.ts";

export interface LinkMonitorOptions {
  readonly name: string;
  /** From a Cancel's arrival to the engine's stop: one step and one tick of the agent. */
  readonly abortMaxMs: number;
}

/** A generation as far as it came. */
export interface Lost {
  /** Whose KV it may use, what its prompt ends with, and its text so far. */
  readonly salt: string;
  readonly promptEnd: string;
  text: string;
  tokens: number;
}

interface Submitted extends Lost {
  readonly lane: number;
  readonly arrivesMs: number;
  cancelArrivesMs?: number;
  /** Nothing else with its salt had reached the worker when it did. */
  first?: boolean;
}

/** One generation that ended with a frame. */
export interface Ended {
  readonly link: string;
  readonly id: bigint;
  readonly salt: string;
  readonly promptEnd: string;
  readonly text: string;
  readonly usage: Usage | undefined;
  readonly first: boolean;
  /** From its Cancel's arrival to its end. */
  readonly abortMs?: number;
  readonly end: "done" | "refused" | "cancelAck";
}

export interface LinkMonitorDeps {
  readonly now: () => number;
  readonly violate: (what: string) => void;
  /** A generation with this salt reaches the worker; is it the first? */
  readonly reached: (salt: string) => boolean;
  readonly ended: (generation: Ended) => void;
}

export class LinkMonitor {
  readonly #options: LinkMonitorOptions;
  readonly #deps: LinkMonitorDeps;
  readonly #open = new Map<bigint, Submitted>();
  readonly #credits = new Map<number, number>();
  #lastId = -1n;
  #over = false;
  readonly up: Watch<RouterFrame> = {
    sent: ({ frame }, arrivesMs) => this.#routerSent(frame, arrivesMs),
    arrived: ({ frame }) => {
      const submitted = frame.case === "submit" ? this.#open.get(frame.value.id) : undefined;
      if (submitted) submitted.first = this.#deps.reached(submitted.salt);
      // What is computed ahead is there for who comes first.
      if (frame.case === "prewarm") this.#deps.reached(frame.value.cacheSalt);
    },
  };
  /** Frames of one of its two streams; a lane's credits count as its own stream says them. */
  down(channel: "inline" | "bulk"): Watch<WorkerFrame> {
    return {
      sent: ({ frame }) => this.#workerSent(frame),
      arrived: ({ frame }) => {
        if (frame.case !== "credits") return;
        const { inline, chat, speculative, batch } = frame.value;
        const own = channel === "inline" ? [inline, 0, speculative, 0] : [0, chat, 0, batch];
        const lanes = channel === "inline" ? [1, 3] : [2, 4];
        for (const lane of lanes) this.#credits.set(lane, own[lane - 1] as number);
      },
    };
  }

  constructor(options: LinkMonitorOptions, deps: LinkMonitorDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  /** Generations submitted whose end has not been sent. */
  get open(): number {
    return this.#open.size;
  }

  /** The link broke: what was under way has no end, and what is still said on it does not count. Returns whose texts those were. */
  broke(): Lost[] {
    const lost = [...this.#open.values()];
    this.#open.clear();
    this.#over = true;
    return lost;
  }

  #routerSent(frame: RouterFrame["frame"], arrivesMs: number): void {
    if (this.#over) return;
    if (frame.case === "submit") {
      const { id, lane, cacheSalt, segments } = frame.value;
      if (id <= this.#lastId) this.#violate(`generation ${id} is submitted after ${this.#lastId}`);
      this.#lastId = id;
      const outstanding = [...this.#open.values()].filter((other) => other.lane === lane).length;
      const credits = this.#credits.get(lane) ?? 0;
      if (outstanding >= credits)
        this.#violate(`generation ${id} of lane ${lane} is submitted with ${outstanding} of ${credits} credits used`);
      const last = segments.at(-1)?.part;
      const promptEnd = last?.case === "text" ? last.value : "";
      this.#open.set(id, { lane, salt: cacheSalt, promptEnd, arrivesMs, text: "", tokens: 0 });
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
      submitted.tokens += frame.value.tokens;
      return;
    }
    // One that ended by itself before its Cancel came has said so by then; what the deadline ended may say that.
    if (frame.case === "done" && lateMs > 0 && frame.value.finish !== Finish.DEADLINE)
      this.#violate(`generation ${id} ran to its end, though its Cancel had arrived ${lateMs.toFixed(1)} ms before`);
    if (frame.case === "cancelAck" && submitted.cancelArrivesMs === undefined)
      this.#violate(`cancelAck for generation ${id} without a Cancel`);
    this.#open.delete(id);
    const { name } = this.#options;
    const { salt, promptEnd, text, first = false } = submitted;
    const aborted = submitted.cancelArrivesMs !== undefined && lateMs >= 0 ? { abortMs: lateMs } : {};
    this.#deps.ended({ link: name, id, salt, promptEnd, text, first, ...aborted, usage: frame.value.usage, end: frame.case });
  }

  #violate(what: string): void {
    this.#deps.violate(`link ${this.#options.name}: ${what}`);
  }
}
