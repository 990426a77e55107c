// stream: Deltas of a worker in, the text an editor shows out: whole lines as they become sure, cut at a statement or block
// end, overlap with the text after the cursor trimmed, at the deadline what is complete so far ("anytime"). Chat and raw text
// pass as they come. Text of which the model is too unsure is held back whole (confidence.ts). Holds one line a generation.
import { type Delta, type Generated, noUsage, Retired, type Shaped, type Trigger } from "../completion.ts";
import { Confidence, type LeastConfidence, leastFor } from "./confidence.ts";
import { Cutter } from "./cut.ts";
import { placeOf } from "./place.ts";

export interface StreamOptions {
  /** Lines of one inline completion. */
  readonly linesMax: number;
  readonly leastConfidence: LeastConfidence;
}

export class Stream {
  readonly #options: StreamOptions;

  constructor(options: StreamOptions) {
    this.#options = options;
  }

  /** Is a text of this confidence held back? */
  withholds(trigger: Trigger, model: string, confidence: number | undefined): boolean {
    return confidence !== undefined && confidence < leastFor(trigger, model, this.#options.leastConfidence);
  }

  /** Returns the whole text that was yielded, and what it cost. */
  async *shape(trigger: Trigger, model: string, deltas: AsyncGenerator<Delta, Generated>): AsyncGenerator<Delta, Shaped> {
    const cutter = isRaw(trigger) ? undefined : new Cutter(placeOf(trigger, this.#options.linesMax));
    let text = "";
    let tokens = 0;
    const confidence = new Confidence();
    const sureness = () => (confidence.mean === undefined ? {} : { confidence: confidence.mean });
    const unsure = () => text === "" && this.withholds(trigger, model, confidence.mean);
    const found = (shown: string) => (shown === "" && cutter?.duplicate ? { duplicate: true as const } : {});
    const cost = { ...noUsage };
    const usage = () => ({ ...cost, completionTokens: tokens });
    try {
      for (;;) {
        const step = await deltas.next();
        if (step.done) {
          const { finish, usage } = step.value;
          if (unsure()) return { finish, usage, text, ...sureness(), withheld: true };
          const rest = cutter?.finish(finish === "stop" || finish === "cut") ?? "";
          if (rest !== "") yield { text: rest, tokens: 0 };
          return { finish, usage, text: text + rest, ...sureness(), ...found(text + rest) };
        }
        tokens += step.value.tokens;
        confidence.add(step.value);
        if (step.value.prompt) Object.assign(cost, step.value.prompt);
        const sure = cutter ? cutter.feed(step.value.text) : step.value.text;
        // Decided before the first text goes out; the generation ends there.
        if ((confidence.known || sure !== "" || cutter?.done) && unsure())
          return { finish: "cut", usage: usage(), text, ...sureness(), withheld: true };
        if (sure !== "") {
          text += sure;
          yield { ...step.value, text: sure };
        }
        if (cutter?.done) return { text, finish: "cut", usage: usage(), ...sureness(), ...found(text) };
      }
    } catch (thrown) {
      // The deadline takes nothing back: complete lines that are out stand, and a statement that is complete joins them.
      if (!(thrown instanceof Retired) || thrown.outcome !== "expired") throw thrown;
      const last = cutter && !unsure() ? cutter.late() : "";
      if ((text + last).trim() === "") throw thrown;
      if (last !== "") yield { text: last, tokens: 0 };
      return { text: text + last, finish: "deadline", usage: usage() };
    } finally {
      await deltas.return(undefined as never);
    }
  }
}

const isRaw = ({ lane, shape }: Trigger) => lane === "chat" || lane === "batch" || shape === "raw";
