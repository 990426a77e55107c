// tapped: a session stream between the SDK and a real router of which every message is written down, and which can be broken: for
// both, as a lost connection is, or for the SDK alone, as one that the router has not noticed yet.
import type { Dialled } from "../../editor/sdk/line.ts";
import { SlipstreamError } from "../../lib/errors.ts";
import { GrpcClient } from "../../lib/grpc/client.ts";
import type { Duplex } from "../../lib/grpc/duplex.ts";
import { Mailbox } from "../../lib/structures/mailbox.ts";
import { type ClientMessage, CompletionService, type ServerMessage } from "../../proto/gen/slipstream/v1/completion_pb.ts";

const messagesMax = 10_000;

export class Tapped implements Dialled {
  /** What the SDK said. */
  readonly said: ClientMessage[] = [];
  /** What the router said, but for partials. */
  readonly heard = new Mailbox<ServerMessage>({ max: messagesMax, full: "refuse" });
  readonly stream: Duplex<ServerMessage, ClientMessage>;
  /** Messages of the SDK that do not arrive. */
  drops: (message: ClientMessage) => boolean = () => false;
  /** The SDK holds it for lost. */
  lost = false;
  readonly #client: GrpcClient;
  readonly #abort = new AbortController();
  readonly #mine: Mailbox<ServerMessage>;

  constructor(address: string) {
    this.#client = new GrpcClient({ address });
    const real = this.#client.duplex(CompletionService.method.session, { signal: this.#abort.signal });
    const mine = new Mailbox<ServerMessage>({ max: messagesMax, full: "refuse" });
    this.#mine = mine;
    void this.#read(real);
    this.stream = {
      frames: mine,
      signal: real.signal,
      send: (message: ClientMessage) => {
        this.said.push(message);
        if (!this.lost && !this.drops(message)) real.send(message);
      },
      end: (error?: SlipstreamError) => {
        if (!this.lost) real.end(error);
      },
    } as unknown as Duplex<ServerMessage, ClientMessage>;
  }

  /** For both ends. */
  break(): void {
    this.lose();
    this.#abort.abort();
  }

  /** The router goes on holding it. */
  lose(): void {
    this.lost = true;
    this.#mine.end(new SlipstreamError("unavailable", "the connection broke"));
  }

  close(): void {
    // What is lost for the SDK the router still ends by itself.
    if (!this.lost) this.#client.close();
  }

  /** When the test is over. */
  leave(): void {
    this.#abort.abort();
    this.#client.close();
  }

  async #read(real: Duplex<ServerMessage, ClientMessage>): Promise<void> {
    let error: SlipstreamError | undefined;
    try {
      for await (const message of real.frames) {
        if (message.message.case !== "partial") this.heard.push(message);
        if (!this.lost) this.#mine.push(message);
      }
    } catch (thrown) {
      error = SlipstreamError.from(thrown);
    }
    this.heard.end(error);
    if (!this.lost) this.#mine.end(error);
  }
}
