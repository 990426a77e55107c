// config-schema: the file of settings that trtllm-serve of a release takes (`--extra_llm_api_options`, `--config`), strictly: a name
// that its pydantic classes do not have is refused, as they refuse it (`StrictBaseModel`, extra="forbid"). Names and their sources:
// config-fields.ts and config-decoding.ts. Values are checked where the operator writes them, and are anything elsewhere.
import { z } from "zod";
import { decoding } from "./config-decoding.ts";
import * as fields from "./config-fields.ts";

export type TensorrtRelease = keyof typeof decoding;
export const tensorrtReleases = Object.keys(decoding) as TensorrtRelease[];

const anything = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, z.unknown().optional()]));
const atLeast = (release: TensorrtRelease, other: TensorrtRelease) =>
  tensorrtReleases.indexOf(release) >= tensorrtReleases.indexOf(other);

const kvCache = (release: TensorrtRelease) =>
  z.strictObject({
    ...anything(fields.kvCache),
    ...anything(atLeast(release, "1.3") ? fields.kvCacheFrom13 : fields.kvCacheBefore13),
    ...anything(atLeast(release, "1.2") ? fields.kvCacheFrom12 : []),
    ...{ enable_block_reuse: z.boolean().optional(), event_buffer_max_size: z.int().min(0).optional() },
  });

const scheduler = (release: TensorrtRelease) =>
  z.strictObject({
    ...anything(fields.scheduler),
    ...(atLeast(release, "1.3")
      ? {
          ...anything(["use_python_scheduler", "enable_prefix_aware_scheduling"]),
          waiting_queue_policy: z.enum(["fcfs", "priority"]).optional(),
        }
      : {}),
  });

/** With the PyTorch backend, which is the default. */
export const tensorrtConfig = (release: TensorrtRelease) =>
  z.strictObject({
    ...anything([...fields.common, ...fields.torch]),
    ...anything(atLeast(release, "1.2") ? fields.torchFrom12 : fields.torchBefore12),
    ...anything(atLeast(release, "1.3") ? fields.torchFrom13 : []),
    ...(atLeast(release, "1.1") ? { return_perf_metrics: z.boolean().optional() } : {}),
    ...(atLeast(release, "1.2") ? { orchestrator_type: z.enum(["rpc", "ray"]).nullish() } : {}),
    ...{ enable_iter_perf_stats: z.boolean().optional(), disable_overlap_scheduler: z.boolean().optional() },
    ...{ kv_cache_config: kvCache(release).optional(), scheduler_config: scheduler(release).optional() },
    speculative_config: decoding[release].nullish(),
  });

/** With the TensorRT backend, of the releases that have it. */
export const tensorrtEngineConfig = (release: Exclude<TensorrtRelease, "1.3" | "1.4">) =>
  z.strictObject({
    ...anything([...fields.common, ...fields.trt]),
    ...{ kv_cache_config: kvCache(release).optional(), scheduler_config: scheduler(release).optional() },
    speculative_config: z.undefined().optional(),
  });
