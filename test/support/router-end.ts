// router-end: the router's end of an SDK session in tests: streams over pipes on a fake clock, and what was heard on each.
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { type Listeners, Session, type SessionOptions } from "../../editor/sdk/session.ts";
import { FakeClock } from "../../lib/clock.fake.ts";
import { SlipstreamError } from "../../lib/errors.ts";
import { seeded } from "../../lib/random.ts";
import { type ClientMessage, ClientMessageSchema, ServerMessageSchema } from "../../proto/gen/slipstream/v1/completion_pb.ts";
import { type Pipe, pipe } from "../../sim/pipe.ts";

type Said = NonNullable<MessageInitShape<typeof ServerMessageSchema>["message"]>;
type Heard<C> = Extract<ClientMessage["message"], { case: C }>["value"];

export class RouterStream {
  readonly heard: ClientMessage["message"][] = [];
  readonly pipe: Pipe<typeof ClientMessageSchema, typeof ServerMessageSchema>;
  closed = false;

  constructor(clock: FakeClock) {
    this.pipe = pipe(
      { up: ClientMessageSchema, down: ServerMessageSchema, latencyMs: 1, jitterMs: 0 },
      { clock, random: seeded(1) },
    );
    void this.#read();
  }

  async #read(): Promise<void> {
    try {
      for await (const { message } of this.pipe.server.frames) this.heard.push(message);
    } catch {
      // The client's end: the test knows.
    }
    this.pipe.server.end();
  }

  say(message: Said): void {
    this.pipe.server.send(create(ServerMessageSchema, { message: message as never }));
  }

  all<C extends NonNullable<ClientMessage["message"]["case"]>>(name: C): Heard<C>[] {
    return this.heard.filter((message) => message.case === name).map(({ value }) => value as Heard<C>);
  }

  welcome(resumeToken = "token", held: { documentId: string; version: bigint; sha256: Uint8Array }[] = []): void {
    const limits = { documentBytesMax: 1_000, documentsMax: 4, editsPerMessageMax: 4, contextBytesMax: 1_000 };
    this.say({ case: "welcome", value: { protocol: "1", resumeToken, held, limits } });
  }
}

/** A session whose dials are answered by the test. */
export class RouterEnd {
  readonly clock = new FakeClock();
  readonly streams: RouterStream[] = [];
  readonly states: string[] = [];
  readonly session: Session;
  /** Nobody listens while it is set. */
  down = false;

  constructor(options: Partial<SessionOptions> = {}, listeners: Listeners = {}) {
    const told: Listeners = {
      ...listeners,
      state: (state) => {
        this.states.push(state.is);
        listeners.state?.(state);
      },
    };
    const dial = () => {
      if (this.down) throw new SlipstreamError("unavailable", "nobody listens");
      const stream = new RouterStream(this.clock);
      this.streams.push(stream);
      return {
        stream: stream.pipe.client,
        close: () => {
          stream.closed = true;
        },
      };
    };
    const { clock } = this;
    const defaults = { client: { name: "test", version: "1" }, sessionId: "s" };
    this.session = new Session({ ...defaults, ...options }, told, { clock, random: seeded(1), dial });
  }

  get last(): RouterStream {
    return this.streams.at(-1) as RouterStream;
  }

  /** Connected, with what was said on the way forgotten. */
  async ready(token = "token"): Promise<this> {
    await this.clock.advance(5);
    this.last.welcome(token);
    await this.clock.advance(5);
    return this;
  }
}
