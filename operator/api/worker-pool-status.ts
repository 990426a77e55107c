// worker-pool-status: what the operator writes of a WorkerPool, for people, for the scale subresource, and for itself after a restart.
import { z } from "zod";
import { conditions, whole } from "./fields.ts";

const count = (what: string) => whole(0, 100_000).optional().describe(what);

export const workerPoolStatus = z.strictObject({
  observedGeneration: whole(0, Number.MAX_SAFE_INTEGER).optional().describe("The generation that this status is about."),
  replicas: count("Pods there are."),
  readyReplicas: count("Pods that serve."),
  warmReplicas: count("Pods whose warm-up is done."),
  startingReplicas: count("Pods on their way, within their deadline."),
  drainingReplicas: count("Pods that end."),
  updatedReplicas: count("Pods of the newest revision."),
  ready: z.string().max(24).optional().describe("Pods that serve, of those wanted: 2/4."),
  selector: z.string().max(1_024).optional().describe("Label selector of the pods, for the scale subresource."),
  currentRevision: z.string().max(64).optional().describe("Revision that serves."),
  updateRevision: z.string().max(64).optional().describe("Revision of the spec as it is."),
  revisions: z
    .array(
      z.strictObject({
        name: z.string().max(64).describe("Revision."),
        replicas: whole(0, 10_000).describe("Pods wanted of it."),
        ready: whole(0, 10_000).describe("Pods of it that serve."),
      }),
    )
    .max(16)
    .optional()
    .describe("Revisions that have pods."),
  scaling: z
    .strictObject({
      desired: count("Workers wanted now."),
      reason: z.string().max(64).optional().describe("Why so many."),
      lastDecisions: z
        .array(
          z.strictObject({
            time: z.string().max(40).meta({ format: "date-time" }).describe("When."),
            from: whole(0, 10_000).describe("Workers before."),
            to: whole(0, 10_000).describe("Workers since."),
            reason: z.string().max(64).describe("Why, in one word."),
          }),
        )
        .max(10)
        .optional()
        .describe("The last changes of the wanted number, newest first."),
    })
    .optional()
    .describe("How many workers, and why."),
  slo: z
    .strictObject({
      p95: z.string().max(16).optional().describe("95th percentile of the first useful text lately, as routers measured it."),
      attainment: z.string().max(16).optional().describe("Share of the last seconds in which it was within the target."),
    })
    .optional()
    .describe("What people see; absent while no router reports."),
  speculative: z
    .strictObject({ acceptance: z.string().max(16).optional().describe("Share of guessed tokens that were right lately.") })
    .optional()
    .describe("How well tokens are guessed; absent while no router reports."),
  gpu: z.string().max(96).optional().describe("Accelerators of a pod, for people: 2×h100."),
  model: z.string().max(256).optional().describe("Model, for people."),
  conditions: conditions(),
});
