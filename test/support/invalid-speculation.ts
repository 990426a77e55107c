// invalid-speculation: WorkerPools that would guess tokens in a way that cannot be; of TensorRT-LLM in invalid-tensorrt.ts.
import { cpuPool, draftDigest, pool } from "./cluster-objects.ts";
import { type Invalid, row } from "./invalid-row.ts";

export const invalidSpeculation: readonly Invalid[] = [
  row(
    "a bound by batch that the engine's version has no word for",
    pool((p) => (p.spec.engine.version = "0.19.1")),
    "speculative.disableAboveBatch: vLLM 0.11 to 0.31 cannot be told it",
  ),
  row(
    "a bound by batch that the embedded engine finds itself",
    cpuPool((p) => (p.spec.speculative = { method: "NGram", disableAboveBatch: 4 })),
    "speculative.disableAboveBatch: is only for VLLM and TensorRTLLM",
  ),
  row(
    "a spread draft that TensorRT-LLM is not told of",
    pool((p) => {
      p.spec.engine = { type: "TensorRTLLM" };
      Object.assign(p.spec.speculative, { draftTensorParallel: 1 });
    }),
    "speculative.draftTensorParallel: only vLLM is told it",
  ),
  row(
    "speculation as a raw argument",
    pool((p) => p.spec.engine.args.push("--speculative-config={}")),
    "engine.args: speculation, model, port, host and parallelism have fields of their own",
  ),
  row(
    "a draft method without a draft",
    pool((p) => delete p.spec.speculative.draft),
    "speculative.draft: must be set with method DraftModel and EAGLE3",
  ),
  row(
    "a draft without a method for it",
    pool((p) => (p.spec.speculative.method = "NGram")),
    "speculative.draft: must be set with method DraftModel and EAGLE3, and with no other",
  ),
  row(
    "two drafts",
    pool((p) => (p.spec.speculative.draft.image = `r/d@${draftDigest}`)),
    "speculative.draft: exactly one of cacheRef and image must be set",
  ),
  row(
    "a draft without its revision",
    pool((p) => delete p.spec.speculative.draft.revision),
    "speculative.draft.revision: must be set",
  ),
  row(
    "a draft that is the model",
    pool((p) => (p.spec.speculative.draft.cacheRef = "coder-7b")),
    "speculative.draft: is the model itself",
  ),
  row(
    "nothing guessed, yet disabled above a batch",
    pool((p) => (p.spec.speculative = { method: "None", disableAboveBatch: 8 })),
    "speculative.disableAboveBatch: there is nothing to disable",
  ),
  row(
    "a spread draft without a draft",
    pool((p) => (p.spec.speculative = { method: "MTP", draftTensorParallel: 2 })),
    "speculative.draftTensorParallel: only a draft model",
  ),
  row(
    "seventeen tokens guessed",
    pool((p) => (p.spec.speculative.numTokens = 17)),
    "spec.speculative.numTokens",
    "should be less than or equal to 16",
  ),
  row(
    "an acceptance of two",
    pool((p) => (p.spec.speculative.minAcceptance = "2")),
    "speculative.minAcceptance: is a share, 1 at most",
  ),
  row(
    "a method that the engine lacks",
    cpuPool((p) => (p.spec.speculative = { method: "Suffix" })),
    "speculative.method: this engine does not have it",
  ),
  row(
    "EAGLE-3 over a pipeline in vLLM",
    pool((p) => {
      p.spec.speculative.method = "EAGLE3";
      p.spec.gpu.count = 2;
      p.spec.parallelism = { pipeline: 2 };
    }),
    "parallelism.pipeline: vLLM runs EAGLE-3 only with 1",
  ),
];
