// player: traces of typing in, what each key's prompt cost out. Each key goes through the router's own rooms for context and
// prompt, and then to an engine, as if every key were asked for and none were answered from what is known. Edits as an editor
// makes them that closes brackets; four other documents are open beside the one that is typed in.
import { Rope } from "../../lib/structures/rope.ts";
import type { Prompt, Sampling, ServedModel, Trigger } from "../../router/completion.ts";
import { ContextRoom } from "../../router/context/context.ts";
import { type OpenDocument, RopeText } from "../../router/cursor-text.ts";
import { routerMetricTable } from "../../router/metrics.ts";
import { allRules, type LayoutRules, PromptRoom } from "../../router/prompt/prompt.ts";
import { RecordedMetrics } from "../../sim/recorded-metrics.ts";
import { withClosing } from "../../sim/trace/closing.ts";
import { generateTrace, type Source } from "../../sim/trace/generate.ts";
import type { LayoutEngine } from "./engines.ts";

export interface PlayOptions {
  readonly sources: readonly Source[];
  readonly seed: number;
  readonly keysPerSource: number;
  readonly model: ServedModel;
  readonly rules: Partial<LayoutRules>;
  readonly context: "kept" | "ranked" | "none";
}

export interface Played {
  /** Of each key but a document's first, which everybody pays for once. */
  readonly recomputed: readonly number[];
  readonly firstTokens: readonly number[];
  readonly promptTokens: number;
  readonly contextBytes: number;
  /** Share of keys whose cost the router expected within a block. */
  readonly expectedShare: number;
}

const openBeside = 4;
const autoDeadlineMs = 500;
const greedy: Sampling = { maxTokens: 64, temperature: 0, topP: 1, topK: 0, seed: undefined, stop: [], speculation: "auto" };
const typoProbability = 0.02;

export async function play(options: PlayOptions, engine: LayoutEngine, signal: AbortSignal): Promise<Played> {
  const metrics = new RecordedMetrics(routerMetricTable);
  let nowMs = 0;
  const order = options.context === "ranked" ? "ranked" : "kept";
  const context = new ContextRoom(
    { chunksMax: 6, scanUtf16Max: 64 << 10, scansBytes: 24 << 20, chosenBytes: 16 << 20, timeMs: 2, order },
    { clock: { now: () => nowMs } },
  );
  const prompts = new PromptRoom({ rules: { ...allRules, ...options.rules } }, metrics);
  const recomputed: number[] = [];
  const firstTokens: number[] = [];
  let [promptTokens, contextBytes, keys] = [0, 0, 0];
  engine.forget();
  for (const [nth, source] of options.sources.entries()) {
    let first = true;
    for (const trigger of triggersOf(options, nth, source)) {
      signal.throwIfAborted();
      nowMs = trigger.receivedMs;
      const budget = prompts.contextBudget(trigger, options.model);
      const chosen = options.context === "none" ? { snippets: [] } : context.gather(trigger, budget);
      const prompt: Prompt = prompts.render(trigger, chosen, options.model);
      const cost = prompts.send(trigger, prompt, "w");
      const computed = await engine.compute(prompt.segments, trigger.session);
      cost(computed, "w");
      if (first) firstTokens.push(computed.recomputedTokens);
      else recomputed.push(computed.recomputedTokens);
      first = false;
      promptTokens += computed.promptTokens;
      contextBytes += chosen.snippets.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0);
      keys += 1;
    }
  }
  const expected = metrics.count("prompt_expectations_total", { fit: "within_a_block" });
  return {
    ...{ recomputed, firstTokens, promptTokens: promptTokens / keys, contextBytes: contextBytes / keys },
    expectedShare: expected / metrics.count("prompt_expectations_total"),
  };
}

/** A trigger for each key of one person, who types a part of the source again. */
function* triggersOf({ sources, seed, keysPerSource }: PlayOptions, nth: number, source: Source): Generator<Trigger> {
  const typed = generateTrace({ ...source, seed: seed * 1_000 + nth, keys: keysPerSource, typing: { typoProbability } });
  const trace = withClosing(typed);
  const session = `bench/p${nth}`;
  const others = Array.from({ length: openBeside }, (_, i) => sources[(nth + i + 1) % sources.length]).filter(
    (other) => other !== undefined && other !== source,
  ) as Source[];
  const neighbours = others.map(({ path, text }): OpenDocument => ({ document: `${session} ${path}`, path, text: Rope.of(text) }));
  let text = Rope.of(trace.documents[0]?.text ?? "");
  let key = 0;
  for (const { edit, cursor, tMs } of trace.events) {
    if (edit) text = text.replace(edit.startUtf16, edit.endUtf16, edit.text);
    const controller = new AbortController();
    yield {
      ...{ id: `t${key++}`, tenant: "bench", session, document: `${session} d`, kind: "auto", lane: "inline", shape: "auto" },
      ...{ path: source.path, language: source.language, text: new RopeText(text, cursor), snippets: [], neighbours, model: "" },
      ...{ sampling: greedy, n: 1, origin: "typed", acceptProbability: undefined, selected: undefined, indent: undefined },
      ...{ stream: false, stateless: false, previousKeyMs: undefined, receivedMs: tMs, deadlineMs: tMs + autoDeadlineMs },
      ...{ signal: controller.signal, retire: () => {}, release: () => {} },
    };
  }
}
