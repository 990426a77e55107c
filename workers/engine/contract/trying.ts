// trying: what the checks of the contract ask with: prompts in the model's own form, generations run to their end, and patience by the
// injected clock.
import type { Clock } from "../../../lib/clock.ts";
import type { Finished, Generation, Model, Piece, Sampling, Segment } from "../../generation.ts";
import type { Engine } from "../engine.ts";
import { sampleCode } from "../sample-code.ts";
import type { Ability, EngineKindName } from "./abilities.ts";

/** An engine that the contract is held against. */
export interface Subject {
  readonly engine: Engine;
  readonly kind: EngineKindName;
  readonly clock: Clock;
  /** Of the abilities that depend on how it was started: those that this one has. */
  readonly has?: readonly Ability[];
  /** Generations that the engine itself runs at once, where they are fewer than its slots. */
  readonly seats?: number;
  /** What it runs by its own count, not the adapter's. */
  readonly counted?: () => number | Promise<number>;
  /** Ends it as a fault would. */
  readonly kill?: () => Promise<unknown>;
}

type Wish = Partial<Omit<Generation, "sampling">> & { readonly sampling?: Partial<Sampling> };

const digestBytes = 8;
const byteBlock = 64;
export const patienceMs = 20_000;

/** Code that no other check asks with: caches are shared where tenants are. */
export function codeOf(title: string, characters = 900): string {
  return `// ${title}\n${sampleCode.repeat(Math.ceil(characters / sampleCode.length)).slice(0, characters)}\n`;
}

export function wish({ engine, clock }: Subject, text: string, { sampling, ...over }: Wish = {}): Generation {
  const model = engine.models[0] as Model;
  const segments = infilling(model, text);
  return {
    ...{ id: 1n, link: "contract", affinity: "", lane: "inline", model: model.name, segments },
    ...{ stopAtNewline: false, deadlineMs: Number.POSITIVE_INFINITY, receivedMs: clock.now(), cacheSalt: "contract" },
    ...{ blockDigests: digestsOf(segments, text), draftDepthHint: 0, traceparent: "" },
    ...over,
    sampling: {
      ...{ maxTokens: 16, temperature: 0, topP: 1, topK: 0, seed: undefined, stop: [], speculation: "auto" },
      ...sampling,
    },
  };
}

/** As far as the model has tokens for it; one for chat alone gets the text. */
export function infilling({ fim }: Model, text: string): Segment[] {
  const special = (token: string): Segment[] => (token === "" ? [] : [{ special: token }]);
  if (fim.prefix === "" || fim.suffix === "") return [{ text }];
  return [...special(fim.suffix), { text: "\n}\n" }, ...special(fim.prefix), { text }, ...special(fim.middle)];
}

/** Names for each 64 bytes of the prompt, of this text alone. */
function digestsOf(segments: readonly Segment[], text: string): Uint8Array {
  const bytes = segments.reduce((sum, part) => sum + Buffer.byteLength("text" in part ? part.text : part.special), 0);
  const digests = Buffer.alloc(Math.floor(bytes / byteBlock) * digestBytes);
  let seed = 7;
  for (const character of text) seed = (Math.imul(seed, 31) + (character.codePointAt(0) as number)) >>> 0;
  for (let at = 0; at < digests.length; at += digestBytes) {
    digests.writeUInt32BE(seed, at);
    digests.writeUInt32BE(at, at + 4);
  }
  return digests;
}

export interface Ran {
  readonly text: string;
  readonly pieces: readonly Piece[];
  readonly end: Finished;
}

export async function ran(
  engine: Engine,
  work: Generation,
  options: { readonly signal?: AbortSignal; readonly piece?: (piece: Piece, count: number) => void } = {},
): Promise<Ran> {
  const pieces: Piece[] = [];
  const running = engine.generate(work, options.signal ?? new AbortController().signal);
  let next = await running.next();
  for (; !next.done; next = await running.next()) {
    pieces.push(next.value);
    options.piece?.(next.value, pieces.length);
  }
  return { text: pieces.map(({ text }) => text).join(""), pieces, end: next.value };
}

/** Asked of a model until it goes on for so long. */
const goesOnTokens = 48;
const textsTried = 8;

/** Code after which the model goes on: what ends by itself soon may be over before anything is done to it. */
export async function goingOn(subject: Subject, title: string): Promise<string> {
  let longest = { text: "", tokens: -1 };
  for (let turn = 0; turn < textsTried && longest.tokens < goesOnTokens; turn++) {
    const text = codeOf(`${title} ${turn}`);
    const { end } = await ran(subject.engine, wish(subject, text, { sampling: { maxTokens: goesOnTokens } }));
    if (end.usage.completionTokens > longest.tokens) longest = { text, tokens: end.usage.completionTokens };
  }
  return longest.text;
}

/** Throws what it waited for. */
export async function until(
  clock: Clock,
  what: string,
  holds: () => boolean | Promise<boolean>,
  withinMs = patienceMs,
): Promise<void> {
  for (const endMs = clock.now() + withinMs; !(await holds()); await clock.sleep(5))
    if (clock.now() > endMs) throw new Error(`not within ${withinMs} ms: ${what}`);
}

/** Nothing runs any more, by its own count where it has one. */
export async function quiet({ engine, clock, counted }: Subject): Promise<void> {
  await until(clock, "the engine is done with it", async () => engine.load().running === 0 && ((await counted?.()) ?? 0) === 0);
}
