// alternatives: a trigger that wants several texts and the path of one in, one ending with all of them out. The first is the
// path's own; the others are sampled beside it once its prompt is resident, and leave out what was said before. Bounded: `n` by
// ingress. One ending, one outcome, all tokens booked in it.
import { type Delta, type Ending, type Milestones, Retired, type Sampling, type Trigger, type Usage } from "./completion.ts";
import type { Settle } from "./settle/settle.ts";
import { added } from "./usage.ts";

type Path = (trigger: Trigger, at: Milestones) => AsyncGenerator<Delta, Ending>;

/** Far enough from greedy that the others differ, near enough that they make sense. */
const temperature = 0.6;

export function withAlternatives(
  rooms: { readonly settle: Settle },
  path: Path,
  trigger: Trigger,
  at: Milestones,
): AsyncGenerator<Delta, Ending> {
  return trigger.n <= 1 ? path(trigger, at) : several(rooms, path, trigger, at);
}

async function* several(
  rooms: { readonly settle: Settle },
  path: Path,
  trigger: Trigger,
  at: Milestones,
): AsyncGenerator<Delta, Ending> {
  trigger.signal.throwIfAborted();
  // Held over all of them: a newer trigger ends the others too.
  using _turn = rooms.settle.take(trigger);
  let text = "";
  const first = path(trigger, at);
  let ending: Ending | undefined;
  try {
    for (let step = await first.next(); ; step = await first.next()) {
      if (step.done) {
        ending = step.value;
        break;
      }
      text += step.value.text;
      yield step.value;
    }
  } finally {
    if (!ending) await first.return(undefined as never);
  }
  if (text === "") return ending;
  const others = await Promise.all(Array.from({ length: trigger.n - 1 }, (_, i) => whole(path, sibling(trigger, i + 1))));
  const { reason } = trigger.signal;
  // At the deadline the texts that are there stand; whoever left or typed on wants none of them.
  if (trigger.signal.aborted && !(reason instanceof Retired && reason.outcome === "expired")) throw reason;
  const texts = new Set([text, ...others.map((other) => other.text)].filter((other) => other.trim() !== ""));
  return {
    ...ending,
    usage: others.reduce((sum, other) => added(sum, other.usage), ending.usage),
    alternatives: [...texts].slice(1),
  };
}

/** The same wish in a turn of its own, sampled. */
function sibling(trigger: Trigger, index: number): Trigger {
  const { sampling } = trigger;
  const sampled: Sampling = {
    ...sampling,
    temperature: sampling.temperature > 0 ? sampling.temperature : temperature,
    seed: (sampling.seed ?? 0) + index,
  };
  // No document's key ends so: it supersedes nobody, and is remembered apart.
  return { ...trigger, n: 1, stream: false, sampling: sampled, document: `${trigger.document} alternative-${index}` };
}

/** One text to its end; what goes wrong with it costs the others nothing. */
async function whole(path: Path, trigger: Trigger): Promise<{ readonly text: string; readonly usage?: Usage }> {
  const at: Milestones = {};
  const reading = path(trigger, at);
  let text = "";
  try {
    for (let step = await reading.next(); ; step = await reading.next()) {
      if (step.done) return { text, usage: step.value.usage };
      text += step.value.text;
    }
  } catch {
    return { text: "" };
  } finally {
    at.bill?.ended(text === "" ? "other" : "shown");
  }
}
