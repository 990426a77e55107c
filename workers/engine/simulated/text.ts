// text: what a pretend model says. A random source in, lines that look like code out: the rest of the present line first,
// then whole statements, some of them in a block; so that cutting at a statement, a bracket or a blank line has something
// to cut. With a truth (the text the typist goes on to type) it says that, until it errs.
import { below, type Random } from "../../../lib/random.ts";
import { pieces } from "./tokens.ts";

const nouns = ["value", "index", "items", "result", "count", "name", "key", "node", "buffer", "offset", "total", "entry"] as const;
const verbs = ["get", "read", "update", "parse", "find", "merge", "check", "push", "format", "resolve"] as const;
/** Lines before the model stops by itself; most completions are cut or stopped long before. */
const linesMax = 24;

export interface TextOptions {
  /** Chance that a token agrees with the truth, given that all before it did. */
  readonly agreement: number;
  readonly truth: string | undefined;
}

/** Pieces of text, one a token, until the model ends. */
export function* pretendText(random: Random, options: TextOptions): Generator<string, void> {
  for (const piece of options.truth === undefined ? [] : pieces(options.truth)) {
    if (random.next() >= options.agreement) {
      yield* pretendLines(random);
      return;
    }
    yield piece;
  }
  if (options.truth === undefined) yield* pretendLines(random);
}

function* pretendLines(random: Random): Generator<string, void> {
  yield* pieces(`${call(random)};\n`);
  let depth = 1;
  for (let line = 1; line < linesMax; line++) {
    const draw = random.next();
    const indent = "  ".repeat(depth);
    if (draw < 0.1) return;
    if (draw < 0.25 && depth < 4) {
      yield* pieces(`${indent}if (${noun(random)} ${random.next() < 0.5 ? "<" : "==="} ${expression(random)}) {\n`);
      depth += 1;
    } else if (draw < 0.4 && depth > 0) {
      depth -= 1;
      yield* pieces(`${"  ".repeat(depth)}}\n`);
    } else if (draw < 0.5) yield* pieces(`${indent}return ${expression(random)};\n`);
    else if (draw < 0.75) yield* pieces(`${indent}const ${noun(random)} = ${expression(random)};\n`);
    else yield* pieces(`${indent}${call(random)};\n`);
  }
}

const noun = (random: Random): string => nouns[below(random, nouns.length)] as string;

function call(random: Random): string {
  const object = noun(random);
  const verb = verbs[below(random, verbs.length)] as string;
  return random.next() < 0.5 ? `${object}.${verb}(${noun(random)})` : `${verb}(${object}, ${expression(random)})`;
}

function expression(random: Random): string {
  const draw = random.next();
  if (draw < 0.4) return noun(random);
  if (draw < 0.6) return `${noun(random)}.${noun(random)}`;
  if (draw < 0.8) return `${noun(random)} + ${1 + below(random, 9)}`;
  return call(random);
}
