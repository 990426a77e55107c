// token-text: tokens of an engine that gives no text in, whole characters out. Of a vocabulary's special tokens nothing is shown; bytes
// of a character that is not whole wait for the rest of it, and are dropped at the end.

/** What a token spells; undefined: it is a special one, or none of this vocabulary. */
export type Spell = (token: number) => Uint8Array | undefined;

export class TokenText {
  readonly #spell: Spell;
  readonly #decoder = new TextDecoder("utf-8");

  constructor(spell: Spell) {
    this.#spell = spell;
  }

  push(tokens: readonly number[]): string {
    let text = "";
    for (const token of tokens) {
      const bytes = this.#spell(token);
      if (bytes) text += this.#decoder.decode(bytes, { stream: true });
    }
    return text;
  }
}
