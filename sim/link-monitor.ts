// link-monitor: the frames of the streams of one link in, violations of the link's protocol out. It sees each frame as it is
// sent and credits as they arrive, so it judges what each side could know. Holds one entry a generation under way, and
// the usage of those that ended, for the books.
import { Finish } from "../proto/gen/slipstream/v1/completion_pb.ts";
import type { RouterFrame, Usage, WorkerFrame } from "../proto/gen/slipstream/v1/worker_pb.ts";
import type { Watch } from "./pipe.ts";

export interface LinkMonitorOptions {
  readonly name: string;
  readonly worker: string;
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
}

/** One generation that ended with a frame. */
export interface Ended {
  readonly link: string;
  readonly worker: string;
  readonly id: bigint;
  readonly salt: string;
  readonly promptEnd: string;
  readonly text: string;
  readonly usage: Usage | undefined;
  /** When the engine began with it, as the worker says; undefined: it computed nothing of it. */
  readonly beganMs: number | undefined;
  /** From its Cancel's arrival to its end. */
  readonly abortMs?: number;
  readonly end: "done" | "refused" | "cancelAck";
}

export interface LinkMonitorDeps {
  readonly now: () => number;
  readonly violate: (what: string) => void;
  /** Of what the worker will not say when it began: it may compute KV under this salt from then on. */
  readonly began: (salt: string, sinceMs: number) => void;
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
      // What is computed ahead is there for who comes first; what arrives on a link that was given up may begin before it ends.
      if (frame.case === "prewarm" || (frame.case === "submit" && this.#over))
        this.#deps.began(frame.value.cacheSalt, this.#deps.now());
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
    const now = this.#deps.now();
    for (const { salt, arrivesMs } of lost) if (arrivesMs <= now) this.#deps.began(salt, arrivesMs);
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
    const { name, worker } = this.#options;
    const { salt, promptEnd, text } = submitted;
    const { usage } = frame.value;
    const aborted = submitted.cancelArrivesMs !== undefined && lateMs >= 0 ? { abortMs: lateMs } : {};
    const beganMs = beganAt(submitted.arrivesMs, usage);
    this.#deps.ended({ link: name, worker, id, salt, promptEnd, text, beganMs, ...aborted, usage, end: frame.case });
  }

  #violate(what: string): void {
    this.#deps.violate(`link ${this.#options.name}: ${what}`);
  }
}

/** It waits in the agent, and for memory, before it is computed. */
function beganAt(arrivesMs: number, usage: Usage | undefined): number | undefined {
  if (!usage) return arrivesMs;
  return usage.cachedTokens + usage.recomputedTokens > 0 ? arrivesMs + usage.queueMs : undefined;
}
