// scripted-worker: the other end of a router's links, without a network: a test says what workers say, frame by frame, and sees
// what the router says in the moment it says it. Frames arrive when the test's clock is let run.
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import type { FakeClock } from "../../lib/clock.fake.ts";
import type { SlipstreamError } from "../../lib/errors.ts";
import { seeded } from "../../lib/random.ts";
import {
  type RouterFrame,
  RouterFrameSchema,
  type Submit,
  type WorkerFrame,
  WorkerFrameSchema,
  type WorkerWelcomeSchema,
} from "../../proto/gen/slipstream/v1/worker_pb.ts";
import type { Connect } from "../../router/dispatch/dispatch.ts";
import { pipe } from "../../sim/pipe.ts";
import { modelOf } from "./router.ts";

type Channel = "inline" | "bulk";
type Said = RouterFrame["frame"];
type Case = NonNullable<Said["case"]>;
type Value<C extends Case> = Extract<Said, { case: C }>["value"];

/** One stream of a link, as its worker has it. */
export class ScriptedStream {
  readonly address: string;
  readonly channel: Channel;
  /** All that the router said, at once when it said it. */
  readonly said: Said[] = [];
  readonly #pipe;

  constructor(address: string, channel: Channel, clock: FakeClock) {
    this.address = address;
    this.channel = channel;
    this.#pipe = pipe(
      { up: RouterFrameSchema, down: WorkerFrameSchema, latencyMs: 0, jitterMs: 0 },
      { clock, random: seeded(1), up: { sent: ({ frame }) => void this.said.push(frame) } },
    );
  }

  get client() {
    return this.#pipe.client;
  }

  /** The router ended this stream. */
  get over(): boolean {
    return this.#pipe.client.signal.aborted;
  }

  say(frame: MessageInitShape<typeof WorkerFrameSchema>["frame"]): void {
    this.#pipe.server.send(create(WorkerFrameSchema, { frame } as MessageInitShape<typeof WorkerFrameSchema>) as WorkerFrame);
  }

  of<C extends Case>(kind: C): Value<C>[] {
    return this.said.flatMap((frame) => (frame.case === kind ? [frame.value as Value<C>] : []));
  }

  end(error?: SlipstreamError): void {
    this.#pipe.server.end(error);
  }

  cut(): void {
    this.#pipe.cut();
  }
}

export class ScriptedWorkers {
  readonly streams: ScriptedStream[] = [];
  readonly #clock: FakeClock;
  /** Each stream that a router makes, or what it gets instead. */
  readonly connect: Connect;

  constructor(clock: FakeClock) {
    this.#clock = clock;
    this.connect = (address, channel) => {
      const stream = new ScriptedStream(address, channel, clock);
      this.streams.push(stream);
      return stream.client;
    };
  }

  /** The newest stream of a worker. */
  stream(address: string, channel: Channel = "inline"): ScriptedStream {
    const found = this.streams.findLast((stream) => stream.address === address && stream.channel === channel);
    if (!found) throw new Error(`nobody connected to ${address}`);
    return found;
  }

  /** The worker at `address`, which is its name too, welcomes the router on both streams and gives it credits. */
  async welcome(address: string, credits = 4, given: MessageInitShape<typeof WorkerWelcomeSchema> = {}): Promise<void> {
    const { name, fimFamily, fim, contextTokens, bytesPerToken } = modelOf();
    const models = [{ name, fimFamily, fim, contextTokens, bytesPerToken }];
    const value = { protocol: 1, worker: address, pool: "p", slots: 4, engine: "scripted", models, ...given };
    for (const channel of ["inline", "bulk"] as const) this.stream(address, channel).say({ case: "welcome", value });
    const lanes = { inline: credits, chat: credits, speculative: credits, batch: credits };
    for (const channel of ["inline", "bulk"] as const) this.stream(address, channel).say({ case: "credits", value: lanes });
    await this.run();
  }

  /** Lets frames arrive and everyone act on them. */
  async run(): Promise<void> {
    await this.#clock.advance(0);
  }

  /** The last generation that the worker was asked for. */
  submitted(address: string, channel: Channel = "inline"): Submit {
    const submit = this.stream(address, channel).of("submit").at(-1);
    if (!submit) throw new Error(`nothing was submitted to ${address}`);
    return submit;
  }
}
