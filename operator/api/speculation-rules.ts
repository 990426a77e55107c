// speculation-rules: what must hold of the way a pool guesses tokens, among its own fields and with its engine. What a release line of
// TensorRT-LLM cannot be told is in tensorrt-rules.ts.
import { both, type Rule } from "./rules.ts";
import { tensorrtLine } from "./tensorrt-lines.ts";

export type Speculative = {
  schedule: string;
  method: string;
  draft?: { cacheRef?: string | undefined; image?: string | undefined; revision?: string | undefined } | undefined;
  numTokens: number;
  disableAboveBatch?: number | undefined;
  byBatch?: readonly { upTo: number; numTokens: number }[] | undefined;
  draftTensorParallel?: number | undefined;
  minAcceptance?: string | undefined;
};

const drafts = (method: string) => method === "DraftModel" || method === "EAGLE3";

export const speculationRules: readonly Rule<Speculative>[] = [
  both(
    "(self.method in ['DraftModel', 'EAGLE3']) == has(self.draft)",
    "speculative.draft: must be set with method DraftModel and EAGLE3, and with no other",
    ({ method, draft }) => drafts(method) === (draft !== undefined),
  ),
  both(
    "!has(self.draft) || (has(self.draft.cacheRef) != has(self.draft.image))",
    "speculative.draft: exactly one of cacheRef and image must be set",
    ({ draft }) => draft === undefined || (draft.cacheRef === undefined) !== (draft.image === undefined),
  ),
  both(
    "!has(self.draft) || has(self.draft.revision)",
    "speculative.draft.revision: must be set, so that every worker drafts with the same bytes",
    ({ draft }) => draft === undefined || draft.revision !== undefined,
  ),
  both(
    "self.method != 'None' || !has(self.disableAboveBatch)",
    "speculative.disableAboveBatch: there is nothing to disable with method None",
    ({ method, disableAboveBatch }) => method !== "None" || disableAboveBatch === undefined,
  ),
  both(
    "!has(self.byBatch) || (self.method != 'None' && !has(self.disableAboveBatch))",
    "speculative.byBatch: needs a method, and bounds it itself: leave disableAboveBatch out",
    ({ byBatch, method, disableAboveBatch }) => byBatch === undefined || (method !== "None" && disableAboveBatch === undefined),
  ),
  both(
    "!has(self.byBatch) || self.byBatch.all(one, self.byBatch.all(other, (one.upTo < other.upTo) == (one.numTokens > other.numTokens)) && self.byBatch.exists_one(other, one.upTo == other.upTo))",
    "speculative.byBatch: where more run, fewer tokens must be guessed",
    ({ byBatch = [] }) =>
      new Set(byBatch.map(({ upTo }) => upTo)).size === byBatch.length &&
      byBatch.every((one) => byBatch.every((other) => one.upTo < other.upTo === one.numTokens > other.numTokens)),
  ),
  both(
    "!has(self.byBatch) || (self.byBatch.exists(one, one.numTokens == self.numTokens) && self.byBatch.all(one, one.numTokens <= self.numTokens))",
    "speculative.byBatch: its most tokens must be numTokens",
    ({ byBatch, numTokens }) => byBatch === undefined || Math.max(...byBatch.map((one) => one.numTokens)) === numTokens,
  ),
  both(
    "!has(self.draftTensorParallel) || self.method in ['DraftModel', 'EAGLE3']",
    "speculative.draftTensorParallel: only a draft model can be spread over GPUs",
    ({ method, draftTensorParallel }) => draftTensorParallel === undefined || drafts(method),
  ),
  both(
    "!has(self.minAcceptance) || double(self.minAcceptance) <= 1.0",
    "speculative.minAcceptance: is a share, 1 at most",
    ({ minAcceptance }) => minAcceptance === undefined || Number(minAcceptance) <= 1,
  ),
  both(
    "self.schedule != 'Auto' || self.method != 'None'",
    "speculative.schedule: Auto needs a method",
    ({ schedule, method }) => schedule !== "Auto" || method !== "None",
  ),
  both(
    "self.schedule != 'Auto' || !(has(self.byBatch) || has(self.disableAboveBatch))",
    "speculative.schedule: with Auto the operator gives the lengths; leave byBatch and disableAboveBatch out",
    ({ schedule, byBatch, disableAboveBatch }) => schedule !== "Auto" || (byBatch === undefined && disableAboveBatch === undefined),
  ),
];

/** As far as guessing goes. */
interface Pool {
  readonly engine: { readonly type: string; readonly version?: string | undefined };
  readonly speculative: Speculative;
  readonly model?: { readonly cacheRef?: string | undefined } | undefined;
  readonly parallelism: { readonly pipeline: number };
  readonly rollout: { readonly canary?: { readonly abortOn: readonly string[] } | undefined };
}

const accelerated = (type: string) => type === "VLLM" || type === "TensorRTLLM";
/** Which methods an engine can run. */
const methods: Readonly<Record<string, readonly string[]>> = {
  VLLM: ["None", "DraftModel", "EAGLE3", "NGram", "MTP", "Suffix"],
  TensorRTLLM: ["None", "DraftModel", "EAGLE3", "NGram", "MTP", "Suffix"],
  Embedded: ["None", "DraftModel", "NGram"],
  Simulated: ["None"],
  OpenAI: ["None"],
};
/** Between its first scheduler's word and its second's there was none for a bound by batch. */
const wordless = "^0\\.(1[1-9]|2[0-9]|3[01])([^0-9].*)?$";
/** Its second scheduler's word is a table; the first's was one number. */
const tableless = "^0\\.([0-9]|1[0-9]|2[0-9]|3[01])([^0-9].*)?$";
const matching = (pattern: string) => `self.engine.version.matches('${pattern.replaceAll("\\", "\\\\")}')`;
const quoted = (words: readonly string[]) => `[${words.map((word) => `'${word}'`).join(", ")}]`;

/** Whether the engine takes another length of drafts for each batch, with this method in its version. */
export function takesLengths({ engine, speculative: { method } }: LengthsAsked): boolean {
  const { type, version, backend } = engine;
  if (method === "None") return false;
  if (type === "VLLM") return version === undefined || !new RegExp(tableless).test(version);
  if (type !== "TensorRTLLM" || backend === "TensorRT") return false;
  const { schedule, scheduled } = tensorrtLine(version);
  return schedule !== undefined && scheduled.some((each) => each === method);
}

interface LengthsAsked {
  readonly engine: Pool["engine"] & { readonly backend?: string | undefined };
  readonly speculative: { readonly method: string };
}

export const speculationPoolRules: readonly Rule<Pool>[] = [
  both(
    `self.speculative.method in (${Object.entries(methods)
      .map(([type, can]) => `self.engine.type == '${type}' ? ${quoted(can)} : `)
      .join("")}['None'])`,
    "speculative.method: this engine does not have it",
    ({ speculative, engine }) => methods[engine.type]?.includes(speculative.method) === true,
  ),
  both(
    "!has(self.speculative.disableAboveBatch) || self.engine.type in ['VLLM', 'TensorRTLLM']",
    "speculative.disableAboveBatch: is only for VLLM and TensorRTLLM; the embedded engine finds the bound itself",
    ({ speculative, engine }) => speculative.disableAboveBatch === undefined || accelerated(engine.type),
  ),
  both(
    `!has(self.speculative.disableAboveBatch) || self.engine.type != 'VLLM' || !has(self.engine.version) || !${matching(wordless)}`,
    "speculative.disableAboveBatch: vLLM 0.11 to 0.31 cannot be told it; leave it out, or use 0.32 or newer",
    ({ speculative: { disableAboveBatch }, engine: { type, version } }) =>
      disableAboveBatch === undefined || type !== "VLLM" || version === undefined || !new RegExp(wordless).test(version),
  ),
  both(
    "!has(self.speculative.byBatch) || self.engine.type in ['VLLM', 'TensorRTLLM']",
    "speculative.byBatch: is only for VLLM and TensorRTLLM; the embedded engine finds the lengths itself",
    ({ speculative, engine }) => speculative.byBatch === undefined || accelerated(engine.type),
  ),
  both(
    `!has(self.speculative.byBatch) || self.engine.type != 'VLLM' || !has(self.engine.version) || !${matching(tableless)}`,
    "speculative.byBatch: vLLM takes it from 0.32 on",
    ({ speculative: { byBatch }, engine: { type, version } }) =>
      byBatch === undefined || type !== "VLLM" || version === undefined || !new RegExp(tableless).test(version),
  ),
  both(
    "self.speculative.schedule != 'Auto' || self.engine.type in ['VLLM', 'TensorRTLLM']",
    "speculative.schedule: Auto is only for VLLM and TensorRTLLM; the embedded engine finds the lengths itself",
    ({ speculative, engine }) => speculative.schedule !== "Auto" || accelerated(engine.type),
  ),
  both(
    `self.speculative.schedule != 'Auto' || self.engine.type != 'VLLM' || !has(self.engine.version) || !${matching(tableless)}`,
    "speculative.schedule: vLLM takes lengths by batch, and with them Auto, from 0.32 on",
    ({ speculative: { schedule }, engine: { type, version } }) =>
      schedule !== "Auto" || type !== "VLLM" || version === undefined || !new RegExp(tableless).test(version),
  ),
  both(
    "self.speculative.schedule != 'Auto' || (has(self.rollout.canary) && 'Restarts' in self.rollout.canary.abortOn)",
    "speculative.schedule: Auto needs rollout.canary with Restarts in its abortOn; else lengths that an engine refuses at its start leave a rollout standing",
    ({ speculative: { schedule }, rollout: { canary } }) => schedule !== "Auto" || canary?.abortOn.includes("Restarts") === true,
  ),
  both(
    "!has(self.speculative.draftTensorParallel) || self.engine.type == 'VLLM'",
    "speculative.draftTensorParallel: only vLLM is told it",
    ({ speculative, engine }) => speculative.draftTensorParallel === undefined || engine.type === "VLLM",
  ),
  both(
    "!(self.speculative.method == 'EAGLE3' && self.engine.type == 'VLLM') || self.parallelism.pipeline == 1",
    "parallelism.pipeline: vLLM runs EAGLE-3 only with 1",
    ({ speculative, engine, parallelism }) =>
      !(speculative.method === "EAGLE3" && engine.type === "VLLM") || parallelism.pipeline === 1,
  ),
  both(
    "!has(self.speculative.draft) || !has(self.model) || !has(self.speculative.draft.cacheRef) || !has(self.model.cacheRef) || self.speculative.draft.cacheRef != self.model.cacheRef",
    "speculative.draft: is the model itself, which would save nothing",
    ({ speculative: { draft }, model }) => draft?.cacheRef === undefined || draft.cacheRef !== model?.cacheRef,
  ),
];
