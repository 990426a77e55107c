// versions: an old and a new text of one file in, a Trace out of a person who makes the one into the other: from the top downwards for
// the most part, what stands at the top (imports) often last, what was taken away elsewhere put there by a paste, the rest typed.
import { invalid } from "../../lib/errors.ts";
import { below, fork, lognormal, type Random, seeded } from "../../lib/random.ts";
import { type Difference, differences } from "./differences.ts";
import { defaultHabits, type Habits, workingTyping } from "./habits.ts";
import { Hand } from "./hand.ts";
import { keysOf } from "./keys.ts";
import type { Typing } from "./parameters.ts";
import { applyEdit } from "./replay.ts";
import { type Trace, traceLimits } from "./trace.ts";

export interface VersionsOptions {
  readonly path: string;
  readonly language: string;
  readonly package?: string;
  readonly old: string;
  readonly now: string;
  readonly seed: number;
  readonly typing?: Partial<Typing>;
  readonly habits?: Partial<Habits>;
}

/** A text at least so long that is taken away here and put there was moved. */
const movedUtf16Min = 30;
/** What is marked and deleted by one key; less is taken back key by key. */
const markedUtf16Min = 12;

export function versionsTrace(options: VersionsOptions): Trace {
  const { path, language, package: part, old, now, seed } = options;
  if (Math.max(old.length, now.length) > traceLimits.documentUtf16Max)
    throw invalid("text", `longer than ${traceLimits.documentUtf16Max} characters`);
  const habits = { ...defaultHabits, ...options.habits };
  const typing = { ...workingTyping, ...options.typing };
  const random = seeded(seed);
  const found = differences(old, now);
  if (found.length === 0) throw invalid("text", "the two versions are the same");
  const choice = fork(random);
  const hand = new Hand({ typing, document: path, cursor: 0 }, { pace: fork(random), slips: fork(random) });
  const removed = new Set(
    found.map(({ start, end }) => known(old.slice(start, end))).filter((text) => text.length >= movedUtf16Min),
  );
  let text = old;
  const done: Difference[] = [];
  for (const [nth, difference] of ordered(found, old.length, habits, choice).entries()) {
    const { start, end, text: added } = difference;
    const at = done.reduce((sum, each) => (each.start < start ? sum + each.text.length - (each.end - each.start) : sum), start);
    done.push(difference);
    if (nth > 0) hand.wait(lognormal(choice, habits.thinkMedianMs, habits.thinkSigma));
    hand.move(at + end - start, "preload");
    hand.wait(400);
    if (end > start) takeAway(hand, text.slice(at, at + end - start));
    text = applyEdit(text, { startUtf16: at, endUtf16: at + end - start, text: added });
    if (added === "") continue;
    if (removed.has(known(added))) paste(hand, added);
    else hand.type(keysOf(text.slice(0, at + added.length), at, added.length, true));
  }
  const document = { id: path, path, language, ...(part !== undefined && { package: part }), text: old };
  return { source: "versions", seed, parameters: { ...typing, ...habits }, documents: [document], events: hand.events };
}

/** The lines of moved code, whichever of its like neighbours it was told from. */
const known = (text: string) =>
  text
    .split(/\r?\n/)
    .filter((line) => line.trim() !== "")
    .sort()
    .join("\n");

function takeAway(hand: Hand, text: string): void {
  const keys = keysOf(text, 0, text.length, false).map((key) => key.text.length);
  if (text.length < markedUtf16Min) hand.takeBack(keys.toReversed());
  else hand.replace({ startUtf16: hand.cursor - text.length, endUtf16: hand.cursor, text: "" }, "typed", "auto");
}

function paste(hand: Hand, text: string): void {
  for (let at = 0; at < text.length; at += traceLimits.editUtf16Max) {
    const part = text.slice(at, at + traceLimits.editUtf16Max);
    hand.replace({ startUtf16: hand.cursor, endUtf16: hand.cursor, text: part }, "paste", "auto");
  }
}

/** Downwards, but now and then another place first; the top of the file last, if it is. */
function ordered(found: readonly Difference[], length: number, habits: Habits, random: Random): Difference[] {
  const left = [...found];
  const top = left[0] as Difference;
  const late = left.length > 1 && top.start < length * 0.1 && random.next() < habits.topLastProbability ? left.shift() : undefined;
  const order: Difference[] = [];
  while (left.length > 0)
    order.push(...left.splice(random.next() < habits.elsewhereProbability ? below(random, left.length) : 0, 1));
  return late ? [...order, late] : order;
}
