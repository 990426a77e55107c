// arrival: checked fields become a Trigger with a life of its own: one signal that the caller's leaving, a Cancel, a newer
// trigger or the deadline ends, whichever comes first, and that says which it was.
import type { Clock } from "../../lib/clock.ts";
import type { Random } from "../../lib/random.ts";
import { Retired, type Trigger } from "../completion.ts";

export type Given = Omit<Trigger, "receivedMs" | "deadlineMs" | "signal" | "retire" | "release"> & {
  readonly deadlineAfterMs: number;
};
/** All of its fields, those that may be absent too: none is forgotten where they are written out. */
type Whole = { [Field in keyof Required<Trigger>]: Trigger[Field] };

export class Arrivals {
  readonly #deps: { readonly clock: Clock; readonly random: Random };

  constructor(deps: { clock: Clock; random: Random }) {
    this.#deps = deps;
  }

  /** `id` "": made here. `caller` aborts when the client is gone. */
  trigger(given: Given, caller: AbortSignal): Trigger {
    const { clock, random } = this.#deps;
    const { deadlineAfterMs } = given;
    const controller = new AbortController();
    const retire = (retired: Retired) => {
      if (!controller.signal.aborted) controller.abort(retired);
    };
    const left = () => retire(new Retired("cancelled"));
    if (caller.aborted) left();
    caller.addEventListener("abort", left, { once: true });
    const timer = clock.timer(deadlineAfterMs, () => retire(new Retired("expired")));
    const receivedMs = clock.now();
    // Field by field: taking an object apart and together again costs as much as all else that is done for a trigger here.
    const made: Whole = {
      id: given.id === "" ? random.hex(16) : given.id,
      tenant: given.tenant,
      session: given.session,
      document: given.document,
      kind: given.kind,
      lane: given.lane,
      shape: given.shape,
      path: given.path,
      language: given.language,
      text: given.text,
      snippets: given.snippets,
      neighbours: given.neighbours,
      model: given.model,
      asked: given.asked,
      promptBytesMax: given.promptBytesMax,
      keyMs: given.keyMs,
      sampling: given.sampling,
      n: given.n,
      origin: given.origin,
      acceptProbability: given.acceptProbability,
      selected: given.selected,
      indent: given.indent,
      stream: given.stream,
      stateless: given.stateless,
      roams: given.roams,
      sequence: given.sequence,
      verbatim: given.verbatim,
      previousKeyMs: given.previousKeyMs,
      receivedMs,
      deadlineMs: receivedMs + deadlineAfterMs,
      signal: controller.signal,
      retire,
      release: () => {
        timer[Symbol.dispose]();
        caller.removeEventListener("abort", left);
      },
    };
    return made;
  }
}
