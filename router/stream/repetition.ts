// repetition: a model that has lost its way says the same over and over. Lines and characters in; whether what comes is the
// third time out, so that it is cut there. Holds the lines of one completion and one line's runs.

/** Longest cycle looked for within a line, and least that repeats of it must fill: rulers and rows of zeros are shorter or no words. */
const periodMax = 64;
const filledMin = 60;
const times = 3;
const letter = /\p{L}/u;
const letterOrDigit = /[\p{L}\p{N}]/u;

/** Watches one line as it comes, by characters (UTF-16): for each period, how many equal the one a period before. */
export class LineRepeats {
  #line = "";
  /** Characters that the runs count. */
  #counted = 0;
  readonly #runs = new Uint16Array(periodMax + 1);

  /** True once the line has said something of up to 64 characters three times in a row, 60 characters of it or more. */
  feed(text: string): boolean {
    this.#line += text;
    // Most lines are too short to fill so much, and cost nothing.
    if (this.#line.length < filledMin) return false;
    while (this.#counted < this.#line.length) if (this.#repeatsAt(this.#counted++)) return true;
    return false;
  }

  #repeatsAt(at: number): boolean {
    const unit = this.#line.charCodeAt(at);
    for (let period = 1; period <= periodMax && period <= at; period++) {
      const run = unit === this.#line.charCodeAt(at - period) ? (this.#runs[period] ?? 0) + 1 : 0;
      this.#runs[period] = run;
      if (run + period < Math.max(filledMin, times * period)) continue;
      if (letter.test(this.#line.slice(at + 1 - period, at + 1))) return true;
    }
    return false;
  }

  /** The next line begins. */
  reset(): void {
    this.#line = "";
    if (this.#counted === 0) return;
    this.#counted = 0;
    this.#runs.fill(0);
  }
}

/** Watches whole lines. */
export class CycleRepeats {
  readonly #lines: string[] = [];

  /** Does this line begin the third time of the lines before it? If not, it is one of them. */
  begins(line: string): boolean {
    const lines = this.#lines;
    for (let period = 1; 2 * period <= lines.length; period++) {
      const cycle = lines.slice(-period);
      const before = lines.slice(-2 * period, -period);
      if (cycle[0] !== line || cycle.some((each, i) => each !== before[i])) continue;
      if (cycle.some((each) => letterOrDigit.test(each))) return true;
    }
    lines.push(line);
    return false;
  }
}
