// reactions: reports of one completion in, in the order they come; what is known of it after each. It is shown once, accepted
// word by word and then whole, or let go; what was accepted may be found still there later, again and again. A report that
// cannot follow those before it changes nothing. Clients that never say "shown" are taken at their later word.
import type { Report } from "../completion.ts";

export interface Said {
  readonly reaction: Report["reaction"];
  /** Of a partial acceptance: characters from the text's beginning that are accepted by now. */
  readonly acceptedUtf16: number;
  /** 0: the client does not say. */
  readonly shownMs: number;
  readonly afterS: number;
}

export class Reactions {
  readonly #textUtf16: number;
  #sinceMs: number | undefined;
  #over = false;
  #acceptedUtf16 = 0;
  #shownMs = 0;
  #retainedAfterS = -1;

  constructor(textUtf16: number) {
    this.#textUtf16 = textUtf16;
  }

  get shown(): boolean {
    return this.#sinceMs !== undefined;
  }

  get acceptedUtf16(): number {
    return this.#acceptedUtf16;
  }

  /** How long it stood; 0 while nothing tells. */
  get shownMs(): number {
    return this.#shownMs;
  }

  /** False: it cannot be so, after what was said before. */
  take({ reaction, acceptedUtf16, shownMs, afterS }: Said, now: number): boolean {
    if (!this.#possible(reaction, acceptedUtf16, afterS)) return false;
    const stoodMs = shownMs > 0 ? shownMs : this.#sinceMs === undefined ? 0 : now - this.#sinceMs;
    this.#sinceMs ??= now;
    if (reaction === "retained") this.#retainedAfterS = afterS;
    else if (reaction !== "shown") {
      this.#shownMs = stoodMs;
      this.#acceptedUtf16 =
        reaction === "accepted" ? this.#textUtf16 : reaction === "partial" ? acceptedUtf16 : this.#acceptedUtf16;
      this.#over = reaction !== "partial" || acceptedUtf16 === this.#textUtf16;
    }
    return true;
  }

  #possible(reaction: Report["reaction"], acceptedUtf16: number, afterS: number): boolean {
    if (reaction === "retained") return this.#acceptedUtf16 > 0 && afterS > this.#retainedAfterS;
    if (reaction === "shown") return !this.shown;
    if (reaction === "partial") return !this.#over && acceptedUtf16 > this.#acceptedUtf16 && acceptedUtf16 <= this.#textUtf16;
    return !this.#over;
  }
}
