// line: one Session stream to one router, from Hello to its end. Says once that it is welcome and once that it is over.
import { create } from "@bufbuild/protobuf";
import type { Clock } from "../../lib/clock.ts";
import { SlipstreamError } from "../../lib/errors.ts";
import type { Duplex } from "../../lib/grpc/duplex.ts";
import { type ClientMessage, ClientMessageSchema, type ServerMessage } from "../../proto/gen/slipstream/v1/completion_pb.ts";

type Said = ServerMessage["message"];
type Body = ClientMessage["message"];

/** A connection of its own: a stream that moves to another router must not find the old one's connection. */
export interface Dialled {
  readonly stream: Duplex<ServerMessage, ClientMessage>;
  close(): void;
}

interface Deps {
  readonly clock: Clock;
  readonly heard: (line: Line, message: Said) => void;
  readonly over: (line: Line, error: SlipstreamError | undefined) => void;
}

/** A router that is there answers Hello in a round trip. */
const welcomeMs = 10_000;
/** What is under way on a line that is left is answered by then. */
const lingerMs = 10_000;

export class Line {
  readonly number: number;
  readonly #dialled: Dialled;
  readonly #deps: Deps;
  readonly #patience: Disposable;
  #lingering: Disposable | undefined;

  constructor(number: number, dialled: Dialled, hello: Extract<Body, { case: "hello" }>, deps: Deps) {
    this.number = number;
    this.#dialled = dialled;
    this.#deps = deps;
    this.#patience = deps.clock.timer(welcomeMs, () =>
      this.cut(new SlipstreamError("unavailable", "the router did not answer Hello")),
    );
    this.say(hello);
    void this.#read();
  }

  say(message: Body): void {
    this.#dialled.stream.send(create(ClientMessageSchema, { message }));
  }

  /** Nothing more is said; what is under way is still heard. */
  leave(): void {
    this.#dialled.stream.end();
    this.#lingering = this.#deps.clock.timer(lingerMs, () => this.cut(new SlipstreamError("cancelled", "left")));
  }

  cut(error: SlipstreamError): void {
    this.#dialled.stream.end(error);
  }

  async #read(): Promise<void> {
    let error: SlipstreamError | undefined;
    try {
      for await (const { message } of this.#dialled.stream.frames) {
        if (message.case === "welcome") this.#patience[Symbol.dispose]();
        this.#deps.heard(this, message);
      }
    } catch (thrown) {
      error = SlipstreamError.from(thrown);
    }
    this.#patience[Symbol.dispose]();
    this.#lingering?.[Symbol.dispose]();
    this.#dialled.close();
    this.#deps.over(this, error);
  }
}
