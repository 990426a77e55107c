// tokens: a pretend tokeniser. Text in, pieces of about 3.5 bytes out, each segment apart, as a byte-level BPE cuts code:
// a word or a sign with the space before it, runs of blanks. A cut depends only on the bytes just before it,
// so text that grows at its end keeps all of its pieces but the last. Pieces are chained into block keys as they come.
import type { Segment } from "../../generation.ts";

/** Longest piece of a word; chosen so that TypeScript comes to about 3.5 bytes a piece. */
const wordMax = 12;
const blankMax = 16;
const signMax = 2;

const kind = { word: 0, blank: 1, newline: 2, other: 3 } as const;
const classOf = new Uint8Array(256).map((_, byte) => {
  if (byte === 0x20 || byte === 0x09) return kind.blank;
  if (byte === 0x0a || byte === 0x0d) return kind.newline;
  const letter = (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7a;
  return letter || (byte >= 0x30 && byte <= 0x39) || byte === 0x5f || byte >= 0x80 ? kind.word : kind.other;
});

/** Where the piece that starts at `start` ends. Never inside a UTF-8 character. */
function pieceEnd(bytes: Uint8Array, start: number): number {
  let at = start;
  const first = classOf[bytes[at] as number];
  if (first === kind.newline) return runEnd(bytes, at, kind.newline, 4);
  if (first === kind.blank) {
    const end = runEnd(bytes, at, kind.blank, blankMax);
    const next = end < bytes.length ? classOf[bytes[end] as number] : kind.newline;
    // The last space belongs to what comes after it; a longer run before it is a piece of its own.
    if (next === kind.newline || next === kind.blank || bytes[end - 1] !== 0x20) return end;
    if (end - at > 1) return end - 1;
    at = end;
  }
  if (classOf[bytes[at] as number] === kind.other) return runEnd(bytes, at, kind.other, signMax);
  return characterEnd(bytes, runEnd(bytes, at, kind.word, wordMax));
}

function runEnd(bytes: Uint8Array, start: number, of: number, max: number): number {
  const limit = Math.min(bytes.length, start + max);
  let end = start + 1;
  while (end < limit && classOf[bytes[end] as number] === of) end += 1;
  return end;
}

/** Moves past UTF-8 continuation bytes. */
function characterEnd(bytes: Uint8Array, from: number): number {
  let end = from;
  while (end < bytes.length && ((bytes[end] as number) & 0xc0) === 0x80) end += 1;
  return end;
}

/** A full block of tokens: its key chains all before it, `byteEnd` is where it ends in the rendered prompt. */
export interface Block {
  readonly key: number;
  readonly byteEnd: number;
}

/** A prompt as tokens, which generated pieces then lengthen. */
export class TokenChain {
  readonly blocks: Block[] = [];
  tokens = 0;
  readonly #salt: number;
  readonly #blockTokens: number;
  #bytes = 0;
  #a = 0x811c9dc5;
  #b = 0x9747b28c;

  constructor(options: { blockTokens: number; salt: string }) {
    this.#blockTokens = options.blockTokens;
    let salt = 0x811c9dc5;
    for (const byte of Buffer.from(options.salt)) salt = Math.imul(salt ^ byte, 0x01000193);
    this.#salt = salt;
  }

  /** Names the tokens so far, whatever the salt: the same prompt of another tenant has the same digest. */
  get digest(): number {
    return (this.#a ^ Math.imul(this.#b, 0x85ebca6b)) >>> 0;
  }

  add(segment: Segment): void {
    if ("special" in segment) {
      const bytes = Buffer.from(segment.special);
      this.piece(bytes, 0, bytes.length, true);
      return;
    }
    const bytes = Buffer.from(segment.text);
    for (let start = 0; start < bytes.length; ) {
      const end = pieceEnd(bytes, start);
      this.piece(bytes, start, end, false);
      start = end;
    }
  }

  /** One token. Its end is part of the key: the same bytes cut otherwise are other tokens. */
  piece(bytes: Uint8Array, start: number, end: number, special: boolean): void {
    let [a, b] = [this.#a, this.#b];
    for (let i = start; i < end; i++) {
      a = Math.imul(a ^ (bytes[i] as number), 0x01000193);
      b = Math.imul(b + (bytes[i] as number) + 1, 0x5bd1e995) ^ (b >>> 15);
    }
    this.#a = Math.imul(a ^ (special ? 0x1ff : 0x100), 0x01000193);
    this.#b = b;
    this.#bytes += end - start;
    this.tokens += 1;
    if (this.tokens % this.#blockTokens === 0) this.blocks.push({ key: this.#key(), byteEnd: this.#bytes });
  }

  /** 52 bits: two of 40,000 resident blocks collide once in millions of runs. */
  #key(): number {
    const high = Math.imul(this.#a ^ this.#salt, 0xcc9e2d51) >>> 0;
    const low = Math.imul(this.#b ^ (this.#salt >>> 7), 0x1b873593) >>> 0;
    return high * 0x10_0000 + (low >>> 12);
  }
}

/** The pieces of a text, for text that is generated piece by piece. */
export function pieces(text: string): string[] {
  const bytes = Buffer.from(text);
  const found: string[] = [];
  for (let start = 0; start < bytes.length; ) {
    const end = pieceEnd(bytes, start);
    found.push(bytes.subarray(start, end).toString());
    start = end;
  }
  return found;
}
