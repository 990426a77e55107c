// prompts: people who write code in, the prompts that an engine would be asked with out, and when each ends: as the router lays them out for
// families of either order (the router and a pretend GPU under one clock), and as an editor's plugin would that lays out nothing: the
// whole file, what stands before the cursor, then what stands behind it.
import { relative } from "node:path";
import { packageRoot } from "../../lib/package-root.ts";
import { standInFolder } from "../../sim/tensorrt/stand-in.ts";
import { applyEdit } from "../../sim/trace/replay.ts";
import type { Trace } from "../../sim/trace/trace.ts";
import { workingTrace } from "../../sim/trace/working.ts";
import { blockKeys } from "../../workers/engine/block-chain.ts";
import { FileTokenizer } from "../../workers/engine/file-tokenizer.ts";
import { tokensOf } from "../../workers/engine/tokenized.ts";
import { longSources } from "../keys/sources.ts";
import { allOn } from "../keys/switches.ts";
import { VirtualStand } from "../keys/virtual-stand.ts";

export interface PromptsOptions {
  readonly people: number;
  readonly seconds: number;
  readonly seed: number;
  readonly signal: AbortSignal;
  readonly progress?: (text: string) => void;
}

/** A prompt is asked, or the one of that place has ended. */
export type PromptEvent = { readonly atMs: number } & (
  | { readonly tokens: readonly number[]; readonly keys: readonly number[]; readonly document: string; readonly typed: boolean }
  | { readonly ended: number }
);

export const layouts = ["suffix_first", "prefix_first", "not_laid_out"] as const;
export type Layout = (typeof layouts)[number];

export const blockTokens = 32;
const slots = 32;
/** Files of a person, and keys that they have to type at most. */
const filesEach = 3;
const keysEach = 4_000;
/** A plugin asks after so long without a key, and is answered after as long again. */
const pauseMs = 150;

export async function promptsOf(layout: Layout, options: PromptsOptions): Promise<PromptEvent[]> {
  const { people, seed } = options;
  // Prompts name their file: where this package lies must not be in them.
  const files = longSources().map(({ path, ...file }) => ({ ...file, path: relative(packageRoot(), path) }));
  const traces = Array.from({ length: people }, (_, person) => {
    const from = (person * filesEach) % Math.max(1, files.length - filesEach);
    return workingTrace({ sources: files.slice(from, from + filesEach), seed: seed * 1_000 + person, keys: keysEach });
  });
  const tokenizer = await FileTokenizer.open(standInFolder);
  return layout === "not_laid_out" ? asWritten(traces, tokenizer, options) : laidOut(layout, traces, tokenizer, options);
}

async function laidOut(
  layout: Exclude<Layout, "not_laid_out">,
  traces: readonly Trace[],
  tokenizer: FileTokenizer,
  { people, seconds, seed, signal, progress }: PromptsOptions,
): Promise<PromptEvent[]> {
  const events: PromptEvent[] = [];
  const stand = await VirtualStand.start({
    ...{ profile: "h100-7b-eagle3", profileEnd: "mid", workers: 1, slots, seed, agreement: 0.5, traces },
    switches: { ...allOn, layout },
    sent: ({ segments, affinity: document, lane }, atMs) => {
      const tokens = tokensOf(segments, tokenizer);
      const place = events.push({ atMs, tokens, keys: blockKeys(tokens, blockTokens, 0), document, typed: lane === "inline" }) - 1;
      return (endedMs) => events.push({ atMs: endedMs, ended: place });
    },
  });
  try {
    stand.crowd(people);
    for (let passed = 0; passed < seconds; passed += 10) {
      await stand.pass(1_000 * Math.min(10, seconds - passed), signal);
      progress?.(`hints, ${layout}: ${Math.min(seconds, passed + 10)} of ${seconds} seconds`);
    }
  } finally {
    await stand.end();
  }
  return events;
}

function asWritten(traces: readonly Trace[], tokenizer: FileTokenizer, { seconds }: PromptsOptions): PromptEvent[] {
  const lines = new Map<string, readonly number[]>();
  // Line by line: most stay the same from key to key.
  const encoded = (text: string) =>
    text.split(/(?<=\n)/).flatMap((line) => {
      const known = lines.get(line) ?? tokenizer.encodeText(line);
      lines.set(line, known);
      return known;
    });
  const special = (name: string) => tokenizer.specialToken(`<|fim_${name}|>`) ?? 0;
  const asked = traces.flatMap((trace, person) => {
    const texts = new Map(trace.documents.map(({ id, text }) => [id, text]));
    return trace.events.flatMap(({ tMs, document, cursor, edit, trigger }, index) => {
      if (edit) texts.set(document, applyEdit(texts.get(document) ?? "", edit));
      const nextMs = trace.events[index + 1]?.tMs ?? Number.POSITIVE_INFINITY;
      if (!trigger || tMs > seconds * 1_000 || nextMs - tMs < pauseMs) return [];
      const text = texts.get(document) ?? "";
      const parts = [special("prefix"), ...encoded(text.slice(0, cursor)), special("suffix"), ...encoded(text.slice(cursor))];
      return [{ atMs: tMs + pauseMs, tokens: [...parts, special("middle")], document: `${person} ${document}` }];
    });
  });
  const events: PromptEvent[] = [];
  const running: { readonly atMs: number; readonly ended: number }[] = [];
  for (const { tokens, ...each } of asked.sort((a, b) => a.atMs - b.atMs)) {
    while (running[0] && running[0].atMs <= each.atMs) events.push(running.shift() as PromptEvent);
    const place = events.push({ ...each, tokens, keys: blockKeys(tokens, blockTokens, 0), typed: true }) - 1;
    running.push({ atMs: each.atMs + pauseMs, ended: place });
  }
  return [...events, ...running];
}
