// worker-pool: the WorkerPool resource: workers of one model, on one kind of accelerator, for one tier. Carries the scale
// subresource, so that `kubectl scale`, an HPA or KEDA can own `replicas`.
import { z } from "zod";
import {
  decimal,
  duration,
  image,
  intOrPercent,
  labels,
  name,
  passedOn,
  quantity,
  revision,
  toleration,
  uri,
  version,
  whole,
} from "./fields.ts";
import { engineRules, modelRules, poolRules, poolTransitions, rolloutRules, scalingRules } from "./pool-rules.ts";
import { ruled } from "./rules.ts";
import { speculationRules } from "./speculation-rules.ts";
import { tensorrtEngineRules, tensorrtOwn, tensorrtPoolRules } from "./tensorrt-rules.ts";

const model = ruled(
  z.strictObject({
    cacheRef: name().optional().describe("ModelCache of this namespace that holds it."),
    image: image().optional().describe("OCI image whose files are the model, mounted as an image volume."),
    uri: uri().optional().describe("Address that each pod downloads it from before it starts; a ModelCache fetches once."),
    revision: revision().optional().describe("Digest or commit that is served; must be that of the ModelCache."),
    name: z.string().min(1).max(256).optional().describe("What routers and editors call it; absent: the engine's own name for it."),
  }),
  modelRules,
);

const engine = ruled(
  z.strictObject({
    type: z
      .enum(["VLLM", "TensorRTLLM", "Embedded", "Simulated", "OpenAI"])
      .describe(
        "VLLM and TensorRTLLM run in a container beside the agent; Embedded (llama.cpp) and Simulated run in the agent; OpenAI is a server elsewhere.",
      ),
    image: image().optional().describe("Image of the engine; absent: the one this release was tested with."),
    version: version("0.32.0")
      .optional()
      .describe("Version of the engine, which decides how its settings are said to it; absent: that of the default image."),
    backend: z
      .enum(["PyTorch", "TensorRT"])
      .optional()
      .describe(
        "What runs the model of type TensorRTLLM. PyTorch loads the model's own files. TensorRT serves an engine of the ModelCache (its `engines`) for the pool's GPU class, version and parallelism. Absent: PyTorch.",
      ),
    args: z
      .array(z.string().max(1_024))
      .max(64)
      .default([])
      .describe("Further arguments of the engine's server. Speculation, model, port and parallelism have fields of their own."),
    config: passedOn(
      "TensorRT-LLM's own settings (its YAML), as they are, over what the agent needs; docs/reference/tensorrt-llm.md.",
      tensorrtOwn,
    ).optional(),
    endpoint: z
      .string()
      .max(1_024)
      .regex(/^https?:\/\/[^\s]+$/, 'is not an address like "http://host:8000/v1"')
      .optional()
      .describe("Where the OpenAI-compatible server answers; of type OpenAI alone."),
    profile: z
      .enum(["h100-7b-eagle3", "h100-7b-draft", "l40s-3b-eagle3", "l40s-7b-eagle3", "2xh100-32b-eagle3"])
      .optional()
      .describe("GPU and model that type Simulated pretends to be."),
    slots: whole(1, 1_024).default(4).describe("Generations that a worker runs at once."),
  }),
  [...engineRules, ...tensorrtEngineRules],
);

const draft = z.strictObject({
  cacheRef: name().optional().describe("ModelCache of this namespace that holds it."),
  image: image().optional().describe("OCI image whose files are the draft, mounted as an image volume."),
  revision: revision().optional().describe("Digest or commit of the draft."),
});

const speculative = ruled(
  z.strictObject({
    method: z
      .enum(["None", "DraftModel", "EAGLE3", "NGram", "MTP", "Suffix"])
      .default("None")
      .describe(
        "How tokens are guessed before they are verified: a smaller model, an EAGLE-3 head, what stands in the prompt already (NGram, Suffix), the model's own extra heads (MTP).",
      ),
    draft: draft.optional().describe("What drafts, of DraftModel and EAGLE3."),
    numTokens: whole(1, 16).default(4).describe("Tokens guessed at a time."),
    draftTensorParallel: whole(1, 16).optional().describe("GPUs that the draft model is spread over."),
    disableAboveBatch: whole(1, 4_096).optional().describe("Generations at once above which guessing costs more than it saves."),
    byBatch: z
      .array(
        z.strictObject({
          upTo: whole(1, 4_096).describe("Generations at once."),
          numTokens: whole(1, 16).describe("Tokens guessed at a time while there are no more."),
        }),
      )
      .min(1)
      .max(8)
      .optional()
      .describe("Fewer tokens the more run at once; above the last nothing is guessed. Absent: numTokens always, or see schedule."),
    schedule: z
      .enum(["Recommended", "Auto"])
      .default("Recommended")
      .describe(
        "What becomes of lengths by batch that are worked out from what drafts and load measured, where the engine takes such lengths. Recommended: status has them, and somebody may write them as byBatch. Auto: the operator gives them to the engine, by a revision each time, numTokens at most; needs rollout.canary, which takes back what the engine does not hold.",
      ),
    minAcceptance: decimal()
      .optional()
      .describe("Share of guessed tokens that must be accepted; below it the pool is reported as degraded (0 to 1)."),
  }),
  speculationRules,
);

const gpu = z.strictObject({
  classRef: name().describe("GPUClass of the accelerator."),
  count: whole(1, 16).default(1).describe("Devices of one pod."),
  mode: z
    .enum(["DevicePlugin", "DRA"])
    .default("DevicePlugin")
    .describe("Whether pods ask for an extended resource or make a claim."),
});

const scaling = ruled(
  z.strictObject({
    mode: z
      .enum(["Slipstream", "External", "Fixed"])
      .default("Slipstream")
      .describe(
        "Who owns `replicas`: the operator, somebody else by the scale subresource (an HPA, KEDA), or the person who writes it.",
      ),
    minReplicas: whole(0, 1_000).default(1).describe("Fewest workers."),
    maxReplicas: whole(1, 1_000).default(1).describe("Most workers."),
    slo: ruled(
      z.strictObject({
        p95: duration().default("100ms").describe("Time within which 95 of 100 first useful texts shall be there."),
        networkBudget: duration().default("12ms").describe("Share of it that the network between editor and router takes."),
      }),
      [scalingRules.budget],
    )
      .prefault({})
      .describe("What the pool is sized for."),
    headroom: z
      .string()
      .max(16)
      .regex(/^(Auto|[0-9]+(\.[0-9]+)?)$/, 'is neither "Auto" nor a number like "1.5"')
      .default("Auto")
      .describe("Spare capacity in standard deviations of the load, or Auto: learned from what was kept."),
    forecast: z
      .strictObject({ seasonality: z.enum(["None", "Daily", "Weekly"]).default("Daily").describe("What repeats.") })
      .prefault({})
      .describe("What is expected of the hours to come."),
    schedules: z
      .array(
        z.strictObject({
          name: name().describe("Name of the schedule."),
          cron: z.string().max(64).describe('When it begins, as "minute hour day month weekday".'),
          timeZone: z.string().max(64).default("UTC").describe("IANA time zone of `cron`."),
          duration: duration().describe("How long it holds."),
          minReplicas: whole(0, 1_000).describe("Fewest workers meanwhile."),
        }),
      )
      .max(16)
      .default([])
      .describe("Times that are known to be busy."),
    scaleDown: z
      .strictObject({
        hold: duration().default("5m").describe("How long fewer workers must have been enough."),
        step: whole(1, 100).default(1).describe("Workers that leave at a time."),
      })
      .prefault({})
      .describe("How workers leave."),
    spareReplicas: whole(0, 100).default(0).describe("Workers beyond those that the load needs."),
  }),
  scalingRules.all,
);

const rollout = ruled(
  z.strictObject({
    strategy: z
      .enum(["Auto", "Surge", "HandOff"])
      .default("Auto")
      .describe("Surge: a new worker before an old one leaves. HandOff: in its place, where no GPU is free. Auto: as GPUs allow."),
    maxSurge: intOrPercent().default(1).describe("Workers above the wanted number meanwhile."),
    maxUnavailable: intOrPercent().default(0).describe("Workers below the wanted number meanwhile."),
    canary: z
      .strictObject({
        weight: whole(1, 50).describe("Share of the workers, in percent, that become new first."),
        holdFor: duration().default("10m").describe("How long they are watched."),
        abortOn: z
          .array(z.enum(["SLOMissed", "AcceptanceLow", "Restarts", "Failures"]))
          .max(4)
          .default(["SLOMissed", "Restarts", "Failures"])
          .describe(
            "What takes the new revision back: first text is slower than the SLO and than the old revision's, fewer guessed tokens are right than minAcceptance, its containers start again, more of its generations fail than of the old one's.",
          ),
      })
      .optional()
      .describe("First steps of a new revision."),
  }),
  rolloutRules,
);

/** What a person may add to the operator's pod template: all else of it is the operator's. */
const podTemplate = z.strictObject({
  labels: labels("Further labels of the pods.").default({}),
  annotations: labels("Further annotations of the pods.").default({}),
  nodeSelector: labels("Further labels that nodes must have.").default({}),
  tolerations: z.array(toleration).max(16).default([]).describe("Further taints that the pods tolerate."),
  affinity: passedOn("Affinity of the pods, as in a pod.").optional(),
  imagePullSecrets: z.array(name()).max(8).default([]).describe("Secrets for pulling engine and agent."),
  priorityClassName: name().optional().describe("PriorityClass; absent: that of the tier, where the cluster has it."),
  serviceAccountName: name().optional().describe("ServiceAccount of the pods; absent: default. No token is mounted."),
  env: z
    .array(
      z.strictObject({
        name: z
          .string()
          .min(1)
          .max(128)
          .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, "is not a variable's name")
          .describe("Variable."),
        value: z.string().max(1_024).describe("Value."),
      }),
    )
    .max(32)
    .default([])
    .describe("Further environment of the engine."),
  resources: z
    .strictObject({
      cpu: quantity().optional().describe("CPU of the engine (of the agent, where it runs the model itself)."),
      memory: quantity().optional().describe("Memory of it, request and limit."),
      shm: quantity().default("2Gi").describe("Shared memory (/dev/shm), which tensor parallelism needs."),
      cache: quantity().default("10Gi").describe("Writable folder for compiled kernels and temporary files."),
    })
    .prefault({})
    .describe("What the engine may use besides GPUs."),
});

export const workerPoolSpec = ruled(
  z.strictObject({
    tier: z.enum(["Inline", "Chat", "Batch"]).describe("What it serves: completions at typing speed, chat, or work that may wait."),
    model: model.optional().describe("The model; absent only where the engine brings its own."),
    engine: engine.describe("What runs it."),
    speculative: speculative.prefault({}).describe("Guessing tokens ahead, which changes nothing but the speed."),
    gpu: gpu.optional().describe("Accelerators of a pod; absent: CPUs alone."),
    parallelism: z
      .strictObject({
        tensor: whole(1, 64).default(1).describe("GPUs that share each layer."),
        pipeline: whole(1, 16).default(1).describe("Groups of layers."),
        nodes: whole(1, 8).default(1).describe("Pods that are one worker; above 1 as a LeaderWorkerSet."),
      })
      .prefault({})
      .describe("How one worker is spread over GPUs."),
    replicas: whole(0, 1_000)
      .optional()
      .describe(
        "Workers; written by hand in mode Fixed, in mode External the number to begin with, and then the scale subresource's.",
      ),
    scaling: scaling.prefault({}).describe("How many workers there shall be."),
    startup: z
      .strictObject({
        deadline: duration().default("10m").describe("Time from pod to serving; what takes longer is reported as ColdStartSlow."),
        warmup: z
          .strictObject({
            requests: whole(0, 1_000).default(16).describe("Generations that a worker runs before it counts as warm."),
            prefixReplay: whole(0, 10_000)
              .default(0)
              .describe("Prompt prefixes of late that it computes before it counts as warm."),
          })
          .prefault({})
          .describe("What a worker does before editors reach it."),
      })
      .prefault({})
      .describe("From a pod to a worker that serves."),
    rollout: rollout.prefault({}).describe("How workers become those of a new template."),
    drain: z
      .strictObject({ timeout: duration().default("20s").describe("Time for running generations.") })
      .prefault({})
      .describe("How a worker ends."),
    disruption: z
      .strictObject({ minAvailable: intOrPercent().optional().describe("Workers that evictions leave; absent: all but one.") })
      .prefault({})
      .describe("What may be taken away at once."),
    podTemplate: podTemplate.prefault({}).describe("Additions to the pods."),
    agentImage: image().optional().describe("Image of the agent; absent: the operator's own."),
    suspend: z.boolean().default(false).describe("true: no workers, and nothing else is lost."),
  }),
  [...poolRules, ...tensorrtPoolRules],
  poolTransitions,
);

export type WorkerPoolSpec = z.infer<typeof workerPoolSpec>;
