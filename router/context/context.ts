// context: a Trigger and a budget in, chunks of other code out, in the order they stand in a prompt, without doubles, secrets and
// excluded paths, within the budget and a time. Sources: what the client sent, the session's other open documents, the document
// above the prompt's window. Chosen seldom and kept from key to key, because another choice costs the whole prompt: anew when
// the window or the client's snippets move, or the cursor goes elsewhere. A family that takes no context costs nothing here.
import { hash } from "node:crypto";
import type { Clock } from "../../lib/clock.ts";
import { Lru } from "../../lib/structures/lru.ts";
import { detached } from "../../lib/structures/rope.ts";
import type { Context, Snippet, Trigger } from "../completion.ts";
import { type Candidate, ranked } from "./candidates.ts";
import { OtherDocuments } from "./other-documents.ts";
import { addsTo, linesOf } from "./overlap.ts";
import { words } from "./pieces.ts";
import { SameDocument } from "./same-document.ts";
import { secretIn } from "./secrets.ts";

export interface ContextOptions {
  /** Chunks in one prompt; more dilute it. */
  readonly chunksMax: number;
  /** Characters of a document looked at for chunks: bounds the time spent. */
  readonly scanUtf16Max: number;
  /** What is kept of documents that were read, in all. */
  readonly scansBytes: number;
  /** Of chunks chosen for documents. */
  readonly chosenBytes: number;
  /** No other source is begun after this; the choice is completed at a later key. */
  readonly timeMs: number;
  /** "ranked": chosen anew at every key and the best first, to measure what keeping saves. */
  readonly order: "kept" | "ranked";
}

interface Deps {
  readonly clock: Pick<Clock, "now">;
  /** May this path not be read for this tenant? */
  readonly excludes?: (tenant: string, path: string) => boolean;
}

export interface ContextBudget {
  readonly bytes: number;
  /** What the prompt holds anyway, before the cursor and after it. */
  readonly windowUtf16: number;
  readonly suffixUtf16?: number;
}

interface Chosen {
  readonly candidates: readonly Candidate[];
  readonly context: Context;
  readonly atMs: number;
  readonly cursorUtf16: number;
  readonly bytes: number;
  /** Where the prompt's window began. */
  readonly windowStart: number;
  /** What the client had sent, and its name; weakly, because a choice outlives its session. */
  snippets: WeakRef<readonly Snippet[]>;
  readonly given: string;
  readonly complete: boolean;
}

const documentsMax = 10_000;
/** Objects of a choice. */
const overheadBytes = 512;
/** A header and its line feed, about. */
const headerBytes = 48;
/** Farther than this, some fifty lines, the cursor is elsewhere. */
const elsewhereUtf16 = 2_000;
/** How soon another choice may follow where the person types on. */
const changeMinMs = 10_000;
const completeMinMs = 1_000;
/** Pieces of another document: the second is seldom worth what the first was. */
const perDocumentMax = 2;

export class ContextRoom {
  readonly #options: ContextOptions;
  readonly #deps: Deps;
  readonly #document: SameDocument;
  readonly #others: OtherDocuments;
  readonly #chosen: Lru<Chosen>;
  /** For what is asked as if a text were accepted: the key that follows the acceptance finds it. */
  readonly #ahead: Lru<Chosen>;

  constructor(options: ContextOptions, deps: Deps) {
    this.#options = options;
    this.#deps = deps;
    const { scansBytes, scanUtf16Max } = options;
    const weigh = ({ candidates }: Chosen) => candidates.reduce((sum, { snippet }) => sum + 2 * snippet.text.length, overheadBytes);
    this.#chosen = new Lru({ max: documentsMax, maxWeight: (options.chosenBytes * 3) / 4, weigh });
    this.#ahead = new Lru({ max: documentsMax, maxWeight: options.chosenBytes / 4, weigh });
    this.#document = new SameDocument({ bytesMax: scansBytes >> 1, documentsMax });
    this.#others = new OtherDocuments({ bytesMax: scansBytes >> 1, documentsMax, scanUtf16Max });
  }

  gather(trigger: Trigger, budget: ContextBudget): Context {
    if (budget.bytes <= 0) return { snippets: [] };
    const { document, kind, lane } = trigger;
    const keeps = this.#options.order === "kept";
    const now = this.#deps.clock.now();
    const last = keeps ? this.#chosen.get(document, 0) : undefined;
    const ahead = keeps ? this.#ahead.get(document, 0) : undefined;
    const held = [last, ahead].find((chosen) => chosen && this.#stays(chosen, trigger, budget, now));
    const chosen = held ?? this.#choose(trigger, budget, now, last);
    // A choice made as if a text were accepted stands apart: the person may not accept it.
    const kept = lane === "inline" || kind === "preload" || !last ? this.#chosen : this.#ahead;
    if (chosen !== last && (chosen !== ahead || kept === this.#chosen)) kept.set(document, chosen, 0);
    return chosen.context;
  }

  #stays(before: Chosen, trigger: Trigger, budget: ContextBudget, now: number): boolean {
    if (before.bytes !== budget.bytes || before.windowStart !== windowStart(trigger, budget)) return false;
    if (Math.abs(trigger.text.lengthBefore - before.cursorUtf16) > elsewhereUtf16) return false;
    // What may no longer be read leaves at once, whatever that costs.
    if (before.candidates.some((candidate) => this.#gone(candidate, trigger))) return false;
    const since = now - before.atMs;
    if (since >= changeMinMs && !sameGiven(before, trigger.snippets)) return false;
    return before.complete || since < completeMinMs;
  }

  #gone({ snippet, read }: Candidate, { tenant, neighbours }: Trigger): boolean {
    if (this.#deps.excludes?.(tenant, snippet.path)) return true;
    return read !== undefined && !neighbours.some(({ document, text }) => document === read.document && read.text.deref() === text);
  }

  #choose(trigger: Trigger, budget: ContextBudget, now: number, before: Chosen | undefined): Chosen {
    const { found, complete } = this.#candidates(trigger, budget, now);
    const order = before ? keptFirst(found, before, this.#options.chunksMax) : found;
    const known = new Set(linesOf(trigger.text.before(budget.windowUtf16) + trigger.text.after(budget.suffixUtf16 ?? 1_024)));
    const candidates: Candidate[] = [];
    let left = budget.bytes;
    for (const candidate of order) {
      const { snippet } = candidate;
      const size = Buffer.byteLength(snippet.text) + Buffer.byteLength(snippet.path) + headerBytes;
      if (candidates.length >= this.#options.chunksMax) break;
      if (size > left || secretIn(snippet.text) || !addsTo(known, snippet.text)) continue;
      candidates.push({ ...candidate, snippet: { ...snippet, text: detached(snippet.text) } });
      left -= size;
    }
    const laid = this.#options.order === "kept" ? stableFirst(candidates) : candidates;
    return {
      ...{ candidates, atMs: now, cursorUtf16: trigger.text.lengthBefore, bytes: budget.bytes, complete },
      context: { snippets: laid.map(({ snippet }) => snippet) },
      windowStart: windowStart(trigger, budget),
      ...{ snippets: new WeakRef(trigger.snippets), given: nameOf(trigger.snippets) },
    };
  }

  /** Best first, without what may not be read. */
  #candidates(trigger: Trigger, budget: ContextBudget, now: number): { found: readonly Candidate[]; complete: boolean } {
    const { scanUtf16Max, timeMs } = this.#options;
    const here = words(trigger.text.before(600) + trigger.text.after(200));
    const may = (path: string) => !this.#deps.excludes?.(trigger.tenant, path);
    const late = () => this.#deps.clock.now() - now > timeMs;
    const others = [];
    let complete = true;
    for (const open of trigger.neighbours) {
      if (!may(open.path)) continue;
      if (late()) complete = false;
      else others.push({ open, pieces: this.#others.find(open, here).slice(0, perDocumentMax) });
    }
    const own = late() ? [] : this.#document.find(trigger, here, { windowUtf16: budget.windowUtf16, scanUtf16Max });
    const given = trigger.snippets.filter(({ path }) => may(path));
    return { found: ranked({ given, others, own, here }), complete };
  }
}

/** Calls without a session send the same chunks anew with each key. */
function sameGiven(before: Chosen, snippets: readonly Snippet[]): boolean {
  if (before.snippets.deref() === snippets) return true;
  if (before.given !== nameOf(snippets)) return false;
  before.snippets = new WeakRef(snippets);
  return true;
}

function nameOf(snippets: readonly Snippet[]): string {
  return snippets.length === 0
    ? ""
    : hash("sha256", JSON.stringify(snippets.map(({ path, text, stable }) => [path, text, stable])), "base64");
}

const windowStart = ({ text }: Trigger, { windowUtf16 }: ContextBudget) => Math.max(0, text.lengthBefore - windowUtf16);

/** What was chosen before stays before newcomers, in its order, as long as it is no worse than twice as many. */
function keptFirst(found: readonly Candidate[], before: Chosen, chunksMax: number): readonly Candidate[] {
  const near = found.slice(0, 2 * chunksMax);
  const kept = before.candidates.flatMap(
    ({ snippet }) => near.find((other) => other.snippet.text === snippet.text && other.snippet.path === snippet.path) ?? [],
  );
  return [...kept, ...found.filter((candidate) => !kept.includes(candidate))];
}

function stableFirst(candidates: readonly Candidate[]): readonly Candidate[] {
  return [...candidates].sort((a, b) => Number(b.snippet.stable) - Number(a.snippet.stable));
}
