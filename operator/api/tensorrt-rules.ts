// tensorrt-rules: what must hold of a pool whose engine is TensorRT-LLM. Most of it is what a release line cannot be told
// (tensorrt-lines.ts); the version counts as the published image's where none is said.
import { z } from "zod";
import { passedOn } from "./fields.ts";
import type { Rule } from "./rules.ts";
import { buildsNone, type Drafting, type TensorrtLine, tensorrtLines, tensorrtVersion, versionsThat } from "./tensorrt-lines.ts";

interface Engine {
  readonly type: string;
  readonly version?: string | undefined;
  readonly backend?: string | undefined;
  readonly image?: string | undefined;
  readonly args: readonly string[];
  readonly config?: unknown;
}

interface Pool {
  readonly engine: Engine;
  readonly model?: { readonly cacheRef?: string | undefined } | undefined;
  readonly speculative: {
    readonly method: string;
    readonly schedule: string;
    readonly disableAboveBatch?: number | undefined;
    readonly byBatch?: readonly { readonly upTo: number; readonly numTokens: number }[] | undefined;
  };
  readonly parallelism: { readonly nodes: number };
}

const refused = "Refused: the pool has a field of its own for it.";
const word = () => z.string().max(1_024).optional().describe(refused);
const size = () => z.number().int().optional().describe(refused);

/** Settings of its file that have fields of their own, with the types by which a rule sees them. */
export const tensorrtOwn = {
  ...{ model: word(), tokenizer: word(), backend: word(), tensor_parallel_size: size(), pipeline_parallel_size: size() },
  speculative_config: passedOn(refused).optional(),
};
const ownSettings = Object.keys(tensorrtOwn);

const ownFlags = [
  ...["--backend", "--config", "--extra_llm_api_options", "--tokenizer", "--tp_size", "--tensor_parallel_size"],
  ...["--pp_size", "--pipeline_parallel_size", "--grpc"],
];

const old = "^0[.]";

export const tensorrtEngineRules: readonly Rule<Engine>[] = [
  {
    cel: "self.type == 'TensorRTLLM' || !has(self.backend)",
    message: "engine.backend: is only for type TensorRTLLM",
    holds: ({ type, backend }) => type === "TensorRTLLM" || backend === undefined,
  },
  {
    cel: `self.type != 'TensorRTLLM' || !has(self.version) || !self.version.matches('${old}')`,
    message: "engine.version: TensorRT-LLM is known from 1.0 on",
    holds: ({ type, version = tensorrtVersion }) => type !== "TensorRTLLM" || !new RegExp(old).test(version),
  },
  {
    cel: `!has(self.config) || !(${ownSettings.map((name) => `has(self.config.${name})`).join(" || ")})`,
    message: "engine.config: speculation, model, tokenizer, backend and parallelism have fields of their own",
    holds: ({ config }) => !ownSettings.some((name) => name in Object(config)),
  },
  {
    cel: `self.type != 'TensorRTLLM' || self.args.all(arg, ${ownFlags.map((flag) => `!arg.startsWith('${flag}')`).join(" && ")})`,
    message: "engine.args: settings' file, backend, tokenizer, protocol and parallelism have fields of their own",
    holds: ({ type, args }) => type !== "TensorRTLLM" || args.every((arg) => !ownFlags.some((flag) => arg.startsWith(flag))),
  },
];

/** A rule about pools of releases that lack something. */
function lacking(lacks: (line: TensorrtLine) => boolean, cel: string, message: string, asks: (pool: Pool) => boolean): Rule<Pool> {
  const pattern = versionsThat(lacks);
  const version = `(has(self.engine.version) ? self.engine.version : '${tensorrtVersion}')`;
  return {
    cel: `self.engine.type != 'TensorRTLLM' || !(${cel}) || !${version}.matches('${pattern}')`,
    message,
    holds: (pool) =>
      pool.engine.type !== "TensorRTLLM" || !asks(pool) || !new RegExp(pattern).test(pool.engine.version ?? tensorrtVersion),
  };
}

const namesOf = (are: (line: TensorrtLine) => boolean) =>
  tensorrtLines
    .filter(are)
    .map(({ line }) => line)
    .join(", ");

const methods = Object.keys(tensorrtLines[0]?.decodingTypes ?? {}) as Drafting[];
const withoutMethod = methods.flatMap((method) => {
  const lacks = ({ decodingTypes }: TensorrtLine) => decodingTypes[method] === undefined;
  return tensorrtLines.some(lacks)
    ? [
        lacking(
          lacks,
          `self.speculative.method == '${method}'`,
          `speculative.method: TensorRT-LLM ${namesOf(lacks)} does not have ${method}`,
          ({ speculative }) => speculative.method === method,
        ),
      ]
    : [];
});

const unscheduled = methods.flatMap((method) => {
  const lacks = ({ schedule, scheduled }: TensorrtLine) => schedule !== undefined && !scheduled.includes(method);
  return tensorrtLines.some(lacks)
    ? [
        lacking(
          lacks,
          `has(self.speculative.byBatch) && self.speculative.method == '${method}'`,
          `speculative.byBatch: TensorRT-LLM ${namesOf(lacks)} drafts one length with ${method}; use disableAboveBatch`,
          ({ speculative }) => speculative.byBatch !== undefined && speculative.method === method,
        ),
        lacking(
          lacks,
          `self.speculative.schedule == 'Auto' && self.speculative.method == '${method}'`,
          `speculative.schedule: TensorRT-LLM ${namesOf(lacks)} drafts one length with ${method}; leave Auto out`,
          ({ speculative }) => speculative.schedule === "Auto" && speculative.method === method,
        ),
      ]
    : [];
});

const boundless = ({ bound }: TensorrtLine) => !bound;
const noSchedule = ({ schedule }: TensorrtLine) => schedule === undefined;

const built = ({ engine }: Pool) => engine.backend === "TensorRT";
const isBuilt = "has(self.engine.backend) && self.engine.backend == 'TensorRT'";

export const tensorrtPoolRules: readonly Rule<Pool>[] = [
  ...withoutMethod,
  lacking(
    boundless,
    "has(self.speculative.disableAboveBatch)",
    `speculative.disableAboveBatch: TensorRT-LLM ${namesOf(boundless)} drafts at every load; use a newer engine.version`,
    ({ speculative }) => speculative.disableAboveBatch !== undefined,
  ),
  lacking(
    noSchedule,
    "has(self.speculative.byBatch)",
    `speculative.byBatch: TensorRT-LLM ${namesOf(noSchedule)} drafts one length; use disableAboveBatch, or a newer engine.version`,
    ({ speculative }) => speculative.byBatch !== undefined,
  ),
  lacking(
    noSchedule,
    "self.speculative.schedule == 'Auto'",
    `speculative.schedule: TensorRT-LLM ${namesOf(noSchedule)} drafts one length; leave Auto out, or use a newer engine.version`,
    ({ speculative }) => speculative.schedule === "Auto",
  ),
  ...unscheduled,
  {
    cel: `!(${isBuilt}) || !(has(self.engine.version) ? self.engine.version : '${tensorrtVersion}').matches('${buildsNone}')`,
    message:
      "engine.backend: this release of TensorRT-LLM has no TensorRT backend any more; use PyTorch, which needs no built engine",
    holds: (pool) => !built(pool) || !new RegExp(buildsNone).test(pool.engine.version ?? tensorrtVersion),
  },
  lacking(
    ({ ray }) => !ray,
    "self.parallelism.nodes > 1",
    `parallelism.nodes: TensorRT-LLM ${namesOf(({ ray }) => !ray)} is joined over several pods by MPI alone, which is not done here`,
    ({ parallelism }) => parallelism.nodes > 1,
  ),
  {
    cel: `self.engine.type != 'TensorRTLLM' || self.parallelism.nodes == 1 || (has(self.engine.image) && !(${isBuilt}))`,
    message: "engine.image: must be set where a TensorRT-LLM worker has several pods, to one that has Ray, with backend PyTorch",
    holds: (pool) =>
      pool.engine.type !== "TensorRTLLM" || pool.parallelism.nodes === 1 || (pool.engine.image !== undefined && !built(pool)),
  },
  {
    cel: `!(${isBuilt}) || self.speculative.method == 'None'`,
    message: "speculative.method: a built TensorRT engine drafts by none of them; use None, or engine.backend PyTorch",
    holds: (pool) => !built(pool) || pool.speculative.method === "None",
  },
  {
    cel: `!(${isBuilt}) || (has(self.model) && has(self.model.cacheRef))`,
    message: "model.cacheRef: must be set with engine.backend TensorRT; the ModelCache has the engine",
    holds: (pool) => !built(pool) || pool.model?.cacheRef !== undefined,
  },
];
