// frames: between our nouns and the link's messages (proto/slipstream/v1/worker.proto).
import { create } from "@bufbuild/protobuf";
import { type ErrorCode, errorTable, SlipstreamError } from "../../lib/errors.ts";
import { Finish as FinishMessage, Speculation } from "../../proto/gen/slipstream/v1/completion_pb.ts";
import {
  type Credits,
  type Delta as DeltaMessage,
  Lane as LaneMessage,
  type Load,
  type Refused,
  type RouterFrame,
  RouterFrameSchema,
  type Segment as SegmentMessage,
  type Usage as UsageMessage,
  type WorkerWelcome,
} from "../../proto/gen/slipstream/v1/worker_pb.ts";
import type { Delta, Finish, Lane, Prompt, Segment, Usage, Work } from "../completion.ts";
import { windowBytes } from "./generation.ts";

const laneMessage: Record<Lane, LaneMessage> = {
  inline: LaneMessage.INLINE,
  chat: LaneMessage.CHAT,
  speculative: LaneMessage.SPECULATIVE,
  batch: LaneMessage.BATCH,
};
const speculationMessage = { auto: Speculation.AUTO, always: Speculation.ALWAYS, off: Speculation.OFF } as const;

type Frame = RouterFrame["frame"];
export const routerFrame = (frame: Frame): RouterFrame => create(RouterFrameSchema, { frame });

/** Written out as the messages they are: `create` would copy each once more. */
export function segmentMessages(segments: readonly Segment[]): SegmentMessage[] {
  return segments.map((segment) => ({
    $typeName: "slipstream.v1.Segment",
    part: "special" in segment ? { case: "special", value: segment.special } : { case: "text", value: segment.text },
  }));
}

export function submitFrame(
  id: bigint,
  work: Work,
  prompt: Prompt,
  options: { deadlineMs: number; maxTokensMax: number },
): RouterFrame {
  const { sampling } = work;
  // As with segments.
  return {
    $typeName: "slipstream.v1.RouterFrame",
    frame: {
      case: "submit",
      value: {
        $typeName: "slipstream.v1.Submit",
        id,
        lane: laneMessage[work.lane],
        model: prompt.model,
        segments: segmentMessages(prompt.segments),
        sampling: {
          $typeName: "slipstream.v1.Sampling",
          // A bound, not a wish: the worker refuses what is above its own.
          maxTokens: Math.min(sampling.maxTokens, options.maxTokensMax),
          temperature: sampling.temperature,
          topP: sampling.topP,
          topK: sampling.topK,
          seed: sampling.seed === undefined ? undefined : BigInt(sampling.seed),
          stop: [...prompt.stop],
          speculation: speculationMessage[sampling.speculation],
        },
        deadlineMs: Math.max(1, Math.ceil(options.deadlineMs)),
        affinity: work.document,
        traceparent: work.traceparent ?? "",
        cacheSalt: work.tenant,
        blockDigests: prompt.blocks,
        // Its own controller measures what a draft costs and brings.
        draftDepthHint: 0,
        windowBytes,
        stopAtNewline: work.shape === "line",
      },
    },
  };
}

/** What a Submit may hold. */
export interface Limits {
  readonly promptBytesMax: number;
  readonly maxTokensMax: number;
}

/** 0 says nothing, and neither does a worker that is not there. */
export function limitsOf(welcome: Pick<WorkerWelcome, "promptBytesMax" | "maxTokensMax"> | undefined): Limits {
  return {
    promptBytesMax: welcome?.promptBytesMax || Number.POSITIVE_INFINITY,
    maxTokensMax: welcome?.maxTokensMax || Number.POSITIVE_INFINITY,
  };
}

export function profileOf(welcome: WorkerWelcome) {
  return {
    name: welcome.worker,
    pool: welcome.pool,
    engine: welcome.engine,
    revision: welcome.revision,
    slots: Math.max(1, welcome.slots),
    wantsPrefixes: welcome.wantsPrefixes,
    models: welcome.models.map((model) => ({
      name: model.name,
      fimFamily: model.fimFamily,
      fim: {
        prefix: model.fim?.prefix ?? "",
        suffix: model.fim?.suffix ?? "",
        middle: model.fim?.middle ?? "",
        fileSeparator: model.fim?.fileSeparator ?? "",
        repository: model.fim?.repository ?? "",
      },
      ...(model.specials.length > 0 && { specials: model.specials }),
      contextTokens: model.contextTokens,
      bytesPerToken: model.bytesPerToken > 0 ? model.bytesPerToken : 3,
      ...(welcome.blockTokens > 0 && { blockTokens: welcome.blockTokens }),
      chatTemplate: model.chatTemplate,
      ...(welcome.promptBytesMax > 0 && { promptBytesMax: welcome.promptBytesMax }),
      ...(welcome.maxTokensMax > 0 && { maxTokensMax: welcome.maxTokensMax }),
    })),
  };
}

export function creditsOf({ inline, chat, speculative, batch }: Credits): Record<Lane, number> {
  return { inline, chat, speculative, batch };
}

export function loadOf(load: Load) {
  const { running, prefillTokensPerSecond, stepMs, prefillBacklogTokens, draftSources, draftWhy, draftAcceptance } = load;
  const positions = load.draftPositions.map(({ drafted, accepted }) => ({ drafted, accepted }));
  const speculation = { sources: draftSources, why: draftWhy, acceptance: draftAcceptance, positions };
  return {
    ...{ running, prefillTokensPerSecond, stepMs, prefillBacklogTokens },
    ...(draftWhy === "" && positions.length === 0 ? {} : { speculation }),
  };
}

export function deltaOf({ text, tokens, confidence, prompt }: DeltaMessage): Delta {
  // Every delta's way: no object is made to be copied into another.
  if (!prompt) return confidence === undefined ? { text, tokens } : { text, tokens, confidence };
  const { promptTokens, cachedTokens, recomputedTokens } = prompt;
  const cost = { promptTokens, cachedTokens, recomputedTokens };
  return confidence === undefined ? { text, tokens, prompt: cost } : { text, tokens, confidence, prompt: cost };
}

export function usageOf(message: UsageMessage | undefined): Usage | undefined {
  if (!message) return undefined;
  const { promptTokens, cachedTokens, recomputedTokens, completionTokens, drafted, draftAccepted } = message;
  return { promptTokens, cachedTokens, recomputedTokens, completionTokens, drafted, draftAccepted };
}

const finishes: Readonly<Record<number, Finish>> = {
  [FinishMessage.STOP]: "stop",
  [FinishMessage.LENGTH]: "length",
  [FinishMessage.CUT]: "cut",
  [FinishMessage.DEADLINE]: "deadline",
};
export const finishOf = (message: FinishMessage): Finish => finishes[message] ?? "stop";

/** A refusal as the error it stands for; codes of a newer agent become engine_failed. */
export function errorOf(refused: Refused): SlipstreamError {
  const code: ErrorCode = Object.hasOwn(errorTable, refused.code) ? (refused.code as ErrorCode) : "engine_failed";
  return new SlipstreamError(code, refused.detail || code);
}
