// child: the engine's process. Messages of the agent in, messages to the agent out. It lives exactly as long as its channel:
// when the agent is gone, however it went, this process ends at once.
import { processorMs, systemClock } from "../../../lib/clock.ts";
import { SlipstreamError } from "../../../lib/errors.ts";
import { below, systemRandom } from "../../../lib/random.ts";
import type { EngineLoad } from "../../generation.ts";
import { Speculation } from "../../speculation/speculation.ts";
import { Meter } from "../meter.ts";
import { sampleCode } from "../sample-code.ts";
import { tokensOf } from "../tokenized.ts";
import { calibrate } from "./calibration.ts";
import { draftLengthMax, generating, type Parts } from "./generating.ts";
import { type LoadedModel, loadModel } from "./loaded-model.ts";
import {
  type FromChild,
  parseToChild,
  type SpeculationState,
  type Start,
  type TokensAsked,
  toFailure,
  type Warm,
  type Work,
} from "./messages.ts";
import { Pace } from "./pace.ts";
import { SequencePool } from "./sequence-pool.ts";
import { Tally } from "./tally.ts";
import { Turns } from "./turns.ts";

/** While generations run, the agent hears of the load this often. */
const loadEveryMs = 50;

/** A big model on a slow machine is ready without it. */
const rehearsalMs = 2_000;
const calibrationMs = 300;

const running = new Map<number, { abort: AbortController; kind: "generate" | "warm" }>();
let parts: Parts | undefined;
let loadSentMs = 0;

// Ctrl-C and a stopping service manager signal the whole group; the agent drains first and then closes the channel.
process.on("SIGINT", () => {});
process.on("SIGTERM", () => {});
// Not process.exit: it waits for llama.cpp's threads, and a model of gigabytes would outlive the agent by seconds.
process.on("disconnect", () => process.kill(process.pid, "SIGKILL"));

process.on("message", (raw: unknown) => {
  const message = parseToChild(raw);
  if (message.kind === "start") void start(message);
  else if (message.kind === "abort") running.get(message.id)?.abort.abort();
  else if (message.kind === "close") process.disconnect();
  else if (message.kind === "tokenize") tokenize(message);
  else void run(message);
});

async function start(options: Start): Promise<void> {
  try {
    const loaded = await loadModel(options);
    parts = partsOf(loaded, options);
    await rehearse(parts);
    const state = { load: loadOf(parts), speculation: speculationOf(parts) };
    send({ kind: "ready", model: loaded.model, ...state, draft: loaded.drafts.length > 0, speculates: loaded.canTrim });
  } catch (thrown) {
    send({ kind: "refused", error: toFailure(SlipstreamError.from(thrown)) });
  }
}

/** One generation nobody asked for: the first pays for llama.cpp's buffers and our cold code, and gives the first rates. */
async function rehearse(rehearsed: Parts): Promise<void> {
  const { loaded, clock } = rehearsed;
  const text = sampleCode.slice(0, loaded.contextTokens);
  const sampling = { maxTokens: 8, temperature: 0, topP: 1, topK: 0 };
  const prompt = { segments: [{ text }], cacheSalt: "", affinity: "" };
  const speculation = { mode: "off", lengthMax: 0 } as const;
  const stop = new AbortController();
  using _timer = clock.timer(rehearsalMs, () => stop.abort());
  const ended = await generating(
    { kind: "generate", id: 0, lane: "inline", ...prompt, sampling, speculation },
    rehearsed,
    stop.signal,
    () => {},
  );
  for (const sequence of loaded.sequences) await sequence.clearHistory();
  await calibrate(loaded, { lengthMax: draftLengthMax, limitMs: calibrationMs }, rehearsed);
  for (const sequence of [...loaded.sequences, ...loaded.drafts]) await sequence.clearHistory();
  if (ended.kind === "failed")
    throw new SlipstreamError("model_unusable", `the model loads but does not run: ${ended.error.message}`);
}

function partsOf(loaded: LoadedModel, options: Start): Parts {
  const random = systemRandom();
  return {
    loaded,
    pool: new SequencePool(loaded, { clock: systemClock }),
    turns: new Turns({ waitingMax: options.slots }),
    chunkTokens: options.chunkTokens,
    meter: new Meter({ clock: systemClock }),
    clock: systemClock,
    processorMs,
    confidenceTokens: options.confidenceTokens,
    speculation: new Speculation({ lengthMax: draftLengthMax }),
    tally: new Tally({ lengthMax: draftLengthMax }),
    pace: new Pace({ targetMs: options.paceMs }, { clock: systemClock }),
    anySeed: () => below(random, 0x1_0000_0000),
    onProgress: () => {
      if (parts && systemClock.now() - loadSentMs >= loadEveryMs) sendLoad(parts);
    },
  };
}

async function run(work: Work | Warm): Promise<void> {
  const { id, kind } = work;
  if (!parts) throw new SlipstreamError("protocol", `${kind} before ready`);
  const { pool } = parts;
  const abort = new AbortController();
  // Warming is a guess: it never takes a sequence from a generation, neither one that waits nor one that comes later.
  if (kind === "generate" && pool.idle === 0) for (const other of running.values()) if (other.kind === "warm") other.abort.abort();
  if (kind === "warm" && pool.idle === 0) abort.abort();
  running.set(id, { abort, kind });
  const ended = await generating(work, parts, abort.signal, (piece) => send({ kind: "piece", id, ...piece }));
  running.delete(id);
  sendLoad(parts);
  send({ kind: "ended", id, how: ended });
}

/** At once: the texts are bounded by who asks, so that no generation waits long. */
function tokenize({ id, segments }: TokensAsked): void {
  try {
    if (!parts) throw new SlipstreamError("protocol", "tokenize before ready");
    const { loaded } = parts;
    const ids = tokensOf(segments, loaded);
    send({ kind: "tokens", id, ids, pieces: ids.map((token) => loaded.pieceOf(token).toString("base64")) });
  } catch (thrown) {
    send({ kind: "tokens", id, ids: [], pieces: [], error: toFailure(SlipstreamError.from(thrown)) });
  }
}

function sendLoad(now: Parts): void {
  loadSentMs = now.clock.now();
  send({ kind: "load", load: loadOf(now), speculation: speculationOf(now) });
}

function loadOf({ pool, meter }: Parts): EngineLoad {
  return {
    running: running.size,
    kvBlocksUsed: pool.blocksUsed,
    kvBlocks: pool.blocks,
    prefillTokensPerSecond: meter.prefillTokensPerSecond,
    stepMs: meter.stepMs,
    prefillBacklogTokens: meter.prefillBacklogTokens,
  };
}

function speculationOf({ tally, speculation }: Parts): SpeculationState {
  return { ...tally.now, open: [...speculation.state.open], costs: speculation.costs.table } as SpeculationState;
}

function send(message: FromChild): void {
  if (process.connected) process.send?.(message);
}
