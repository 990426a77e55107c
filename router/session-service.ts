// session-service: one editor window's stream, from Hello to its end. Messages change the mirrors in order; triggers run side
// by side and answer when they can. A refused message is answered and the stream lives on; only a malformed or missing Hello
// ends it. A client that does not read its answers, or says too much, is read more slowly: nothing piles up here.
import { create } from "@bufbuild/protobuf";
import { endingWith, untilEither } from "../lib/ending-with.ts";
import { invalid, SlipstreamError } from "../lib/errors.ts";
import type { Duplex } from "../lib/grpc/duplex.ts";
import {
  type ClientMessage,
  type DocumentEdit,
  EditOrigin,
  FeedbackEvent,
  type Hello,
  type ServerMessage,
  ServerMessageSchema,
  Status_Kind,
  type Trigger as TriggerMessage,
} from "../proto/gen/slipstream/v1/completion_pb.ts";
import { Anticipation } from "./anticipation.ts";
import { type Ending, type Milestones, noUsage, Retired, type Trigger } from "./completion.ts";
import { Farewell, type Notice } from "./farewell.ts";
import { endingOf } from "./feedback/feedback.ts";
import type { Session } from "./ingress/ingress.ts";
import { endMessage, outcomeMessage, partialMessage, reasonMessage } from "./messages.ts";
import type { Router } from "./router.ts";

type Mismatch = { readonly heldVersion: bigint; readonly detail: string };
type Stream = Duplex<ClientMessage, ServerMessage>;
type Said = ServerMessage["message"];
const say = (stream: Stream, message: Said) => void stream.send(create(ServerMessageSchema, { message }));

/** `check` throws when the caller may no longer be here: asked at every message, as streams outlive keys. */
export async function runSession(router: Router, stream: Stream, tenant: string, check: () => void = () => {}): Promise<void> {
  let session: Session | undefined;
  const ahead = new Anticipation({ documentsMax: router.ingress.limits.documentsMax }, { router, gone: stream.signal });
  const running = new Set<Promise<void>>();
  using farewell = new Farewell(router.farewells, router, (notice) =>
    say(stream, { case: "status", value: statusMessage(notices[notice.why], "", notice.detail, { graceMs: notice.graceMs }) }),
  );
  const silence = new AbortController();
  using hello = router.clock.timer(router.ingress.helloMs, () => silence.abort());
  try {
    const waits = AbortSignal.any([farewell.over, silence.signal]);
    for await (const { message } of endingWith(waits, stream.frames)) {
      if (!session) {
        if (message.case !== "hello") throw invalid("message", "the first message of a session must be hello");
        session = greet(router, stream, message.value, tenant, farewell.connectionAgeMs);
        session.replaced.addEventListener("abort", () => farewell.replaced(), { once: true });
        hello[Symbol.dispose]();
        continue;
      }
      await atPace(router, stream, session, message, waits);
      if (waits.aborted) break;
      check();
      try {
        handle(router, stream, session, ahead, message, (work) => {
          const watched = work
            .catch((thrown: unknown) => router.log.error({ err: thrown }, "an answer could not be given"))
            .finally(() => running.delete(watched));
          running.add(watched);
        });
      } catch (thrown) {
        refuse(router, stream, session, message, thrown);
      }
      lighten(message);
    }
    if (silence.signal.aborted && !session) throw invalid("hello", `did not come within ${router.ingress.helloMs} ms`);
    // The client half-closed or its time is over: what is still waited for is answered before the stream ends.
    await Promise.all(running);
  } finally {
    if (session) router.ingress.closeSession(session);
  }
}

/** One message is handled when the client's pace allows it and the client reads what was said before. */
async function atPace(
  router: Router,
  stream: Stream,
  session: Session,
  message: ClientMessage["message"],
  over: AbortSignal,
): Promise<void> {
  const pauseMs = session.pause(message);
  if (pauseMs > 0) await router.clock.sleep(pauseMs, over).catch(() => {});
  await untilEither(stream.drained(), over);
}

const notices = {
  draining: Status_Kind.DRAINING,
  age: Status_Kind.RECONNECT,
  replaced: Status_Kind.RECONNECT,
} as const satisfies Record<Notice["why"], Status_Kind>;

function greet(router: Router, stream: Stream, hello: Hello, tenant: string, maxConnectionAgeMs: number): Session {
  const session = router.ingress.openSession(hello, tenant);
  const { documentBytesMax, documentsMax, editsPerMessageMax, contextBytesMax } = router.ingress.limits;
  say(stream, {
    case: "welcome",
    value: {
      $typeName: "slipstream.v1.Welcome",
      protocol: "1",
      resumeToken: session.token,
      held: session.held().map((document) => ({ $typeName: "slipstream.v1.HeldDocument", ...document })),
      limits: { $typeName: "slipstream.v1.Limits", documentBytesMax, documentsMax, editsPerMessageMax, contextBytesMax },
      maxConnectionAgeMs,
    },
  });
  const policy = router.policy.of(tenant);
  say(stream, {
    case: "policy",
    value: {
      $typeName: "slipstream.v1.Policy",
      version: BigInt(policy.version),
      completions: policy.completions,
      languages: [...policy.languages],
      excludedGlobs: [...policy.excludedPaths],
      models: [...router.models(tenant)],
    },
  });
  return session;
}

/** One message. A trigger's work goes on after this returns; `run` keeps it. */
function handle(
  router: Router,
  stream: Stream,
  session: Session,
  ahead: Anticipation,
  message: ClientMessage["message"],
  run: (work: Promise<void>) => void,
): void {
  switch (message.case) {
    case "documentOpen":
      resync(stream, message.value.documentId, session.open(message.value));
      break;
    case "documentEdit":
      resync(stream, message.value.documentId, session.edit(message.value));
      if (keys.has(message.value.origin)) router.rooms.settle.key(session.key, keyMs(message.value, router.clock.now()));
      break;
    case "documentClose":
      session.close(message.value.documentId);
      break;
    case "context":
      session.context(message.value);
      break;
    case "cancel":
      session.find(message.value.triggerId)?.retire(new Retired("cancelled"));
      break;
    case "feedback":
      router.feedback.report(router.ingress.report("feedback.", message.value), session.tenant);
      if (message.value.event === FeedbackEvent.SHOWN) ahead.shown(message.value.completionId);
      break;
    case "trigger": {
      const made = session.trigger(message.value, stream.signal);
      if ("heldVersion" in made) stale(router, stream, session, message.value, made);
      else run(answer(router, stream, session, ahead, made, message.value.traceparent));
      break;
    }
    case "hello":
      throw invalid("hello", "was already said");
    default:
      throw new SlipstreamError("unsupported", "message: this router does not know this kind of message", { field: "message" });
  }
}

/**
 * Whoever waits for the next message holds this one meanwhile, for hours in a window that is only open: so that it does not
 * keep a document's text a second time, and the bytes that it came in a third.
 */
function lighten({ case: kind, value }: ClientMessage["message"]): void {
  if (kind === "documentOpen") Object.assign(value, { text: "", sha256: noBytes });
  else if (kind === "documentEdit") Object.assign(value, { edits: [], sha256After: noBytes });
  else if (kind === "context") value.snippets = [];
}

const noBytes = new Uint8Array();

/** Edits that a key made, as far as the client says. */
const keys: ReadonlySet<EditOrigin> = new Set([EditOrigin.UNSPECIFIED, EditOrigin.TYPED]);

/** By the client's clock, which the network does not blur, where it tells. */
function keyMs({ clientTimeUs }: DocumentEdit, now: number): number {
  return clientTimeUs > 0n ? Number(clientTimeUs) / 1_000 : now;
}

function resync(stream: Stream, documentId: string, mismatch: Mismatch | undefined): void {
  if (mismatch) say(stream, { case: "resync", value: { $typeName: "slipstream.v1.Resync", documentId, ...mismatch } });
}

/** A trigger for a mirror that is not what the client has. */
function stale(router: Router, stream: Stream, session: Session, message: TriggerMessage, mismatch: Mismatch): void {
  resync(stream, message.documentId, mismatch);
  nothing(router, stream, session, message.triggerId, {
    outcome: "refused",
    reason: "resync_needed",
    detail: mismatch.detail,
    usage: noUsage,
  });
}

async function answer(
  router: Router,
  stream: Stream,
  session: Session,
  ahead: Anticipation,
  made: Trigger,
  caller: string,
): Promise<void> {
  const at: Milestones = {};
  const path = router.run(made, at, caller);
  let text = "";
  for (;;) {
    const step = await path.next();
    if (step.done) {
      session.ended(made);
      ahead.delivered(made, step.value, text);
      stream.send(endMessage(made, at, step.value, text, router.clock.now()));
      return;
    }
    text += step.value.text;
    if (made.stream) stream.send(partialMessage(made, step.value.text, text === step.value.text));
  }
}

/** A message that could not be: a trigger gets its Nothing, anything else a Status. */
function refuse(router: Router, stream: Stream, session: Session, message: ClientMessage["message"], thrown: unknown): void {
  const error = SlipstreamError.from(thrown);
  if (error.code === "internal") router.log.error({ err: error.cause ?? error, message: message.case }, "a session message failed");
  const triggerId = message.case === "trigger" ? message.value.triggerId : "";
  // The end of a live trigger is its own: a second one of the same id is told otherwise.
  if (message.case === "trigger" && !session.find(triggerId)) {
    nothing(router, stream, session, triggerId, endingOf(error));
    return;
  }
  const detail = error.code === "internal" ? "internal error; see the router's log" : error.message;
  say(stream, { case: "status", value: statusMessage(Status_Kind.INVALID, error.field ?? "", detail, { triggerId }) });
}

function statusMessage(kind: Status_Kind, field: string, detail: string, { triggerId = "", graceMs = 0 } = {}) {
  return { $typeName: "slipstream.v1.Status" as const, kind, field, detail, graceMs: Math.round(graceMs), triggerId };
}

/** Ends a trigger that never reached the path. */
function nothing(router: Router, stream: Stream, session: Session, triggerId: string, ending: Ending): void {
  router.feedback.refused({ id: triggerId, tenant: session.tenant, session: session.key }, ending);
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
