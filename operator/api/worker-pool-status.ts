// worker-pool-status: what the operator writes of a WorkerPool, for people, for the scale subresource, and for itself after a restart.
import { z } from "zod";
import { conditions, whole } from "./fields.ts";

const count = (what: string) => whole(0, 100_000).optional().describe(what);
/** As text: floating point numbers do not survive every client. */
const figure = (what: string) => z.string().max(16).optional().describe(what);
const moment = (what: string) => z.string().max(40).meta({ format: "date-time" }).describe(what);

const lengths = (what: string) =>
  z
    .array(
      z.strictObject({
        upTo: whole(1, 4_096).describe("Generations at once."),
        numTokens: whole(1, 16).describe("Tokens guessed at a time while there are no more."),
      }),
    )
    .max(4)
    .optional()
    .describe(what);

/** From which figures a number of workers was decided. */
const inputs = {
  loadRps: figure("Triggers a second."),
  forecastRps: figure("Triggers a second that are expected when a worker that is asked for now would serve."),
  sloCapacityRps: figure("Triggers a second that a worker serves within the target, as learned."),
  headroomBeta: figure("Headroom, in standard deviations of the load."),
  queued: figure("Triggers that waited for a worker."),
  coldStartP90: figure("Time from a pod to a worker that serves, of nine in ten."),
  predictedP95: figure("First useful text at p95 that the workers there are would have, by the model."),
};

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
      asked: count("Workers that the pool asks for; more than `desired` where GPUs are too few."),
      reason: z.string().max(64).optional().describe("Why so many."),
      ...inputs,
      lastDecisions: z
        .array(
          z.strictObject({
            time: moment("When."),
            from: whole(0, 10_000).describe("Workers before."),
            to: whole(0, 10_000).describe("Workers since."),
            reason: z.string().max(64).describe("Why, in one word."),
            inputs: z.strictObject(inputs).optional().describe("The figures that it was decided from."),
          }),
        )
        .max(10)
        .optional()
        .describe("The last changes of the wanted number, newest first."),
      writers: z
        .array(z.strictObject({ name: z.string().max(128).describe("Field manager."), time: moment("When it last did.") }))
        .max(4)
        .optional()
        .describe("Who wrote `spec.replicas` by the scale subresource lately."),
      memory: z
        .string()
        .max(65_536)
        .optional()
        .describe("What the operator has learned of the load, for itself: after a restart it goes on where it was."),
    })
    .optional()
    .describe("How many workers, and why."),
  rollout: z
    .strictObject({
      revision: z.string().max(64).describe("Revision that the others shall become."),
      way: z
        .enum(["Surge", "HandOff", "Wait", "Canary", "Aborted"])
        .describe("A new worker first, an old one's GPU handed on, neither for now, the first workers watched, or taken back."),
      reason: z.string().max(64).describe("Why, in one word."),
      message: z.string().max(1_024).describe("Why, in a sentence."),
      since: moment("When all of its first workers served.").optional(),
      p95BeforeMs: whole(0, 3_600_000).optional().describe("What first useful text took at p95 before it."),
      promoted: z.boolean().describe("true: its first workers held what they were watched for."),
    })
    .optional()
    .describe("Of two revisions, how the younger takes the place of the elder; absent while there is one."),
  slo: z
    .strictObject({
      p95: z.string().max(16).optional().describe("95th percentile of the first useful text lately, as routers measured it."),
      attainment: z.string().max(16).optional().describe("Share of the last seconds in which it was within the target."),
    })
    .optional()
    .describe("What people see; absent while no router reports."),
  speculative: z
    .strictObject({
      acceptance: z.string().max(16).optional().describe("Share of guessed tokens that were right lately."),
      recommendedTokens: whole(0, 64)
        .optional()
        .describe("speculative.numTokens by which its workers would decode faster, as most of them say; absent: as it is."),
      gain: z.string().max(16).optional().describe("How much faster, by usual costs: 0.12 is 12 %."),
      byBatch: lengths("Lengths by batch that the engines are told, with speculative.schedule Auto; absent: numTokens always."),
      recommendedByBatch: lengths(
        "Lengths by batch that would decode faster over the load of the last day; absent: as it is, or not sure.",
      ),
      byBatchGain: z.string().max(16).optional().describe("How much faster: 0.12 is 12 %."),
      byBatchFrom: z
        .enum(["Positions", "Geometric"])
        .optional()
        .describe(
          "What those were worked out from: how many tokens were right at each place of a draft (Positions), or, where the engine does not say at which, how many in all, each place taken to be right as often as the one before (Geometric).",
        ),
      byBatchMemory: z.string().max(4_096).optional().describe("What was measured for lengths by batch, for the operator itself."),
      on: z.boolean().optional().describe("false: no tokens are guessed now, because too few were right."),
      method: z.string().max(32).optional().describe("The method that `memory` is about."),
      memory: z.string().max(4_096).optional().describe("Since when acceptance is where it is, for the operator itself."),
    })
    .optional()
    .describe("How well tokens are guessed; absent while no worker reports."),
  gpu: z.string().max(96).optional().describe("Accelerators of a pod, for people: 2×h100."),
  model: z.string().max(256).optional().describe("Model, for people."),
  conditions: conditions(),
});
