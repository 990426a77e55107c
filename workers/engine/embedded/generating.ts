// generating: one generate or warm message in, pieces out, its end returned. The whole of a generation in the child, in order:
// encode, claim a sequence, prefill what is not cached, decode until it stops, is full or is aborted.
import type { Clock } from "../../../lib/clock.ts";
import { SlipstreamError } from "../../../lib/errors.ts";
import { lanes, noUsage, type Piece, type Usage } from "../../generation.ts";
import type { Speculation } from "../../speculation/speculation.ts";
import { Healing } from "../healing.ts";
import type { Meter } from "../meter.ts";
import { encodePrompt } from "../prompt-tokens.ts";
import { type Text, Utf8Pieces } from "../utf8-pieces.ts";
import { type Chosen, Decoding, type SamplingOptions } from "./decoding.ts";
import { draftChunkFactor } from "./draft-model.ts";
import { Drafting } from "./drafting.ts";
import type { LoadedModel } from "./loaded-model.ts";
import { type Ended, toFailure, type Warm, type Work } from "./messages.ts";
import type { Pace } from "./pace.ts";
import type { Claim, SequencePool } from "./sequence-pool.ts";
import { Speculating } from "./speculating.ts";
import type { Tally } from "./tally.ts";
import type { Turns } from "./turns.ts";

export interface Parts {
  readonly loaded: LoadedModel;
  readonly pool: SequencePool;
  readonly turns: Pick<Turns, "take">;
  readonly chunkTokens: number;
  readonly meter: Meter;
  readonly clock: Clock;
  readonly processorMs: () => number;
  readonly confidenceTokens: number;
  readonly speculation: Speculation;
  readonly tally: Tally;
  readonly pace: Pace;
  /** A seed for a generation that brings none. */
  readonly anySeed: () => number;
  /** Called after each chunk and step. */
  readonly onProgress: () => void;
}

/** More were never worth a verify, on any cost table of docs/decisions. */
export const draftLengthMax = 8;

const greedy: SamplingOptions = { temperature: 0, topP: 1, topK: 0, seed: 0 };

export async function generating(
  work: Work | Warm,
  parts: Parts,
  signal: AbortSignal,
  emit: (piece: Piece) => void,
): Promise<Ended> {
  const { loaded, pool, clock } = parts;
  const usage = noUsage();
  const receivedMs = clock.now();
  const turns = timed(parts.turns, clock, usage);
  let claim: Claim | undefined;
  try {
    const { tokens, takenBack } = encodePrompt(work.segments, loaded, {
      heal: work.kind === "generate",
      completionTokens: work.kind === "generate" ? work.sampling.maxTokens : 1,
    });
    const healing = new Healing(takenBack, loaded);
    usage.promptTokens = tokens.length;
    claim = await pool.claim({ tokens, salt: work.cacheSalt, affinity: work.affinity }, signal);
    usage.queueMs = clock.now() - receivedMs;
    if (!claim) return { kind: "aborted", usage };
    usage.cachedTokens = claim.cached;
    const sampling = work.kind === "warm" ? greedy : { ...work.sampling, seed: work.sampling.seed ?? parts.anySeed() };
    const rank = work.kind === "warm" ? lanes.length : lanes.indexOf(work.lane);
    const { chunkTokens, confidenceTokens } = parts;
    const decoding = new Decoding(
      {
        sequence: claim.sequence,
        rank,
        sampling,
        allowed: () => healing.allowed,
        // Elsewhere text is promised as the model would write it.
        circles: loaded.small && work.kind === "generate" && work.lane === "inline" && sampling.temperature === 0,
        chunkTokens,
        confidenceTokens,
        usage,
      },
      { ...parts, turns, biasTo: loaded.biasTo, biasAgainst: loaded.biasAgainst, endsText: loaded.endsText },
    );
    const first = await decoding.prefill(tokens, claim.cached, signal, work.kind === "generate");
    if (work.kind === "warm") return signal.aborted ? { kind: "aborted", usage } : { kind: "done", finish: "stop", usage };
    if (!first) return { kind: "aborted", usage };

    // A token that only spells again what healing took back is not one of those asked for.
    let wanted = work.sampling.maxTokens;
    const room = loaded.contextTokens - tokens.length;
    const pieces = new Utf8Pieces({ before: tokens, strip: takenBack.text }, loaded);
    let told = false;
    const give = (piece: Text | undefined) => {
      if (!piece) return;
      const { promptTokens, cachedTokens, recomputedTokens } = usage;
      emit(told ? piece : { ...piece, prompt: { promptTokens, cachedTokens, recomputedTokens } });
      told = true;
    };
    const text = [...tokens, first.token];
    const speculating = new Speculating(
      {
        asked: loaded.canTrim ? work.speculation : { mode: "off", lengthMax: 0 },
        lengthMax: draftLengthMax,
        sampled: sampling.temperature > 0,
        rank,
        chunkTokens: chunkTokens * draftChunkFactor,
        text,
        usage,
        left: () => Math.min(wanted, room - usage.completionTokens),
        free: () => healing.allowed === undefined,
      },
      {
        ...parts,
        turns,
        decoding,
        drafting:
          claim.draft &&
          new Drafting({ sequence: claim.draft, chunkTokens: chunkTokens * draftChunkFactor, prompt: tokens }, parts),
      },
    );
    for (let block: readonly Chosen[] | undefined = [first]; block && !signal.aborted; block = await speculating.next(signal)) {
      for (const chosen of block) {
        usage.completionTokens += 1;
        if (loaded.endsText(chosen.token)) {
          give(pieces.flush());
          return { kind: "done", finish: "stop", usage };
        }
        if (!healing.accept(chosen.token, loaded.detokenize([chosen.token], []))) wanted -= 1;
        give(pieces.push(chosen.token, chosen.confidence));
        if (wanted === 0 || usage.completionTokens === room) {
          give(pieces.flush());
          return { kind: "done", finish: "length", usage };
        }
      }
    }
    return { kind: "aborted", usage };
  } catch (thrown) {
    const error =
      thrown instanceof SlipstreamError ? thrown : new SlipstreamError("engine_failed", `llama.cpp: ${messageOf(thrown)}`);
    // What a failed evaluation left in the sequence is unknown: nothing of it is used again.
    if (error.code === "engine_failed")
      for (const sequence of [claim?.sequence, claim?.draft]) await sequence?.clearHistory().catch(() => {});
    return { kind: "failed", error: toFailure(error), usage };
  } finally {
    if (work.kind === "generate" && usage.completionTokens > 0) parts.speculation.finished(usage.completionTokens);
    claim?.release();
  }
}

/** The same turns; the time that this generation has one is its share of the engine. */
function timed(turns: Pick<Turns, "take">, clock: Clock, usage: Usage): Pick<Turns, "take"> {
  return {
    async take(rank, signal) {
      const turn = await turns.take(rank, signal);
      if (!turn) return undefined;
      const sinceMs = clock.now();
      return {
        [Symbol.dispose]: () => {
          usage.engineMs += clock.now() - sinceMs;
          turn[Symbol.dispose]();
        },
      };
    },
  };
}

function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
