// events: what a Tabby client says became of a completion in, our feedback out. It says that a line was taken, not how long the
// line is: the length of each first line is remembered, `linesMax` of them, never the text.
import { create } from "@bufbuild/protobuf";
import { z } from "zod";
import { Lru } from "../../../lib/structures/lru.ts";
import { FeedbackEvent, FeedbackSchema } from "../../../proto/gen/slipstream/v1/completion_pb.ts";
import type { Router } from "../../router.ts";
import type { Call } from "../route.ts";

export const eventBody = z.object({
  type: z.enum(["view", "select", "dismiss"], { error: "must be view, select or dismiss" }),
  completion_id: z.string({ error: "is required" }),
  choice_index: z.number().int().nullish(),
  kind: z.literal("line").nullish(),
  view_id: z.string().nullish(),
  /** Ms that it stood. */
  elapsed: z.number().min(0, "must be at least 0").max(0xffff_ffff, "is too large").nullish(),
});

const linesMax = 20_000;
/** Of each router of this process. */
const firstLines = new WeakMap<Router, Lru<number>>();

export function noted(router: Router, completionId: string, text: string): void {
  let known = firstLines.get(router);
  if (!known) {
    known = new Lru<number>({ max: linesMax });
    firstLines.set(router, known);
  }
  // A first line feed alone is no line of text.
  const end = text.indexOf("\n", text.search(/[^\n]/));
  known.set(completionId, end < 0 ? text.length : end, router.clock.now());
}

/** A completion that nobody remembers changes nothing, and is no error to who tells of it late. */
export function report({ router, tenant, body, request }: Call<z.output<typeof eventBody>>): void {
  const completionId = body.completion_id.replace(/^cmpl-/, "");
  const line = body.kind === "line" || (request.query as { select_kind?: string }).select_kind === "line";
  const taken = line ? FeedbackEvent.PARTIAL : FeedbackEvent.ACCEPTED;
  const event = { view: FeedbackEvent.SHOWN, select: taken, dismiss: FeedbackEvent.REJECTED }[body.type];
  const acceptedUtf16 = event === FeedbackEvent.PARTIAL ? (firstLines.get(router)?.get(completionId, router.clock.now()) ?? 0) : 0;
  const shownMs = Math.round(body.elapsed ?? 0);
  router.feedback.report(
    router.ingress.report("", create(FeedbackSchema, { completionId, event, acceptedUtf16, shownMs })),
    tenant,
  );
}
