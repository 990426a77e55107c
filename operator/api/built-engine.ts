// built-engine: TensorRT engines of a ModelCache. An engine runs on the kind of GPU, in the version and with the parallelism that it
// was built for and on no other, so these four are its key; a pool with `engine.backend: TensorRT` names none and gets the one of
// its own key.
import { createHash } from "node:crypto";
import { z } from "zod";
import { duration, durationMs, image, name, quantity, version, whole } from "./fields.ts";
import { type Rule, ruled } from "./rules.ts";
import { buildsNone, tensorrtVersion } from "./tensorrt-lines.ts";

const argument = () => z.string().max(1_024);

const convert = z.strictObject({
  script: z
    .string()
    .min(1)
    .max(512)
    .regex(/^\/[^\s]*\.py$/, 'is not a path like "/app/tensorrt_llm/examples/models/core/qwen/convert_checkpoint.py"')
    .describe("Script of the image that turns the model's files into a TensorRT-LLM checkpoint."),
  args: z
    .array(argument())
    .max(32)
    .default([])
    .describe("Further arguments; --model_dir, --output_dir, --tp_size and --pp_size are the operator's."),
});

/** What trtllm-build is told by typed fields. */
const ownFlags = ["--checkpoint_dir", "--output_dir", "--model_config", "--workers"];

interface Built {
  readonly gpuClassRef: string;
  readonly version: string;
  readonly image?: string | undefined;
  readonly prebuilt?: string | undefined;
  readonly tensor: number;
  readonly pipeline: number;
  readonly convert?: unknown;
  readonly args: readonly string[];
  readonly deadline: string;
}

const rules: readonly Rule<Built>[] = [
  {
    cel: `!self.version.matches('${buildsNone}')`,
    message:
      "engines.version: this release of TensorRT-LLM builds no engines; its pools load the model itself (engine.backend PyTorch)",
    holds: (self) => !new RegExp(buildsNone).test(self.version),
  },
  {
    cel: "!has(self.prebuilt) || (self.args.size() == 0 && !has(self.convert) && !has(self.image))",
    message: "engines.prebuilt: is there already, so image, convert and args have no meaning",
    holds: ({ prebuilt, args, convert, image }) =>
      prebuilt === undefined || (args.length === 0 && convert === undefined && image === undefined),
  },
  {
    cel: `self.args.all(arg, ${ownFlags.map((flag) => `!arg.startsWith('${flag}')`).join(" && ")})`,
    message: "engines.args: where the checkpoint is and the engine goes is the operator's",
    holds: ({ args }) => args.every((arg) => !ownFlags.some((flag) => arg.startsWith(flag))),
  },
  {
    cel: "duration(self.deadline) >= duration('1m')",
    message: "engines.deadline: must be at least 1m",
    holds: ({ deadline }) => durationMs(deadline) >= 60_000,
  },
];

export const builtEngine = ruled(
  z.strictObject({
    gpuClassRef: name().describe("GPUClass that it runs on, and on a node of which it is built."),
    version: version(tensorrtVersion).describe("Version of TensorRT-LLM that builds and serves it; the pool's engine.version."),
    image: image().optional().describe("Image of TensorRT-LLM that builds; absent: the published one of the version."),
    prebuilt: image().optional().describe("OCI image whose files are the engine, built elsewhere; nothing is built then."),
    tensor: whole(1, 64).default(1).describe("GPUs that share each layer; the pool's parallelism.tensor."),
    pipeline: whole(1, 16).default(1).describe("Groups of layers; the pool's parallelism.pipeline."),
    convert: convert.optional().describe("What comes before the build; absent: the model's files are a TensorRT-LLM checkpoint."),
    args: z.array(argument()).max(32).default([]).describe("Further arguments of trtllm-build, as --max_batch_size=32."),
    memory: quantity().optional().describe("Memory of the build, request and limit; it holds the weights at least once."),
    deadline: duration().default("2h").describe("Longest time of the build; then it counts as failed."),
    retries: whole(0, 5).default(1).describe("Tries beyond the first."),
  }),
  rules,
);

export type BuiltEngine = z.infer<typeof builtEngine>;

export const engineStorage = z.strictObject({
  size: quantity().describe("Size of the volume; an engine is about as large as the weights it was built of."),
  storageClassName: name().optional().describe("StorageClass of the volume; absent: the cluster's default."),
  accessMode: z
    .enum(["ReadWriteOnce", "ReadWriteMany"])
    .default("ReadWriteMany")
    .describe("How nodes share the volume; ReadWriteOnce keeps builds and pods on one node."),
});

interface Cache {
  readonly engines: readonly Built[];
  readonly engineStorage?: unknown;
}

const same = ["gpuClassRef", "version", "tensor", "pipeline"] as const;

export const engineRules: readonly Rule<Cache>[] = [
  {
    cel: `self.engines.all(one, self.engines.exists_one(other, ${same.map((key) => `one.${key} == other.${key}`).join(" && ")}))`,
    message: "engines: two are of one GPUClass, version, tensor and pipeline",
    holds: ({ engines }) => new Set(engines.map((each) => same.map((key) => each[key]).join())).size === engines.length,
  },
  {
    cel: "has(self.engineStorage) || self.engines.all(engine, has(engine.prebuilt))",
    message: "engineStorage: must be set where an engine is built",
    holds: ({ engines, engineStorage: storage }) =>
      storage !== undefined || engines.every(({ prebuilt }) => prebuilt !== undefined),
  },
];

export const engineStatus = z.strictObject({
  name: z.string().max(64).describe("Directory of the volume, and end of the Job's name: the key and all that it was built from."),
  gpuClass: z.string().max(63).describe("GPUClass that it runs on."),
  version: z.string().max(32).describe("Version of TensorRT-LLM."),
  tensor: whole(1, 64).describe("GPUs that share each layer."),
  pipeline: whole(1, 16).describe("Groups of layers."),
  state: z
    .enum(["Waiting", "Building", "Ready", "Failed"])
    .describe("How far it is; Waiting: for the model's files, or a GPU class."),
  message: z.string().max(1_024).describe("A sentence for a person."),
});

/** What an engine runs with, and with nothing else. */
export interface EngineKey {
  readonly gpuClassRef: string;
  readonly version: string;
  readonly tensor: number;
  readonly pipeline: number;
}

/** Another name is another engine, on the volume and as a Job: whatever it was built from is in it. */
export function engineName(
  { revision, checksum }: { readonly revision: string; readonly checksum?: string | undefined },
  { gpuClassRef, version: built, tensor, pipeline, image: builder, prebuilt, convert: first, args }: BuiltEngine,
): string {
  const from = [revision, checksum, gpuClassRef, built, tensor, pipeline, builder, prebuilt, first, args];
  return createHash("sha256").update(JSON.stringify(from)).digest("hex").slice(0, 10);
}

/** In the words of the fields, for people. */
export const keyInWords = ({ gpuClassRef, version: built, tensor, pipeline }: EngineKey): string =>
  `GPUClass "${gpuClassRef}", TensorRT-LLM ${built}, tensor ${tensor}, pipeline ${pipeline}`;

interface Asking {
  readonly engine: { readonly backend?: string | undefined; readonly version?: string | undefined };
  readonly gpu?: { readonly classRef: string } | undefined;
  readonly parallelism: { readonly tensor: number; readonly pipeline: number };
}

/** The key of the engine that a pool serves; undefined: it loads the model's own files. */
export function askedEngine({ engine, gpu, parallelism: { tensor, pipeline } }: Asking): EngineKey | undefined {
  if (engine.backend !== "TensorRT") return undefined;
  return { gpuClassRef: gpu?.classRef ?? "", version: engine.version ?? tensorrtVersion, tensor, pipeline };
}

/** The engine of a cache that a pool serves. */
export function engineOf(pool: Asking, { engines }: { readonly engines: readonly BuiltEngine[] }): BuiltEngine | undefined {
  const key = askedEngine(pool);
  return key && engines.find((engine) => same.every((field) => engine[field] === key[field]));
}

/** The claim of a cache's engines: each lies in a folder of its name, which pods mount by subPath. */
export const enginesClaimName = (cache: string) => `${cache}-engines`;
