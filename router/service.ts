// service: the gRPC handlers of CompletionService. Each checks in at ingress, runs the path and turns deltas and the ending
// into messages. A session's triggers run side by side; its messages are handled in order.
import { create } from "@bufbuild/protobuf";
import { invalid } from "../lib/errors.ts";
import { type Call, type Mount, mount } from "../lib/grpc/server.ts";
import {
  CompletionService,
  type GenerateResponse,
  type GenerateResponse_End,
  GenerateResponse_EndSchema,
  GenerateResponseSchema,
  ReportResponseSchema,
  type ServerMessage,
} from "../proto/gen/slipstream/v1/completion_pb.ts";
import type { Ending, Milestones, Trigger } from "./completion.ts";
import { cacheUseOf, endMessage, finishMessage, outcomeMessage, partialMessage, reasonMessage, timingOf } from "./messages.ts";
import type { Router } from "./router.ts";
import { runSession } from "./session-service.ts";

const reportsMax = 256;
/** Of a tenant: a connection is one client's, or a proxy's that says for whom it calls. */
const whoCalls = (call: Call) => [call.peer, call.metadata("x-forwarded-for"), call.metadata("user-agent")].join(" ");
const tenantOf = (router: Router, call: Call) => router.ingress.tenant(call.metadata);

export function completionService(router: Router): Mount {
  return mount(CompletionService, {
    session: async (stream, call) => {
      const { tenant, check } = router.ingress.caller(call.metadata);
      await runSession(router, stream, tenant, check);
    },
    async *complete(request, call) {
      const tenant = tenantOf(router, call);
      const trigger = admitted(router, request, tenant, () =>
        router.ingress.complete(request, tenant, call.signal, whoCalls(call)),
      );
      yield* completeCall(router, trigger, call.metadata("traceparent"));
    },
    async *generate(request, call) {
      const tenant = tenantOf(router, call);
      const trigger = admitted(router, { triggerId: request.requestId, sessionId: request.sessionId, lane: "chat" }, tenant, () =>
        router.ingress.generate(request, tenant, call.signal),
      );
      yield* generateCall(router, trigger, call.metadata("traceparent"));
    },
    report: async (request, call) => {
      const tenant = tenantOf(router, call);
      if (request.feedback.length > reportsMax) throw invalid("feedback", `more than ${reportsMax}`);
      const reports = request.feedback.map((report, i) => router.ingress.report(`feedback[${i}].`, report));
      const matched = reports.filter((report) => router.feedback.report(report, tenant)).length;
      return create(ReportResponseSchema, { matched, unmatched: reports.length - matched });
    },
  });
}

/** What ingress refuses is an outcome too, before it becomes the call's status. */
function admitted(
  router: Router,
  call: { triggerId: string; sessionId: string; lane?: Trigger["lane"] },
  tenant: string,
  admit: () => Trigger,
): Trigger {
  try {
    return admit();
  } catch (thrown) {
    const { triggerId, sessionId, lane = "inline" } = call;
    const session = `${tenant}/${sessionId.slice(0, 128)}`;
    router.refused({ id: triggerId.slice(0, 128), tenant, session, lane }, thrown);
    throw thrown;
  }
}

/** Runs one stateless trigger; `failed` becomes the call's status, every other outcome a message. */
async function* completeCall(router: Router, trigger: Trigger, caller: string | undefined): AsyncGenerator<ServerMessage> {
  const at: Milestones = {};
  const path = router.run(trigger, at, caller);
  let text = "";
  try {
    for (;;) {
      const step = await path.next();
      if (step.done) {
        if (step.value.error) throw step.value.error;
        yield endMessage(trigger, at, step.value, text, router.clock.now());
        return;
      }
      text += step.value.text;
      if (trigger.stream) yield partialMessage(trigger, step.value.text, text === step.value.text);
    }
  } finally {
    // A client that leaves between two messages: the trigger ends all the same.
    await path.return(undefined as never);
  }
}

async function* generateCall(router: Router, trigger: Trigger, caller: string | undefined): AsyncGenerator<GenerateResponse> {
  const at: Milestones = {};
  const path = router.run(trigger, at, caller);
  try {
    for (;;) {
      const step = await path.next();
      if (step.done) {
        if (step.value.error) throw step.value.error;
        const end = endOfText(trigger, at, step.value, router.clock.now());
        yield create(GenerateResponseSchema, { message: { case: "end", value: end } });
        return;
      }
      yield create(GenerateResponseSchema, { message: { case: "text", value: step.value.text } });
    }
  } finally {
    await path.return(undefined as never);
  }
}

function endOfText(trigger: Trigger, at: Milestones, ending: Ending, now: number): GenerateResponse_End {
  return create(GenerateResponse_EndSchema, {
    outcome: outcomeMessage[ending.outcome],
    ...(ending.finish ? { finish: finishMessage[ending.finish] } : {}),
    ...(ending.reason ? { reason: reasonMessage[ending.reason] } : {}),
    detail: ending.detail ?? "",
    cache: cacheUseOf(ending),
    timing: timingOf(trigger, at, now),
  });
}
