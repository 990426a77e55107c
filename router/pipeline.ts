// pipeline: the path of a trigger through the router, top to bottom. A room never calls another room; this is the only place
// that knows the order. Whatever ends a trigger early throws its Retired through here; feedback follows from outside and makes
// it one Ending. Text is yielded as it becomes sure.
import type { Clock } from "../lib/clock.ts";
import { SlipstreamError } from "../lib/errors.ts";
import type { Cache } from "./cache/cache.ts";
import {
  type Booking,
  type Delta,
  type Ending,
  type Milestones,
  noUsage,
  type Placement,
  type Prompt,
  type Shaped,
  type Trigger,
} from "./completion.ts";
import type { ContextRoom } from "./context/context.ts";
import type { Dispatch } from "./dispatch/dispatch.ts";
import type { Fleet } from "./fleet/fleet.ts";
import type { Gate } from "./gate/gate.ts";
import type { PromptRoom } from "./prompt/prompt.ts";
import type { Queue } from "./queue/queue.ts";
import type { Reuse } from "./reuse/reuse.ts";
import type { Settle } from "./settle/settle.ts";
import type { Stream } from "./stream/stream.ts";

export interface Rooms {
  readonly clock: Clock;
  readonly reuse: Reuse;
  readonly gate: Gate;
  readonly settle: Settle;
  readonly context: ContextRoom;
  readonly prompt: PromptRoom;
  readonly cache: Cache;
  readonly queue: Queue;
  readonly fleet: Fleet;
  /** schedule.place with this process's options and chance. */
  readonly place: (
    work: { session: string; lane: Trigger["lane"]; model: string },
    avoid: ReadonlySet<string>,
  ) => Placement | undefined;
  readonly dispatch: Dispatch;
  readonly stream: Stream;
  readonly retried: () => void;
}

/** How often a worker is asked for one trigger, as long as no text has come. */
const asksMax = 3;

export async function* complete(rooms: Rooms, trigger: Trigger, at: Milestones): AsyncGenerator<Delta, Ending> {
  trigger.signal.throwIfAborted(); //                                a trigger that has ended retires nobody
  using turn = rooms.settle.take(trigger); //                        the newest of its document; the older one ends superseded
  const ahead = rooms.reuse.typedAhead(trigger); //                  the person is typing what was shown: answer now
  if (ahead) {
    yield ahead;
    rooms.reuse.remember(trigger, ahead.text);
    return { outcome: "typed_ahead", usage: noUsage };
  }
  const pressure = { predictedWaitMs: rooms.queue.predictedWaitMs(trigger.lane) };
  const gated = rooms.gate.judge(trigger, pressure, rooms.clock.now()); // is it worth asking, now?
  if (gated) return { outcome: "gated", usage: noUsage, ...gated };
  await turn.settled(); //                                           what is left of the pause
  at.settledMs = rooms.clock.now();
  const model = rooms.fleet.model(trigger.model);
  if (!model) throw noModel(trigger, rooms.fleet.snapshot().workers.length);
  const context = rooms.context.gather(trigger, rooms.prompt.contextBudget(trigger, model));
  const prompt = rooms.prompt.render(trigger, context, model); //    the family's form, laid out to keep the KV
  const known = rooms.cache.find(prompt, trigger.sampling); //       finished before
  if (known) {
    if (known.text !== "") yield { text: known.text, tokens: 0 };
    rooms.reuse.remember(trigger, known.text);
    return endOf({ ...known, usage: noUsage, worker: "" }, prompt, "cached");
  }
  const shaped = yield* generate(rooms, trigger, prompt, at); //     queue → schedule → dispatch → stream
  rooms.cache.keep(prompt, trigger.sampling, { text: shaped.text, finish: shaped.finish, model: prompt.model });
  rooms.reuse.remember(trigger, shaped.text);
  return endOf(shaped, prompt, "generated");
}

/** Waits for a worker's credit, sends, shapes; another worker before the first text only. */
async function* generate(rooms: Rooms, trigger: Trigger, prompt: Prompt, at: Milestones): AsyncGenerator<Delta, Shaped> {
  const tried = new Set<string>();
  for (let asked = 1; ; asked++) {
    at.queuedMs ??= rooms.clock.now();
    const booking = await rooms.queue.next(trigger, () => book(rooms, trigger, prompt, tried));
    at.placedMs = rooms.clock.now();
    const { worker } = booking.placement;
    tried.add(worker);
    let sent = false;
    const shaping = rooms.stream.shape(trigger, worker, rooms.dispatch.generate(trigger, prompt, booking));
    try {
      for (;;) {
        const step = await shaping.next();
        if (step.done) return step.value;
        sent = true;
        yield step.value;
      }
    } catch (thrown) {
      const again =
        thrown instanceof SlipstreamError && thrown.row.retryable && !sent && asked < asksMax && !trigger.signal.aborted;
      if (!again) throw thrown;
      rooms.retried();
    } finally {
      await shaping.return(undefined as never);
    }
  }
}

/** A placement with its credit taken, if a worker has one. A worker that failed this trigger is asked again only if it is the last. */
function book(rooms: Rooms, trigger: Trigger, prompt: Prompt, tried: ReadonlySet<string>): Booking | undefined {
  const work = { session: trigger.session, lane: trigger.lane, model: prompt.model };
  const others = rooms.fleet
    .snapshot()
    .workers.some(
      (worker) => !worker.draining && !tried.has(worker.name) && worker.models.some((model) => model.name === prompt.model),
    );
  const placement = rooms.place(work, others ? tried : new Set());
  return placement && { placement, release: rooms.fleet.book(placement.worker, trigger.lane) };
}

function endOf(shaped: Shaped, prompt: Prompt, outcome: "generated" | "cached"): Ending {
  const { finish, usage, worker } = shaped;
  const cost = { usage, model: prompt.model, ...(worker === "" ? {} : { worker }) };
  return shaped.text === "" ? { outcome: "empty", reason: "empty", ...cost } : { outcome, finish, ...cost };
}

function noModel(trigger: Trigger, workers: number): SlipstreamError {
  if (trigger.model !== "" && workers > 0)
    return new SlipstreamError("not_found", `model: no worker serves "${trigger.model}"`, { field: "model" });
  return new SlipstreamError("no_worker", "no worker is connected", { retryAfterMs: 500 });
}
