// agent-end: a router's end of an agent's stream, in memory: generations asked for and cancelled, each with what became of it.
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { systemClock } from "../../lib/clock.ts";
import { Mailbox } from "../../lib/structures/mailbox.ts";
import {
  Channel,
  Lane,
  type RouterFrame,
  RouterFrameSchema,
  type SubmitSchema,
  type Usage,
  type WorkerFrame,
} from "../../proto/gen/slipstream/v1/worker_pb.ts";
import type { Agent } from "../../workers/agent.ts";

export interface Ended {
  /** "lost": this end left before it was over. */
  readonly how: "done" | "cancelled" | "refused" | "lost";
  readonly detail: string;
  readonly usage: Usage | undefined;
  /** From receipt of the Cancel to the engine's stop, as the agent says it. */
  readonly abortMs: number;
  readonly firstMs: number | undefined;
  readonly endMs: number;
}

interface Open {
  firstMs: number | undefined;
  readonly first: () => void;
  readonly over: (ended: Ended) => void;
}

type Wish = Omit<MessageInitShape<typeof SubmitSchema>, "id" | "lane" | "model">;

export class AgentEnd {
  readonly #model: string;
  readonly #inbox = new Mailbox<RouterFrame>({ max: 10_000, full: "refuse" });
  readonly #open = new Map<bigint, Open>();
  #next = 1n;
  #closed = false;
  /** Closing frames of what had ended before: there must be none. */
  repeated = 0;
  #credits = "";

  constructor(options: { model: string }, deps: { agent: Agent }) {
    this.#model = options.model;
    void deps.agent.serve({ frames: this.#inbox, send: (frame) => this.#hear(frame), end: (error) => this.#inbox.end(error) });
    this.#say({ case: "hello", value: { protocolMin: 1, protocolMax: 1, router: "bench", channel: Channel.INLINE } });
  }

  /** Of each lane, inline first. */
  get credits(): string {
    return this.#credits;
  }

  /** Generations that are not over. */
  get open(): number {
    return this.#open.size;
  }

  ask(wish: Wish, lane = Lane.INLINE, model = this.#model): { id: bigint; first: Promise<void>; over: Promise<Ended> } {
    const id = this.#next++;
    let [first, over] = [() => {}, (_ended: Ended) => {}];
    const promises = {
      first: new Promise<void>((resolve) => {
        first = resolve;
      }),
      over: new Promise<Ended>((resolve) => {
        over = resolve;
      }),
    };
    this.#open.set(id, { firstMs: undefined, first, over });
    this.#say({ case: "submit", value: { ...wish, id, lane, model } as MessageInitShape<typeof SubmitSchema> });
    return { id, ...promises };
  }

  cancel(id: bigint): void {
    this.#say({ case: "cancel", value: { id } });
  }

  close(): void {
    this.#inbox.end();
    this.#closed = true;
    for (const id of [...this.#open.keys()]) this.#end(id, { how: "lost", detail: "", usage: undefined, abortMs: 0 });
  }

  #say(frame: MessageInitShape<typeof RouterFrameSchema>["frame"]): void {
    this.#inbox.push(create(RouterFrameSchema, { frame } as MessageInitShape<typeof RouterFrameSchema>));
  }

  #hear({ frame }: WorkerFrame): void {
    if (frame.case === "credits") {
      const { inline, chat, speculative, batch } = frame.value;
      this.#credits = [inline, chat, speculative, batch].join(" ");
    } else if (frame.case === "delta") {
      const open = this.#open.get(frame.value.id);
      if (!open || open.firstMs !== undefined) return;
      open.firstMs = systemClock.now();
      open.first();
    } else if (frame.case === "done") this.#end(frame.value.id, { how: "done", detail: "", usage: frame.value.usage, abortMs: 0 });
    else if (frame.case === "refused")
      this.#end(frame.value.id, {
        how: "refused",
        detail: `${frame.value.code}: ${frame.value.detail}`,
        usage: frame.value.usage,
        abortMs: 0,
      });
    else if (frame.case === "cancelAck")
      this.#end(frame.value.id, { how: "cancelled", detail: "", usage: frame.value.usage, abortMs: frame.value.abortMs });
  }

  #end(id: bigint, ended: Omit<Ended, "firstMs" | "endMs">): void {
    const open = this.#open.get(id);
    if (!open) {
      if (!this.#closed) this.repeated += 1;
      return;
    }
    this.#open.delete(id);
    open.first();
    open.over({ ...ended, firstMs: open.firstMs, endMs: systemClock.now() });
  }
}
