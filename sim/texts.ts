// texts: what was generated under each salt in; whether a text that somebody was shown was generated there out. A text is of one
// generation, or of several, each asked to go on from where the one before was lost. Holds every text: bounded by the run.

export interface Written {
  readonly text: string;
  /** What its prompt ends with: where it goes on from, it is what was shown before. */
  readonly promptEnd: string;
}

export class Texts {
  readonly #bySalt = new Map<string, Written[]>();

  wrote(salt: string, { text, promptEnd }: Written): void {
    const written = { text, promptEnd };
    const before = this.#bySalt.get(salt);
    if (before) before.push(written);
    else this.#bySalt.set(salt, [written]);
  }

  /** `text` may begin in the middle of what was generated: the person may have typed what came before. */
  generated(salt: string, text: string): boolean {
    return madeOf(text, this.#bySalt.get(salt) ?? []);
  }
}

function madeOf(text: string, own: readonly Written[]): boolean {
  if (text === "" || own.some((each) => each.text.includes(text))) return true;
  for (let at = text.length - 1; at > 0; at--) {
    const [head, rest] = [text.slice(0, at), text.slice(at)];
    // What goes on begins with its own first character, after exactly what was there.
    const goesOn = own.some((each) => each.text.startsWith(rest) && each.promptEnd.endsWith(head));
    if (goesOn && madeOf(head, own)) return true;
  }
  return false;
}
