// pool-rules: what must hold between the fields of a WorkerPool, as sentences a person gets back from `kubectl apply`.
import { durationMs } from "./fields.ts";
import { both, immutable, type Rule, type Transition } from "./rules.ts";
import { type Speculative, speculationPoolRules } from "./speculation-rules.ts";

type Model = { cacheRef?: string | undefined; image?: string | undefined; uri?: string | undefined; revision?: string | undefined };

export const modelRules: readonly Rule<Model>[] = [
  both(
    "(has(self.cacheRef) ? 1 : 0) + (has(self.image) ? 1 : 0) + (has(self.uri) ? 1 : 0) == 1",
    "model: exactly one of cacheRef, image and uri must be set",
    ({ cacheRef, image, uri }) => [cacheRef, image, uri].filter((from) => from !== undefined).length === 1,
  ),
  both(
    "has(self.revision)",
    "model.revision: must be set, so that every worker serves the same bytes",
    ({ revision }) => revision !== undefined,
  ),
  both(
    "!has(self.image) || !has(self.revision) || self.image.endsWith('@' + self.revision)",
    "model.image: must end with @ and the revision, so that it is pulled by digest",
    ({ image, revision }) => image === undefined || revision === undefined || image.endsWith(`@${revision}`),
  ),
];

type Engine = {
  type: string;
  version?: string | undefined;
  args: readonly string[];
  config?: unknown;
  endpoint?: string | undefined;
  profile?: string | undefined;
  image?: string | undefined;
};

const ownFlags = ["--speculative", "--model", "--port", "--host", "--tensor-parallel-size", "--pipeline-parallel-size"];

export const engineRules: readonly Rule<Engine>[] = [
  both(
    "(self.type == 'OpenAI') == has(self.endpoint)",
    "engine.endpoint: must be set with type OpenAI, and with no other",
    ({ type, endpoint }) => (type === "OpenAI") === (endpoint !== undefined),
  ),
  both(
    "self.type == 'Simulated' || !has(self.profile)",
    "engine.profile: is only for type Simulated",
    ({ type, profile }) => type === "Simulated" || profile === undefined,
  ),
  both(
    "self.type == 'TensorRTLLM' || !has(self.config)",
    "engine.config: is only for type TensorRTLLM; other engines take args",
    ({ type, config }) => type === "TensorRTLLM" || config === undefined,
  ),
  both(
    "self.type in ['VLLM', 'TensorRTLLM'] || (self.args.size() == 0 && !has(self.image))",
    "engine: args and image are only for types VLLM and TensorRTLLM, which have a container of their own",
    ({ type, args, image }) => type === "VLLM" || type === "TensorRTLLM" || (args.length === 0 && image === undefined),
  ),
  both(
    `self.args.all(arg, ${ownFlags.map((flag) => `!arg.startsWith('${flag}')`).join(" && ")})`,
    "engine.args: speculation, model, port, host and parallelism have fields of their own",
    ({ args }) => args.every((arg) => !ownFlags.some((flag) => arg.startsWith(flag))),
  ),
];

type Scaling = { mode: string; minReplicas: number; maxReplicas: number };

export const scalingRules = {
  budget: both<{ p95: string; networkBudget: string }>(
    "duration(self.p95) - duration(self.networkBudget) >= duration('20ms')",
    "scaling.slo: p95 less networkBudget leaves under 20ms for the router and the engine",
    ({ p95, networkBudget }) => durationMs(p95) - durationMs(networkBudget) >= 20,
  ),
  all: [
    both<Scaling>(
      "self.minReplicas <= self.maxReplicas",
      "scaling.minReplicas: is above scaling.maxReplicas",
      ({ minReplicas, maxReplicas }) => minReplicas <= maxReplicas,
    ),
  ],
};

type Rollout = { maxSurge: number | string; maxUnavailable: number | string };
const isZero = (share: number | string) => share === 0 || share === "0%";

export const rolloutRules: readonly Rule<Rollout>[] = [
  both(
    "!((self.maxSurge == 0 || self.maxSurge == '0%') && (self.maxUnavailable == 0 || self.maxUnavailable == '0%'))",
    "rollout: maxSurge and maxUnavailable are both 0, so nothing could ever be replaced",
    ({ maxSurge, maxUnavailable }) => !(isZero(maxSurge) && isZero(maxUnavailable)),
  ),
];

type Pool = {
  tier: string;
  model?: Model | undefined;
  engine: Engine;
  speculative: Speculative;
  gpu?: { count: number } | undefined;
  parallelism: { tensor: number; pipeline: number; nodes: number };
  replicas?: number | undefined;
  scaling: Scaling;
  startup: { deadline: string };
  drain: { timeout: string };
  rollout: Rollout & { canary?: { abortOn: readonly string[] } | undefined };
};

const accelerated = (type: string) => type === "VLLM" || type === "TensorRTLLM";
export const poolRules: readonly Rule<Pool>[] = [
  both(
    "has(self.model) || self.engine.type in ['Embedded', 'Simulated', 'OpenAI']",
    "model: must be set; only Embedded, Simulated and OpenAI engines bring their own",
    ({ model, engine }) => model !== undefined || !accelerated(engine.type),
  ),
  both(
    "!has(self.model) || !(self.engine.type in ['Simulated', 'OpenAI'])",
    "model: has no meaning for Simulated and OpenAI engines",
    ({ model, engine }) => model === undefined || (engine.type !== "Simulated" && engine.type !== "OpenAI"),
  ),
  both(
    "has(self.gpu) == (self.engine.type in ['VLLM', 'TensorRTLLM'])",
    "gpu: must be set with VLLM and TensorRTLLM engines, and with no other",
    ({ gpu, engine }) => (gpu !== undefined) === accelerated(engine.type),
  ),
  both(
    "self.parallelism.tensor * self.parallelism.pipeline == (has(self.gpu) ? self.gpu.count : 1) * self.parallelism.nodes",
    "parallelism: tensor × pipeline must be gpu.count × nodes",
    ({ parallelism: { tensor, pipeline, nodes }, gpu }) => tensor * pipeline === (gpu?.count ?? 1) * nodes,
  ),
  both(
    "self.parallelism.nodes == 1 || has(self.gpu)",
    "parallelism.nodes: only an engine with GPUs spreads over several pods",
    ({ parallelism, gpu }) => parallelism.nodes === 1 || gpu !== undefined,
  ),
  both(
    "self.parallelism.nodes == 1 || type(self.rollout.maxSurge) == int",
    "rollout.maxSurge: must be a whole number where a worker has several pods",
    ({ parallelism, rollout }) => parallelism.nodes === 1 || typeof rollout.maxSurge === "number",
  ),
  ...speculationPoolRules,
  both(
    "self.scaling.mode != 'Fixed' || has(self.replicas)",
    "replicas: must be set with scaling.mode Fixed",
    ({ scaling, replicas }) => scaling.mode !== "Fixed" || replicas !== undefined,
  ),
  // The scale of an object without a number cannot be read: an HPA would never begin, and say so only in its own conditions.
  both(
    "self.scaling.mode != 'External' || has(self.replicas)",
    "replicas: must be set with scaling.mode External: whoever scales the pool begins from it",
    ({ scaling, replicas }) => scaling.mode !== "External" || replicas !== undefined,
  ),
  both(
    "duration(self.startup.deadline) >= duration('30s')",
    "startup.deadline: must be at least 30s",
    ({ startup }) => durationMs(startup.deadline) >= 30_000,
  ),
  both(
    "duration(self.drain.timeout) <= duration('10m')",
    "drain.timeout: is longer than 10m",
    ({ drain }) => durationMs(drain.timeout) <= 600_000,
  ),
];

export const poolTransitions: readonly Transition[] = [
  immutable("tier"),
  immutable("engine.type"),
  {
    cel: "has(self.gpu) == has(oldSelf.gpu) && (!has(self.gpu) || self.gpu.classRef == oldSelf.gpu.classRef)",
    message: "gpu.classRef cannot be changed; make another pool beside this one and move over",
  },
];
