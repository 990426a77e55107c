// special-text: segments in, the one text out that an engine without segments takes, in which no text of a user spells a special
// token of any family: a word joiner is set into each that would. The way back takes it out of what the model writes. Both are
// exact: a spelling that held joiners already gets one more, and gives one back.
import { families } from "./families.ts";
import { escaped, specialsOf } from "./form.ts";
import type { Segment } from "./render.ts";

/** WORD JOINER: no width, no meaning in code, in no special token. */
const joiner = "\u2060";

const misspelt = families
  .flatMap((family) => family.misspelt ?? [])
  .flatMap(({ prefix, suffix, middle }) => [prefix, suffix, middle]);

/** Every family's, as they stand in a text. One that holds another is broken where that one is. */
const spellings = shortest([...families.flatMap(specialsOf), ...misspelt].map(asWritten));

/**
 * What models spell their tokens like, in bars between angle brackets: some have hundreds that nobody lists, reserved for later.
 * In code such a text is rare, and being broken costs it nothing.
 */
const shape = String.raw`(?:\|[^<>|｜\s]{1,60}\||｜[^<>|｜\s]{1,60}｜)>`;
const beginsShape = /^<(?:[|｜](?:[^<>|｜\s]{0,60}[|｜]?)?)?$/u;
const every = new RegExp([...spellings.map(escaped), `<${shape}`].join("|"), "gu");
/** The first character of a spelling, and the joiners behind it. */
const starts = startsWith(`${joiner}*`);
const joinedStarts = startsWith(`${joiner}+`);

export interface Flat {
  readonly text: string;
  /** A user's text spelled a special token: what the model writes goes through Restored. */
  readonly altered: boolean;
}

export function flat(segments: readonly Segment[]): Flat {
  let text = "";
  let user = "";
  let altered = false;
  const flush = () => {
    const harmless = neutralised(user);
    altered ||= harmless !== user;
    text += harmless;
    user = "";
  };
  for (const segment of segments) {
    // Texts side by side may spell together what neither spells alone.
    if ("text" in segment) user += segment.text;
    else {
      flush();
      text += text === "" ? asWritten(segment.special).trimStart() : asWritten(segment.special);
    }
  }
  flush();
  return { text, altered };
}

export function neutralised(text: string): string {
  return text.replace(starts, (start) => start + joiner);
}

export function restored(text: string): string {
  return text.includes(joiner) ? text.replace(joinedStarts, (start) => start.slice(0, -1)) : text;
}

/** Every special token of any family that the text spells, in its order. */
export function spelledIn(text: string): string[] {
  return text.match(every) ?? [];
}

/** The way back for text that comes in pieces: holds what may yet become a spelling, a few dozen characters at most. */
export class Restored {
  #held = "";

  push(piece: string): string {
    this.#held += piece;
    const from = heldFrom(this.#held);
    const sure = restored(this.#held.slice(0, from));
    this.#held = this.#held.slice(from);
    return sure;
  }

  end(): string {
    const rest = restored(this.#held);
    this.#held = "";
    return rest;
  }
}

const heldUtf16Max = 128;

/** Where the end of the text begins to spell a token, joiners left aside; its length when it does not. */
function heldFrom(text: string): number {
  for (let at = Math.max(0, text.length - heldUtf16Max); at < text.length; at++) {
    const end = text.slice(at);
    const bare = end[0] + end.slice(1).replaceAll(joiner, "");
    if (beginsShape.test(bare) || spellings.some((spelling) => spelling.length > bare.length && spelling.startsWith(bare)))
      return at;
  }
  return text.length;
}

/** A token as it stands in a text: SentencePiece's mark is a space there. */
export function asWritten(special: string): string {
  return special.replace(/^▁/u, " ");
}

function startsWith(joiners: string): RegExp {
  const alternatives = [...new Set(spellings.map((text) => text[0] as string))].map((first) => {
    const rests = spellings.filter((text) => text.startsWith(first)).map((text) => escaped(text.slice(1)));
    return `${escaped(first)}${joiners}(?=${[...rests, ...(first === "<" ? [shape] : [])].join("|")})`;
  });
  return new RegExp(alternatives.join("|"), "gu");
}

function shortest(texts: readonly string[]): string[] {
  const all = [...new Set(texts)];
  return all.filter((text) => !all.some((other) => other !== text && text.includes(other))).sort((a, b) => b.length - a.length);
}
