// stream: Deltas of a worker in, the text an editor shows out: whole lines as they become sure, cut at a statement or block
// end, overlap with the text after the cursor trimmed, at the deadline what is complete so far ("anytime"). Chat passes as it
// comes. Holds one line a generation.
import { type Delta, type Generated, Retired, type Shaped, type Trigger } from "../completion.ts";
import { Cutter } from "./cut.ts";

export interface StreamOptions {
  /** Lines of one inline completion. */
  readonly linesMax: number;
}

export class Stream {
  readonly #options: StreamOptions;

  constructor(options: StreamOptions) {
    this.#options = options;
  }

  /** Returns the whole text that was yielded, and what it cost. */
  async *shape(trigger: Trigger, worker: string, deltas: AsyncGenerator<Delta, Generated>): AsyncGenerator<Delta, Shaped> {
    const cutter =
      trigger.lane === "chat" || trigger.lane === "batch" || trigger.shape === "raw"
        ? undefined
        : new Cutter(placeOf(trigger, this.#options.linesMax));
    let text = "";
    /** White space alone shows nothing: it waits for what follows it. */
    let blank = "";
    let tokens = 0;
    const usage = { promptTokens: 0, cachedTokens: 0, recomputedTokens: 0 };
    try {
      for (;;) {
        const step = await deltas.next();
        if (step.done) {
          const rest = blank + (cutter?.finish(step.value.finish !== "length") ?? "");
          if (rest.trim() === "") return { ...step.value, text };
          yield { text: rest, tokens: 0 };
          return { ...step.value, text: text + rest };
        }
        tokens += step.value.tokens;
        Object.assign(usage, step.value.prompt);
        const sure = blank + (cutter ? cutter.feed(step.value.text) : step.value.text);
        blank = cutter && sure.trim() === "" ? sure : "";
        if (blank === "" && sure !== "") {
          text += sure;
          yield { ...step.value, text: sure };
        }
        if (cutter?.done)
          return { text, finish: "cut", usage: { ...usage, completionTokens: tokens, drafted: 0, draftAccepted: 0 }, worker };
      }
    } catch (thrown) {
      // The deadline takes nothing back: complete lines that are out stand.
      if (!(thrown instanceof Retired) || thrown.outcome !== "expired" || text.trim() === "") throw thrown;
      return { text, finish: "deadline", usage: { ...usage, completionTokens: tokens, drafted: 0, draftAccepted: 0 }, worker };
    } finally {
      await deltas.return(undefined as never);
    }
  }
}

function placeOf(trigger: Trigger, linesMax: number) {
  const lineBefore = trigger.prefix.slice(trigger.prefix.lastIndexOf("\n") + 1);
  const lineEnd = trigger.suffix.indexOf("\n");
  const lineAfter = lineEnd < 0 ? trigger.suffix : trigger.suffix.slice(0, lineEnd);
  const below = lineEnd < 0 ? "" : trigger.suffix.slice(lineEnd + 1, lineEnd + 1 + 2_000);
  const nextLine = below.split("\n").find((line) => line.trim() !== "");
  return { shape: trigger.shape, lineBefore, lineAfter, nextLine: nextLine?.trim() ?? "", linesMax };
}
