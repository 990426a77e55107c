// running: holes and systems in, a result of each for each out, written as it comes. The systems answer one hole after
// another, in turn, so that a busy minute of the machine falls on all of them. Stops between two answers when told to.

import { scored } from "./metrics.ts";
import type { Parsers } from "./parser.ts";
import type { Judgement } from "./playground.ts";
import type { ResultRow, ResultsFile } from "./results.ts";
import type { Answer, Ask, Hole, SpanKind } from "./span.ts";

export interface Asked {
  readonly hole: Hole;
  readonly kind?: SpanKind;
  /** Results of one package are alike. */
  readonly package: string;
  /** A rule of its own besides the scores. */
  readonly judge?: (text: string) => Judgement;
}

export interface System {
  readonly name: string;
  readonly ask: Ask;
}

export interface RunningOptions {
  readonly keepText: boolean;
}

/** Resolves with whether every hole was asked of every system. */
export async function runEvaluation(
  options: RunningOptions & { readonly asked: readonly Asked[]; readonly systems: readonly System[] },
  deps: { parsers: Parsers; results: ResultsFile; signal: AbortSignal; progress?: (done: number, all: number) => void },
): Promise<boolean> {
  const { asked, systems } = options;
  const { results, signal } = deps;
  for (const [i, one] of asked.entries()) {
    // Whoever is first finds the machine's caches cold: everyone is, in turn.
    const order = systems.map((_, j) => systems[(i + j) % systems.length] as System);
    for (const system of order) {
      if (signal.aborted) return false;
      if (results.has(one.hole.id, system.name)) continue;
      let answer: Answer;
      try {
        answer = await system.ask(one.hole, signal);
      } catch (thrown) {
        if (signal.aborted) return false;
        throw thrown;
      }
      results.add(resultOf(one, system.name, answer, options, deps.parsers));
    }
    deps.progress?.(i + 1, asked.length);
  }
  return true;
}

function resultOf(one: Asked, system: string, answer: Answer, options: RunningOptions, parsers: Parsers): ResultRow {
  const { hole, kind, judge } = one;
  const { text, ...measured } = answer;
  return {
    span: hole.id,
    system,
    language: hole.language,
    ...(kind ? { kind } : {}),
    package: one.package,
    score: { ...scored(hole, text), parses: parsers.parses(hole.language, hole.prefix + text + hole.suffix) },
    ...judge?.(text),
    ...measured,
    ...(options.keepText ? { text } : {}),
  };
}
