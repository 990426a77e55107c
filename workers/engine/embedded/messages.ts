// messages: what the agent's process and the engine's child process say to each other, parsed on both sides. Every text and
// list has a bound; whoever breaks one is ended, because only our own two processes speak here.
import { z } from "zod";
import { type ErrorCode, errorTable, SlipstreamError } from "../../../lib/errors.ts";
import { draftSources, draftWhys, type Finished, lanes } from "../../generation.ts";

/** A prompt of this size is refused before it crosses: no model here has a context for it. */
const promptBytesMax = 4 * 1024 * 1024;
export const segmentsMax = 4096;
/** No token is less than a byte. */
const tokensMax = promptBytesMax;

const id = z.number().int().nonnegative();
const count = z.number().int().nonnegative();
const amount = z.number().nonnegative();
const name = z.string().max(1024);

const segment = z.union([z.object({ text: z.string().max(promptBytesMax) }), z.object({ special: z.string().max(256) })]);

const prompt = { segments: z.array(segment).max(segmentsMax), cacheSalt: name, affinity: name };

const toChild = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("start"),
    modelPath: z.string(),
    modelName: name.optional(),
    draftPath: z.string().optional(),
    /** For measurements: see pace.ts. */
    paceMs: amount,
    threads: z.number().int().min(1).max(1024),
    slots: z.number().int().min(1).max(256),
    chunkTokens: z.number().int().min(1).max(4096),
    contextTokensMax: z.number().int().min(64),
    confidenceTokens: count,
  }),
  z.object({
    kind: z.literal("generate"),
    id,
    lane: z.enum(lanes),
    ...prompt,
    sampling: z.object({
      maxTokens: z.number().int().min(1),
      temperature: amount,
      topP: amount,
      topK: count,
      seed: count.optional(),
    }),
    speculation: z.object({
      mode: z.enum(["auto", "always", "off"]),
      lengthMax: count,
      fixed: z.object({ source: z.enum(draftSources), length: count }).optional(),
    }),
  }),
  z.object({ kind: z.literal("warm"), id, ...prompt }),
  z.object({ kind: z.literal("tokenize"), id, segments: prompt.segments }),
  z.object({ kind: z.literal("abort"), id }),
  z.object({ kind: z.literal("close") }),
]);

const fim = z.object({ prefix: name, suffix: name, middle: name, fileSeparator: name, repository: name });

const model = z.object({
  name,
  fimFamily: name,
  fim,
  specials: z.array(name).max(64).readonly(),
  contextTokens: z.number().int().positive(),
  bytesPerToken: z.number().positive(),
  chatTemplate: z.boolean(),
});

const usage = z.object({
  promptTokens: count,
  cachedTokens: count,
  recomputedTokens: count,
  completionTokens: count,
  drafted: count,
  draftAccepted: count,
  queueMs: amount,
  prefillMs: amount,
  decodeMs: amount,
  engineMs: amount,
});

const load = z.object({
  running: count,
  kvBlocksUsed: count,
  kvBlocks: count,
  prefillTokensPerSecond: amount,
  stepMs: amount,
  prefillBacklogTokens: count,
});

const counts = z.array(count).max(64);

const speculation = z.object({
  drafted: counts,
  accepted: counts,
  passes: z.object({ target: count, draft: count }),
  processorMs: amount,
  sources: z.record(z.enum(draftSources), count),
  whys: z.record(z.enum(draftWhys), count),
  open: z.array(z.enum(draftSources)).max(draftSources.length),
  /** Measured, in ms: a verify by its tokens, a draft pass, a token read for the draft model. */
  costs: z.object({ verify: z.record(z.string().max(8), amount), draft: amount, catchUpPerToken: amount }),
});

const failure = z.object({
  code: z.enum(Object.keys(errorTable) as [ErrorCode, ...ErrorCode[]]),
  message: z.string().max(4096),
  field: name.optional(),
});

const fromChild = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("ready"), model, load, speculation, draft: z.boolean(), speculates: z.boolean() }),
  z.object({ kind: z.literal("refused"), error: failure }),
  z.object({
    kind: z.literal("piece"),
    id,
    text: z.string().max(64 * 1024),
    tokens: z.number().int().positive(),
    confidence: z.number().min(0).max(1.001).optional(),
    prompt: z.object({ promptTokens: count, cachedTokens: count, recomputedTokens: count }).optional(),
  }),
  z.object({
    kind: z.literal("ended"),
    id,
    how: z.discriminatedUnion("kind", [
      z.object({ kind: z.literal("done"), finish: z.enum(["stop", "length"]), usage }),
      z.object({ kind: z.literal("aborted"), usage }),
      z.object({ kind: z.literal("failed"), error: failure, usage }),
    ]),
  }),
  /** Pieces in base64. */
  z.object({
    kind: z.literal("tokens"),
    id,
    ids: z.array(count).max(tokensMax),
    pieces: z.array(z.string().max(1024)).max(tokensMax),
    error: failure.optional(),
  }),
  z.object({ kind: z.literal("load"), load, speculation }),
]);

export type ToChild = z.infer<typeof toChild>;
export type FromChild = z.infer<typeof fromChild>;
export type Start = Extract<ToChild, { kind: "start" }>;
export type Work = Extract<ToChild, { kind: "generate" }>;
export type Warm = Extract<ToChild, { kind: "warm" }>;
export type SpeculationState = Extract<FromChild, { kind: "ready" }>["speculation"];
export type TokensAsked = Extract<ToChild, { kind: "tokenize" }>;
export type Ended = Extract<FromChild, { kind: "ended" }>["how"];
type Failure = z.infer<typeof failure>;

/** KV of the embedded engine is kept by token; a block is the unit in which its use is told. */
export const blockTokens = 16;

export function parseToChild(raw: unknown): ToChild {
  return parsed("agent", toChild.safeParse(raw));
}

export function parseFromChild(raw: unknown): FromChild {
  return parsed("engine child", fromChild.safeParse(raw));
}

function parsed<T>(sender: string, result: { success: true; data: T } | { success: false; error: z.ZodError }): T {
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new SlipstreamError("protocol", `message of the ${sender}: ${issue?.path.join(".")}: ${issue?.message}`);
}

export function toFailure(error: SlipstreamError): Failure {
  const message = error.message.slice(0, 4096);
  return error.field === undefined ? { code: error.code, message } : { code: error.code, message, field: error.field };
}

export function fromFailure(failure: Failure): SlipstreamError {
  return new SlipstreamError(failure.code, failure.message, failure.field === undefined ? {} : { field: failure.field });
}

export function toFinished(ended: Ended): Finished {
  return ended.kind === "failed" ? { ...ended, error: fromFailure(ended.error) } : ended;
}
