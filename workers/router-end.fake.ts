// router-end: a router's end of a stream of the agent's, in memory, with the simulated engine under a clock that moves only
// when told to. For tests.
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { FakeClock } from "../lib/clock.fake.ts";
import type { SlipstreamError } from "../lib/errors.ts";
import { seeded } from "../lib/random.ts";
import { Mailbox } from "../lib/structures/mailbox.ts";
import type { SamplingSchema } from "../proto/gen/slipstream/v1/completion_pb.ts";
import {
  Channel,
  Lane,
  type RouterFrame,
  RouterFrameSchema,
  type Submit,
  type SubmitSchema,
  type WorkerFrame,
} from "../proto/gen/slipstream/v1/worker_pb.ts";
import type { Agent } from "./agent.ts";
import { SimulatedEngine, type SimulatedOptions } from "./engine/simulated/simulated.ts";
import { agentDefaults, createAgent } from "./wire.ts";

export const code = "const total = items.reduce((sum, item) => sum + item.price, 0);\n";
/** Goes on for as long as anyone may want. */
export const truth = code.repeat(40);

type Case = NonNullable<WorkerFrame["frame"]["case"]>;
type Value<C extends Case> = Extract<WorkerFrame["frame"], { case: C }>["value"];
type Segments = NonNullable<MessageInitShape<typeof SubmitSchema>["segments"]>;
export interface Wish extends Partial<Omit<Submit, "id" | "sampling" | "segments" | "$typeName">> {
  readonly text?: string;
  readonly segments?: Segments;
  readonly sampling?: MessageInitShape<typeof SamplingSchema>;
}

const idOf = (frame: WorkerFrame["frame"]) => (frame.value as { id?: bigint } | undefined)?.id;

/** A router's end of one stream. */
export class RouterEnd {
  readonly inbox = new Mailbox<RouterFrame>({ max: 10_000, full: "refuse" });
  readonly frames: { at: number; frame: WorkerFrame["frame"] }[] = [];
  error: SlipstreamError | undefined;
  over = false;

  constructor(
    agent: Agent,
    clock: FakeClock,
    options: { router?: string; channel?: Channel; hello?: boolean; handsOver?: boolean } = {},
  ) {
    const send = (frame: WorkerFrame) => this.frames.push({ at: clock.now(), frame: frame.frame });
    void agent.serve({ frames: this.inbox, send, end: (error) => this.inbox.end(error) }).then(
      () => {
        this.over = true;
      },
      (error: SlipstreamError) => {
        this.over = true;
        this.error = error;
      },
    );
    const { router = "router-a", channel = Channel.INLINE, hello = true, handsOver = false } = options;
    if (hello) this.send({ case: "hello", value: { protocolMin: 1, protocolMax: 1, router, channel, handsOver } });
  }

  send(frame: MessageInitShape<typeof RouterFrameSchema>["frame"]): void {
    this.inbox.push(create(RouterFrameSchema, { frame } as MessageInitShape<typeof RouterFrameSchema>));
  }

  submit(id: bigint, wish: Wish = {}): void {
    const { text = `// ${id}\n${code.repeat(20)}`, sampling, ...rest } = wish;
    this.send({
      case: "submit",
      value: {
        id,
        lane: Lane.INLINE,
        model: "m",
        segments: [
          { part: { case: "special", value: "<|fim_prefix|>" } },
          { part: { case: "text", value: text } },
          { part: { case: "special", value: "<|fim_middle|>" } },
        ],
        sampling: { maxTokens: 24, ...sampling },
        ...rest,
      },
    });
  }

  cancel(id: bigint): void {
    this.send({ case: "cancel", value: { id } });
  }

  all<C extends Case>(kind: C, id?: bigint): (Value<C> & { at: number })[] {
    const found = this.frames.filter(({ frame }) => frame.case === kind && (id === undefined || idOf(frame) === id));
    return found.map(({ at, frame }) => ({ ...(frame.value as object), at })) as never;
  }

  text(id: bigint): string {
    return this.all("delta", id)
      .map((delta) => delta.text)
      .join("");
  }

  /** Kinds of the frames that speak of a generation, deltas as one. */
  story(id: bigint): string {
    const kinds = this.frames.flatMap(({ frame }) => (idOf(frame) === id ? [frame.case] : []));
    return kinds.filter((kind, index) => kind !== kinds[index - 1]).join(" ");
  }

  credits(): number[] {
    const last = this.all("credits").at(-1);
    return last ? [last.inline, last.chat, last.speculative, last.batch] : [];
  }
}

export function worker(options: Partial<SimulatedOptions> & { routersMax?: number } = {}) {
  const clock = new FakeClock();
  const random = seeded(5);
  const { routersMax = 64, ...rest } = options;
  const engine = new SimulatedEngine(
    { profile: "h100-7b-eagle3", profileEnd: "mid", seed: 7, slots: 4, model: "m", ...rest },
    { clock, random, oracle: () => truth },
  );
  const agent = createAgent({ ...agentDefaults, routersMax, worker: "w-0", pool: "p" }, { clock, random, engine });
  const connect = (name = "router-a", channel: Channel = Channel.INLINE) => new RouterEnd(agent, clock, { router: name, channel });
  return { clock, engine, agent, connect };
}

export const idle = { running: 0, kvBlocksUsed: 0, prefillBacklogTokens: 0 };
