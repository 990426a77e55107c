// token-index: the texts of a vocabulary, sorted. Answers which tokens begin with a text, and whether any goes on after it.

export class TokenIndex {
  readonly #entries: readonly (readonly [text: string, token: number])[];

  /** Tokens without text, or with part of a character, have no place here. */
  constructor(entries: Iterable<readonly [text: string, token: number]>) {
    this.#entries = [...entries]
      .filter(([text]) => text !== "" && !text.includes("\uFFFD"))
      .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  }

  startingWith(text: string): number[] {
    const tokens: number[] = [];
    for (let at = this.#first(text); this.#entries[at]?.[0].startsWith(text); at++) tokens.push(this.#entries[at]?.[1] as number);
    return tokens;
  }

  /** Whether some token is this text and more. */
  goesOn(text: string): boolean {
    for (let at = this.#first(text); this.#entries[at]?.[0].startsWith(text); at++) {
      if ((this.#entries[at]?.[0].length ?? 0) > text.length) return true;
    }
    return false;
  }

  #first(text: string): number {
    let low = 0;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#entries[middle]?.[0] ?? "") < text) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
