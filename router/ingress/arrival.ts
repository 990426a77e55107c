// arrival: checked fields become a Trigger with a life of its own: one signal that the caller's leaving, a Cancel, a newer
// trigger or the deadline ends, whichever comes first, and that says which it was.
import type { Clock } from "../../lib/clock.ts";
import type { Random } from "../../lib/random.ts";
import { Retired, type Trigger } from "../completion.ts";

type Given = Omit<Trigger, "id" | "receivedMs" | "deadlineMs" | "signal" | "retire" | "release">;

export class Arrivals {
  readonly #deps: { readonly clock: Clock; readonly random: Random };

  constructor(deps: { clock: Clock; random: Random }) {
    this.#deps = deps;
  }

  /** `id` "": made here. `caller` aborts when the client is gone. */
  trigger(given: Given & { id: string; deadlineAfterMs: number }, caller: AbortSignal): Trigger {
    const { clock, random } = this.#deps;
    const { deadlineAfterMs, ...fields } = given;
    const controller = new AbortController();
    const retire = (retired: Retired) => {
      if (!controller.signal.aborted) controller.abort(retired);
    };
    const left = () => retire(new Retired("cancelled"));
    if (caller.aborted) left();
    caller.addEventListener("abort", left, { once: true });
    const timer = clock.timer(deadlineAfterMs, () => retire(new Retired("expired")));
    const receivedMs = clock.now();
    return {
      ...fields,
      id: given.id === "" ? random.hex(16) : given.id,
      receivedMs,
      deadlineMs: receivedMs + deadlineAfterMs,
      signal: controller.signal,
      retire,
      release: () => {
        timer[Symbol.dispose]();
        caller.removeEventListener("abort", left);
      },
    };
  }
}
