// session-service: one editor window's stream, from Hello to its end. Messages change the mirrors in order; triggers run side
// by side and answer when they can. A refused message is answered and the stream lives on; only a malformed Hello ends it.
import { create } from "@bufbuild/protobuf";
import { invalid, SlipstreamError } from "../lib/errors.ts";
import type { Duplex } from "../lib/grpc/duplex.ts";
import {
  type ClientMessage,
  type Hello,
  type ServerMessage,
  ServerMessageSchema,
  Status_Kind,
  type Trigger as TriggerMessage,
} from "../proto/gen/slipstream/v1/completion_pb.ts";
import { type Ending, type Milestones, noUsage, Retired, type Trigger } from "./completion.ts";
import { endingOf } from "./feedback/feedback.ts";
import type { Session } from "./ingress/ingress.ts";
import { endMessage, outcomeMessage, partialMessage, reasonMessage } from "./messages.ts";
import type { Router } from "./wire.ts";

type Stream = Duplex<ClientMessage, ServerMessage>;
type Said = ServerMessage["message"];
const say = (stream: Stream, message: Said) => void stream.send(create(ServerMessageSchema, { message }));

export async function runSession(router: Router, stream: Stream, tenant: string): Promise<void> {
  let session: Session | undefined;
  const running = new Set<Promise<void>>();
  try {
    for await (const { message } of stream.frames) {
      if (!session) {
        if (message.case !== "hello") throw invalid("message", "the first message of a session must be hello");
        session = greet(router, stream, message.value, tenant);
        continue;
      }
      try {
        const work = handle(router, stream, session, message);
        if (work) {
          running.add(work);
          void work.finally(() => running.delete(work));
        }
      } catch (thrown) {
        refuse(router, stream, message, thrown);
      }
    }
    // The client half-closed: what it still waits for is answered before the stream ends.
    await Promise.all(running);
  } finally {
    if (session) router.ingress.closeSession(session);
  }
}

function greet(router: Router, stream: Stream, hello: Hello, tenant: string): Session {
  const session = router.ingress.openSession(hello, tenant);
  const { documentBytesMax, documentsMax, editsPerMessageMax, contextBytesMax } = router.ingress.limits;
  say(stream, {
    case: "welcome",
    value: {
      $typeName: "slipstream.v1.Welcome",
      protocol: "1",
      resumeToken: "",
      held: [],
      limits: { $typeName: "slipstream.v1.Limits", documentBytesMax, documentsMax, editsPerMessageMax, contextBytesMax },
      maxConnectionAgeMs: 0,
    },
  });
  say(stream, {
    case: "policy",
    value: {
      $typeName: "slipstream.v1.Policy",
      version: 0n,
      completions: true,
      languages: [],
      excludedGlobs: [],
      models: router.models(),
    },
  });
  return session;
}

/** One message. A trigger's work goes on after it returns. */
function handle(router: Router, stream: Stream, session: Session, message: ClientMessage["message"]): Promise<void> | undefined {
  switch (message.case) {
    case "documentOpen":
      return resync(stream, message.value.documentId, session.open(message.value));
    case "documentEdit":
      return resync(stream, message.value.documentId, session.edit(message.value, router.clock.now()));
    case "documentClose":
      session.close(message.value.documentId);
      return undefined;
    case "context":
      session.context(message.value);
      return undefined;
    case "cancel":
      session.find(message.value.triggerId)?.retire(new Retired("cancelled"));
      return undefined;
    case "feedback":
      router.feedback.report(message.value, session.tenant);
      return undefined;
    case "trigger":
      return trigger(router, stream, session, message.value);
    case "hello":
      throw invalid("hello", "was already said");
    default:
      throw new SlipstreamError("unsupported", "message: this router does not know this kind of message", { field: "message" });
  }
}

function resync(stream: Stream, documentId: string, mismatch: { heldVersion: bigint; detail: string } | undefined): undefined {
  if (mismatch) say(stream, { case: "resync", value: { $typeName: "slipstream.v1.Resync", documentId, ...mismatch } });
}

/** Refuses now, or runs the trigger and answers it later. */
function trigger(router: Router, stream: Stream, session: Session, message: TriggerMessage): Promise<void> | undefined {
  const made = session.trigger(message, stream.signal);
  if (!("heldVersion" in made)) return answer(router, stream, session, made);
  resync(stream, message.documentId, made);
  nothing(stream, message.triggerId, { outcome: "refused", reason: "resync_needed", detail: made.detail, usage: noUsage });
  return undefined;
}

async function answer(router: Router, stream: Stream, session: Session, made: Trigger): Promise<void> {
  const at: Milestones = {};
  const path = router.run(made, at);
  let text = "";
  for (;;) {
    const step = await path.next();
    if (step.done) {
      session.ended(made);
      stream.send(endMessage(made, at, step.value, text, router.clock.now()));
      return;
    }
    text += step.value.text;
    if (made.stream) stream.send(partialMessage(made, step.value.text));
  }
}

/** A message that could not be: a trigger gets its Nothing, anything else a Status. */
function refuse(router: Router, stream: Stream, message: ClientMessage["message"], thrown: unknown): void {
  const error = SlipstreamError.from(thrown);
  if (error.code === "internal") router.log.error({ err: error.cause ?? error, message: message.case }, "a session message failed");
  if (message.case === "trigger") return nothing(stream, message.value.triggerId, endingOf(error));
  const detail = error.code === "internal" ? "internal error; see the router's log" : error.message;
  say(stream, {
    case: "status",
    value: {
      $typeName: "slipstream.v1.Status",
      kind: Status_Kind.INVALID,
      field: error.field ?? "",
      detail,
      graceMs: 0,
      triggerId: "",
    },
  });
}

function nothing(stream: Stream, triggerId: string, ending: Ending): void {
  say(stream, {
    case: "nothing",
    value: {
      $typeName: "slipstream.v1.Nothing",
      triggerId,
      reason: reasonMessage[ending.reason ?? "error"],
      retryAfterMs: Math.round(ending.retryAfterMs ?? 0),
      detail: ending.detail ?? "",
      outcome: outcomeMessage[ending.outcome],
    },
  });
}
