// masking: code in, text of the same shape out: every character of a word, of a number and of a string becomes another one of its
// kind, so lengths, lines, indentation, brackets and where words repeat stay, and no name and no literal does. What a character becomes
// depends on a secret and on the word as far as it goes, so that a word typed key by key becomes what it becomes when it is pasted.
// The secret is never kept; reserved words that stand whole remain.
import { createHmac } from "node:crypto";
import { Lru } from "../../lib/structures/lru.ts";

const script = `break case catch class const continue debugger default delete do else enum export extends false finally for function if
import in instanceof new null return super switch this throw true try typeof var void while with yield`;
const curly = `break case const continue default do else enum false for goto if return static struct switch true void while class public
private protected new this null try catch throw`;
/** Words that no name can be, by language; of another language none remain. */
const reserved: Readonly<Record<string, ReadonlySet<string>>> = Object.fromEntries(
  Object.entries({
    typescript: script,
    typescriptreact: script,
    javascript: script,
    javascriptreact: script,
    python: `False None True and as assert async await break class continue def del elif else except finally for from global if import in
is lambda nonlocal not or pass raise return try while with yield`,
    go: `break case chan const continue default defer else fallthrough for func go goto if import interface map package range return
select struct switch type var`,
    rust: `as async await break const continue crate else enum extern false fn for if impl in let loop match mod move mut pub ref return
self Self static struct super trait true type unsafe use where while`,
    java: curly,
    c: curly.replace(/class.*/s, ""),
    cpp: curly,
    csharp: curly,
  }).map(([language, words]) => [language, new Set(words.split(/\s+/).filter((each) => each !== ""))]),
);
const none: ReadonlySet<string> = new Set();

export const reservedIn = (language: string): ReadonlySet<string> => reserved[language] ?? none;

const wordPattern = /[\p{L}\p{M}\p{N}_$]/u;
const wordAtStart = /^[\p{L}\p{M}\p{N}_$]/u;
const runPattern = /[\p{L}\p{M}\p{N}_$]+|[^\p{L}\p{M}\p{N}_$]+/gu;
/** Further back a word does not change what follows. */
const wordUtf16Max = 200;
const drawnMax = 50_000;

export class Masking {
  readonly #secret: Uint8Array;
  readonly #drawn = new Lru<number>({ max: drawnMax });

  constructor(secret: Uint8Array) {
    this.#secret = secret;
  }

  /** `before` and `after`: what stands in the document on both sides, so that the parts of one word belong together. */
  text(text: string, { language = "", before = "", after = "" } = {}): string {
    const kept = reservedIn(language);
    const runs = text.match(runPattern) ?? [];
    return runs
      .map((run, index) => {
        if (!wordPattern.test(run)) return Array.from(run, (character) => this.#character(character, "")).join("");
        let said = index === 0 ? wordAtEnd(before) : "";
        const goesOn = index === runs.length - 1 && wordAtStart.test(after);
        if (said === "" && !goesOn && kept.has(run)) return run;
        return Array.from(run, (character) => {
          const masked = this.#character(character, said);
          said = (said + character).slice(-wordUtf16Max);
          return masked;
        }).join("");
      })
      .join("");
  }

  /** Folders and file lose their names, the ending stays: it says the language. */
  path(path: string): string {
    const ending = /\.[A-Za-z0-9]{1,8}$/.exec(path)?.[0] ?? "";
    return path
      .slice(0, path.length - ending.length)
      .split(/(?<=\W)/)
      .map((part) => Array.from(part, (character, at) => this.#character(character, part.slice(0, at))).join(""))
      .concat(ending)
      .join("");
  }

  #character(character: string, said: string): string {
    const code = character.codePointAt(0) ?? 0;
    const kind = kinds.find(({ is }) => is(code, character));
    if (!kind) return character;
    const [first, count] = kind.among;
    const drawn = this.#draw(said + character);
    const isOneOfThem = code >= first && code < first + count;
    return String.fromCodePoint(first + (isOneOfThem ? (code - first + 1 + (drawn % (count - 1))) % count : drawn % count));
  }

  #draw(said: string): number {
    const known = this.#drawn.get(said, 0);
    if (known !== undefined) return known;
    const drawn = createHmac("sha256", this.#secret).update(said).digest().readUInt32LE(0);
    this.#drawn.set(said, drawn, 0);
    return drawn;
  }
}

/** First that fits, and among which characters it stays; never itself, and as many UTF-16 units and UTF-8 bytes as before. */
const kinds: readonly { is: (code: number, character: string) => boolean; among: readonly [number, number] }[] = [
  { is: (code) => code >= 0x61 && code <= 0x7a, among: [0x61, 26] },
  { is: (code) => code >= 0x41 && code <= 0x5a, among: [0x41, 26] },
  { is: (code) => code >= 0x30 && code <= 0x39, among: [0x30, 10] },
  { is: (code, character) => code >= 0x80 && code < 0x800 && !/\s/.test(character), among: [0x430, 32] },
  { is: (code, character) => code >= 0x800 && code < 0x10000 && /\p{L}/u.test(character), among: [0x4e00, 0x5000] },
  { is: (code, character) => code >= 0x800 && code < 0x10000 && !/\s/.test(character), among: [0x2190, 112] },
  { is: (code) => code >= 0x10000, among: [0x1f300, 0x300] },
];

const wordAtEnd = (text: string) => /[\p{L}\p{M}\p{N}_$]*$/u.exec(text.slice(-wordUtf16Max))?.[0] ?? "";
