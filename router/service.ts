// service: the gRPC handlers of CompletionService. Each checks in at ingress, runs the path and turns deltas and the ending
// into messages. A session's triggers run side by side; its messages are handled in order.
import { create } from "@bufbuild/protobuf";
import { SlipstreamError } from "../lib/errors.ts";
import { type Call, type Mount, mount } from "../lib/grpc/server.ts";
import {
  CompletionService,
  GenerateResponseSchema,
  ReportResponseSchema,
  type ServerMessage,
} from "../proto/gen/slipstream/v1/completion_pb.ts";
import type { Milestones, Trigger } from "./completion.ts";
import { endingOf } from "./feedback/feedback.ts";
import { cacheUseOf, endMessage, finishMessage, outcomeMessage, partialMessage, reasonMessage, timingOf } from "./messages.ts";
import { runSession } from "./session-service.ts";
import type { Router } from "./wire.ts";

const tenantOf = (router: Router, call: Call) => router.ingress.tenant(call.metadata("authorization"));

export function completionService(router: Router): Mount {
  return mount(CompletionService, {
    session: (stream, call) => runSession(router, stream, tenantOf(router, call)),
    async *complete(request, call) {
      const tenant = tenantOf(router, call);
      yield* completeCall(
        router,
        admitted(router, request, tenant, () => router.ingress.complete(request, tenant, call.signal)),
      );
    },
    async *generate(request, call) {
      const tenant = tenantOf(router, call);
      const trigger = admitted(router, { triggerId: request.requestId, sessionId: request.sessionId }, tenant, () =>
        router.ingress.generate(request, tenant, call.signal),
      );
      const at: Milestones = {};
      const path = router.run(trigger, at);
      for (;;) {
        const step = await path.next();
        if (!step.done) {
          yield create(GenerateResponseSchema, { message: { case: "text", value: step.value.text } });
          continue;
        }
        const ending = step.value;
        if (ending.error) throw ending.error;
        yield create(GenerateResponseSchema, {
          message: {
            case: "end",
            value: {
              outcome: outcomeMessage[ending.outcome],
              ...(ending.finish ? { finish: finishMessage[ending.finish] } : {}),
              ...(ending.reason ? { reason: reasonMessage[ending.reason] } : {}),
              detail: ending.detail ?? "",
              cache: cacheUseOf(ending),
              timing: timingOf(trigger, at, router.clock.now()),
            },
          },
        });
        return;
      }
    },
    report: (request, call) => {
      const tenant = tenantOf(router, call);
      if (request.feedback.length > 256)
        return Promise.reject(new SlipstreamError("invalid_request", "feedback: more than 256", { field: "feedback" }));
      const matched = request.feedback.filter((feedback) => router.feedback.report(feedback, tenant)).length;
      return Promise.resolve(create(ReportResponseSchema, { matched, unmatched: request.feedback.length - matched }));
    },
  });
}

/** What ingress refuses is an outcome too, before it becomes the call's status. */
function admitted(router: Router, call: { triggerId: string; sessionId: string }, tenant: string, admit: () => Trigger): Trigger {
  try {
    return admit();
  } catch (thrown) {
    router.feedback.refused(
      { id: call.triggerId.slice(0, 128), tenant, session: `${tenant}/${call.sessionId.slice(0, 128)}` },
      endingOf(thrown),
    );
    throw thrown;
  }
}

/** Runs one stateless trigger; `failed` becomes the call's status, every other outcome a message. */
async function* completeCall(router: Router, trigger: Trigger): AsyncGenerator<ServerMessage> {
  const at: Milestones = {};
  const path = router.run(trigger, at);
  let text = "";
  for (;;) {
    const step = await path.next();
    if (step.done) {
      if (step.value.error) throw step.value.error;
      yield endMessage(trigger, at, step.value, text, router.clock.now());
      return;
    }
    text += step.value.text;
    if (trigger.stream) yield partialMessage(trigger, step.value.text);
  }
}
