// invalid-tensorrt: the rows of invalid-objects.ts about TensorRT-LLM, and about lengths by batch.
import { cache, cpuPool, type Loose, pool } from "./cluster-objects.ts";
import type { Invalid } from "./invalid-row.ts";

const trt = (engine: Loose, change: (p: Loose) => void = () => undefined) =>
  pool((p) => {
    Object.assign(p.spec, { engine: { type: "TensorRTLLM", ...engine }, speculative: { method: "None" } });
    change(p);
  });
const drafting = (version: string, speculative: Loose) => trt({ version }, (p) => (p.spec.speculative = speculative));
const engines = (...all: Loose[]) =>
  cache((c) =>
    Object.assign(c.spec, {
      engines: all.map((each) => ({ gpuClassRef: "h100", version: "1.2.1", ...each })),
      engineStorage: { size: "40Gi" },
    }),
  );
const byBatch = (...all: [upTo: number, numTokens: number][]) => all.map(([upTo, numTokens]) => ({ upTo, numTokens }));
const lookups = { method: "NGram", numTokens: 4 };

export const invalidTensorrt: readonly Invalid[] = [
  {
    what: "suffixes in a TensorRT-LLM that has none",
    object: drafting("1.2.1", { method: "Suffix" }),
    says: "speculative.method: TensorRT-LLM 1.0, 1.1, 1.2 does not have Suffix",
  },
  {
    what: "a bound by batch that TensorRT-LLM 1.0 has no word for",
    object: drafting("1.0.0", { ...lookups, disableAboveBatch: 8 }),
    says: "speculative.disableAboveBatch: TensorRT-LLM 1.0 drafts at every load",
  },
  {
    what: "lengths by batch in a TensorRT-LLM that has one length",
    object: drafting("1.1.0", { ...lookups, byBatch: byBatch([4, 4]) }),
    says: "speculative.byBatch: TensorRT-LLM 1.0, 1.1 drafts one length",
  },
  {
    what: "lookups of several lengths in a TensorRT-LLM that has one for them",
    object: drafting("1.3.0rc29", { ...lookups, byBatch: byBatch([4, 4]) }),
    says: "speculative.byBatch: TensorRT-LLM 1.3, 1.4 drafts one length with NGram",
  },
  {
    what: "lengths by batch of a vLLM with one length",
    object: pool((p) => {
      p.spec.engine.version = "0.31.0";
      p.spec.speculative = { ...lookups, byBatch: byBatch([4, 4]) };
    }),
    says: "speculative.byBatch: vLLM takes it from 0.32 on",
  },
  {
    what: "lengths by batch and a bound",
    object: drafting("1.2.1", { ...lookups, disableAboveBatch: 8, byBatch: byBatch([4, 4]) }),
    says: "speculative.byBatch: needs a method, and bounds it itself",
  },
  {
    what: "lengths that grow with the batch",
    object: drafting("1.2.1", { ...lookups, byBatch: byBatch([4, 2], [8, 4]) }),
    says: "speculative.byBatch: where more run, fewer tokens must be guessed",
  },
  {
    what: "two lengths of one batch",
    object: drafting("1.2.1", { ...lookups, byBatch: byBatch([4, 4], [4, 4]) }),
    says: "speculative.byBatch: where more run, fewer tokens must be guessed",
  },
  {
    what: "lengths that never reach the longest",
    object: drafting("1.2.1", { ...lookups, byBatch: byBatch([4, 3]) }),
    says: "speculative.byBatch: its most tokens must be numTokens",
  },
  {
    what: "lengths that the operator shall give, without a method",
    object: drafting("1.3.0rc29", { method: "None", schedule: "Auto" }),
    says: "speculative.schedule: Auto needs a method",
  },
  {
    what: "lengths that the operator shall give and a person has",
    object: drafting("1.2.1", { ...lookups, schedule: "Auto", byBatch: byBatch([4, 4]) }),
    says: "speculative.schedule: with Auto the operator gives the lengths",
  },
  {
    what: "lengths that the operator shall give, and a bound",
    object: drafting("1.2.1", { ...lookups, schedule: "Auto", disableAboveBatch: 8 }),
    says: "speculative.schedule: with Auto the operator gives the lengths",
  },
  {
    what: "lengths by the operator in a TensorRT-LLM that has one length",
    object: drafting("1.1.0", { ...lookups, schedule: "Auto" }),
    says: "speculative.schedule: TensorRT-LLM 1.0, 1.1 drafts one length",
  },
  {
    what: "lengths by the operator in a TensorRT-LLM that has one for lookups",
    object: drafting("1.3.0rc29", { ...lookups, schedule: "Auto" }),
    says: "speculative.schedule: TensorRT-LLM 1.3, 1.4 drafts one length with NGram",
  },
  {
    what: "lengths by the operator in a vLLM with one length",
    object: pool((p) => {
      p.spec.engine.version = "0.31.0";
      p.spec.speculative = { ...lookups, schedule: "Auto" };
    }),
    says: "speculative.schedule: vLLM takes lengths by batch, and with them Auto, from 0.32 on",
  },
  {
    what: "lengths by the operator that nobody watches",
    object: pool((p) => (p.spec.speculative = { ...lookups, schedule: "Auto" })),
    says: "speculative.schedule: Auto needs rollout.canary with Restarts in its abortOn",
  },
  {
    what: "lengths by the operator whose engines may crash",
    object: pool((p) => {
      p.spec.speculative = { ...lookups, schedule: "Auto" };
      p.spec.rollout = { canary: { weight: 10, abortOn: ["SLOMissed"] } };
    }),
    says: "speculative.schedule: Auto needs rollout.canary with Restarts in its abortOn",
  },
  {
    what: "lengths by the operator in an engine that finds them itself",
    object: cpuPool((p) => (p.spec.speculative = { method: "NGram", schedule: "Auto" })),
    says: "speculative.schedule: Auto is only for VLLM and TensorRTLLM",
  },
  {
    what: "lengths by nobody's way",
    object: drafting("1.2.1", { ...lookups, schedule: "Sometimes" }),
    says: "speculative.schedule",
  },
  {
    what: "speculation as a raw setting",
    object: trt({ config: { speculative_config: { decoding_type: "NGram" } } }),
    says: "engine.config: speculation, model, tokenizer, backend and parallelism have fields of their own",
  },
  {
    what: "a second file of settings",
    object: trt({ args: ["--extra_llm_api_options=/x.yaml"] }),
    says: "engine.args: settings' file, backend, tokenizer, protocol and parallelism have fields of their own",
  },
  {
    what: "a TensorRT-LLM before its first release",
    object: trt({ version: "0.21.0" }),
    says: "engine.version: TensorRT-LLM is known from 1.0 on",
  },
  {
    what: "a backend of vLLM",
    object: pool((p) => (p.spec.engine.backend = "PyTorch")),
    says: "engine.backend: is only for type TensorRTLLM",
  },
  {
    what: "a TensorRT backend where it is gone",
    object: trt({ version: "1.3.0rc29", backend: "TensorRT" }),
    says: "engine.backend: this release of TensorRT-LLM has no TensorRT backend any more",
  },
  {
    what: "a built engine that shall draft",
    object: trt({ backend: "TensorRT" }, (p) => (p.spec.speculative = lookups)),
    says: "speculative.method: a built TensorRT engine drafts by none of them",
  },
  {
    what: "a built engine of a model that no cache has",
    object: trt({ backend: "TensorRT" }, (p) => (p.spec.model = { uri: "hf://a/b", revision: p.spec.model.revision })),
    says: "model.cacheRef: must be set with engine.backend TensorRT",
  },
  {
    what: "TensorRT-LLM over several pods without Ray in its version",
    object: trt({ version: "1.1.0", image: "r/trt:1" }, (p) => (p.spec.parallelism = { nodes: 2, tensor: 2 })),
    says: "parallelism.nodes: TensorRT-LLM 1.0, 1.1 is joined over several pods by MPI alone",
  },
  {
    what: "TensorRT-LLM over several pods without an image that has Ray",
    object: trt({ version: "1.2.1" }, (p) => (p.spec.parallelism = { nodes: 2, tensor: 2 })),
    says: "engine.image: must be set where a TensorRT-LLM worker has several pods",
  },
  {
    what: "two engines of one key",
    object: engines({ args: ["--max_batch_size=8"] }, { args: ["--max_batch_size=16"] }),
    says: "engines: two are of one GPUClass, version, tensor and pipeline",
  },
  {
    what: "engines without a volume",
    object: cache((c) => (c.spec.engines = [{ gpuClassRef: "h100", version: "1.2.1" }])),
    says: "engineStorage: must be set where an engine is built",
  },
  {
    what: "an engine of a version that builds none",
    object: engines({ version: "1.3.0" }),
    says: "engines.version: this release of TensorRT-LLM builds no engines",
  },
  {
    what: "an engine that is there and shall be built",
    object: engines({ prebuilt: "r/e:1", args: ["--max_batch_size=8"] }),
    says: "engines.prebuilt: is there already",
  },
  {
    what: "an engine that shall go elsewhere",
    object: engines({ args: ["--output_dir=/x"] }),
    says: "engines.args: where the checkpoint is and the engine goes is the operator's",
  },
  {
    what: "a build in ten seconds",
    object: engines({ deadline: "10s" }),
    says: "engines.deadline: must be at least 1m",
  },
];
