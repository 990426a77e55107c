// router-end: a router's port that notes when each message of a session arrives, and answers a trigger at once, or not before it is
// cancelled. In the bench's own process, so that sending and arriving are times of one clock.
import { create } from "@bufbuild/protobuf";
import { systemClock } from "../../lib/clock.ts";
import { SlipstreamError } from "../../lib/errors.ts";
import { mount, startGrpcServer } from "../../lib/grpc/server.ts";
import {
  type ClientMessage,
  CompletionService,
  type FeedbackEvent,
  Outcome,
  Reason,
  type ServerMessage,
  ServerMessageSchema,
} from "../../proto/gen/slipstream/v1/completion_pb.ts";

type Heard = NonNullable<ClientMessage["message"]["case"]>;

export interface RouterEnd extends Disposable {
  readonly address: string;
  /** Resolves with the moment at which the next message of the kind arrives; of feedback, of this event. */
  next(kind: Heard, event?: FeedbackEvent): Promise<number>;
  /** False: a trigger is answered when it is cancelled. */
  answering: boolean;
}

const limits = { documentBytesMax: 2 << 20, documentsMax: 64, editsPerMessageMax: 1_024, contextBytesMax: 1 << 20 };
const waitMs = 10_000;

export async function startRouterEnd(): Promise<RouterEnd> {
  const waiting = new Map<string, (atMs: number) => void>();
  const end = { answering: true };
  const answer = ({ message }: ClientMessage): ServerMessage["message"] | undefined => {
    if (message.case === "hello") return said("welcome", { protocol: "1", resumeToken: "t", held: [], limits });
    if (message.case === "cancel")
      return said("nothing", { triggerId: message.value.triggerId, reason: Reason.CANCELLED, outcome: Outcome.CANCELLED });
    if (message.case !== "trigger" || !end.answering) return undefined;
    const { triggerId } = message.value;
    const items = [{ insertText: "value + 1;" }];
    return said("completion", { triggerId, completionId: `c-${triggerId}`, items, outcome: Outcome.GENERATED });
  };
  const handlers = mount(CompletionService, {
    session: async (stream) => {
      for await (const message of stream.frames) {
        const kind = message.message.case;
        if (kind === undefined) continue;
        const name = nameOf(kind, message.message.case === "feedback" ? message.message.value.event : undefined);
        const heard = waiting.get(name);
        waiting.delete(name);
        heard?.(systemClock.now());
        const words = answer(message);
        if (words) stream.send(create(ServerMessageSchema, { message: words }));
      }
    },
    // biome-ignore lint/correctness/useYield: it has nothing to say.
    complete: async function* () {
      throw new SlipstreamError("unavailable", "sessions alone");
    },
    // biome-ignore lint/correctness/useYield: it has nothing to say.
    generate: async function* () {
      throw new SlipstreamError("unavailable", "sessions alone");
    },
    report: async () => {
      throw new SlipstreamError("unavailable", "sessions alone");
    },
  });
  const server = await startGrpcServer(
    { address: "127.0.0.1:0", messageBytesMax: 16 << 20, streamsPerConnectionMax: 100 },
    { name: "router end", mounts: [handlers], failed: () => {} },
  );
  return {
    address: `127.0.0.1:${server.port}`,
    next: (kind, event) =>
      new Promise((resolve, reject) => {
        const late = systemClock.timer(waitMs, () =>
          reject(new SlipstreamError("deadline_exceeded", `no ${kind} arrived in ${waitMs / 1_000} s`)),
        );
        waiting.set(nameOf(kind, event), (atMs) => {
          late[Symbol.dispose]();
          resolve(atMs);
        });
      }),
    get answering() {
      return end.answering;
    },
    set answering(is) {
      end.answering = is;
    },
    [Symbol.dispose]: () => server.close(),
  };
}

const nameOf = (kind: Heard, event: FeedbackEvent | undefined) => `${kind} ${event ?? ""}`;

function said<C extends NonNullable<ServerMessage["message"]["case"]>>(name: C, value: object): ServerMessage["message"] {
  return { case: name, value } as unknown as ServerMessage["message"];
}
