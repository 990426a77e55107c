// pipeline: the path of a trigger through the router, top to bottom. A room never calls another room; this is the only place
// that knows the order. Whatever ends a trigger early throws its Retired through here; feedback follows from outside and makes
// it one Ending. Text is yielded as it becomes sure.
import { SlipstreamError } from "../lib/errors.ts";
import { queueMs, servedBy } from "./asking.ts";
import {
  type Delta,
  type Ending,
  type Flight,
  type Generated,
  type Milestones,
  noUsage,
  type Prompt,
  type Sampling,
  type Shaped,
  type Trigger,
} from "./completion.ts";
import { generate } from "./generating.ts";
import { inTime } from "./in-time.ts";
import type { Path } from "./path.ts";
import { Diverged, type Followed } from "./reuse/reuse.ts";

/** A typist who follows a generation needs it longer than the key that asked for it. */
const followMs = 500;

export async function* complete(rooms: Path, trigger: Trigger, at: Milestones): AsyncGenerator<Delta, Ending> {
  trigger.signal.throwIfAborted(); //                                a trigger that has ended retires nobody
  const ahead = rooms.reuse.typedAhead(trigger); //                  is the person typing what was shown,
  const followed = ahead ? undefined : rooms.reuse.followed(trigger); // or what is being generated?
  const reading = followed && read(followed.flight, trigger, at); // joined before its owner is retired, so it lives on
  using turn = rooms.settle.take(trigger); //                        the newest of its document; the older one ends superseded
  if (ahead) {
    yield ahead; //                                                  known: answered now
    rooms.reuse.remember(trigger, ahead.text);
    return { outcome: "typed_ahead", usage: noUsage };
  }
  if (followed && reading) {
    const joined = yield* follow(rooms, trigger, followed, reading);
    if (joined) return joined;
  }
  const pressure = { predictedWaitMs: queueMs(rooms, trigger, servedBy(rooms.fleet.model(trigger.model))) };
  const gated = rooms.gate.judge(trigger, pressure, rooms.clock.now()); // is it worth asking, now?
  if (gated) return { outcome: "gated", usage: noUsage, ...gated };
  await turn.settled(); //                                           what is left of the pause
  at.settledMs = rooms.clock.now();
  const model = rooms.fleet.model(trigger.model);
  if (!model) throw noModel(trigger, rooms.fleet.snapshot().workers.length);
  const context = rooms.context.gather(trigger, rooms.prompt.contextBudget(trigger, model));
  const whole = rooms.prompt.render(trigger, context, model); //     the family's form, laid out to keep the KV
  const { prompt, sampling } = inTime(rooms, trigger, context, model, whole); // less of it, or refused now: never started late
  const known = rooms.cache.find(prompt, sampling); //               finished before
  if (known && rooms.stream.withholds(trigger, prompt.model, known.confidence))
    return endOf({ ...known, text: "", withheld: true }, nobody, prompt.model, "cached");
  if (known) {
    if (known.text !== "") yield { text: known.text, tokens: 0 };
    rooms.reuse.remember(trigger, known.text);
    return endOf(known, nobody, prompt.model, "cached");
  }
  const other = rooms.cache.join(prompt, sampling); //               an identical one is under way
  const flight = other ?? launch(rooms, trigger, prompt, sampling, at, model.pool || model.name); //     queue → schedule → dispatch
  flight.wanted(trigger.deadlineMs);
  if (trigger.kind === "preload") return yield* warm(trigger, flight, at); // nothing to show: its KV is what was wanted
  rooms.reuse.watch(trigger, flight);
  const shaped = yield* rooms.stream.shape(trigger, prompt.model, read(flight, trigger, at)); // cut, trimmed, in time
  if (!shaped.withheld) {
    const { text, finish, confidence } = shaped;
    rooms.cache.keep(prompt, sampling, { text, finish, model: prompt.model, confidence });
    rooms.reuse.remember(trigger, text);
    if (!other && finish !== "deadline") rooms.fleet.answered(trigger.lane, shaped.usage.completionTokens);
  }
  return endOf(shaped, costOf(flight, shaped), prompt.model, other ? "joined" : "generated");
}

/** Reads on where the typist is; undefined when the flight went another way, or had nothing left to say. */
async function* follow(
  rooms: Path,
  trigger: Trigger,
  { flight, typed }: Followed,
  reading: AsyncGenerator<Delta, Generated>,
): AsyncGenerator<Delta, Ending | undefined> {
  flight.wanted(trigger.deadlineMs);
  try {
    const shaped = yield* rooms.stream.shape(trigger, flight.model, rooms.reuse.drop(typed, reading));
    if (shaped.text === "") return undefined;
    rooms.reuse.remember(trigger, shaped.text);
    return endOf(shaped, costOf(flight, shaped), flight.model, "joined");
  } catch (thrown) {
    if (thrown instanceof Diverged) return undefined;
    throw thrown;
  }
}

/** Reads a generation for what it leaves behind: the prefix is resident when the person begins to type. */
// biome-ignore lint/correctness/useYield: the path's one way to end without text.
async function* warm(trigger: Trigger, flight: Flight, at: Milestones): AsyncGenerator<Delta, Ending> {
  const deltas = read(flight, trigger, at);
  let step = await deltas.next();
  while (!step.done) step = await deltas.next();
  return {
    outcome: "empty",
    reason: "empty",
    detail: "prefix warmed",
    usage: flight.book(step.value.usage),
    model: flight.model,
    worker: flight.worker,
  };
}

/** Its text, and its bill: whoever followed another one before was shown nothing of it. */
function read(flight: Flight, trigger: Trigger, at: Milestones): AsyncGenerator<Delta, Generated> {
  at.bill?.ended("superseded");
  at.bill = flight.bill;
  flight.bill?.read();
  return flight.read(trigger.signal);
}

/** A generation that lives while someone reads it, whoever asked first. */
function launch(rooms: Path, trigger: Trigger, prompt: Prompt, sampling: Sampling, at: Milestones, pool: string): Flight {
  const { session, document, tenant, lane, shape } = trigger;
  const deadlineMs = trigger.deadlineMs + (lane === "inline" ? followMs : 0);
  const placed = (worker: string) => {
    flight.worker = worker;
  };
  const bill = rooms.bill(trigger, pool);
  const flight = rooms.cache.launch(prompt, { session, document, tenant, lane, shape, sampling, deadlineMs, bill }, (work, say) =>
    generate(rooms, work, prompt, at, { placed, say }),
  );
  return flight;
}

/** Whose worker it was, and what of its tokens this trigger books: all of them for the flight's last reader, once. */
function costOf(flight: Flight, { usage }: Shaped) {
  return { usage: flight.book(usage), worker: flight.worker };
}

const nobody = { usage: noUsage, worker: "" } as const;

function endOf(
  { text, finish, confidence, withheld, duplicate }: Omit<Shaped, "usage" | "confidence"> & { confidence?: number | undefined },
  { usage, worker }: ReturnType<typeof costOf>,
  model: string,
  outcome: "generated" | "joined" | "cached",
): Ending {
  const end: { -readonly [Field in keyof Ending]: Ending[Field] } =
    withheld || text === "" ? { outcome: "empty", usage, model } : { outcome, finish, usage, model };
  if (confidence !== undefined) end.confidence = confidence;
  if (worker !== "") end.worker = worker;
  if (end.outcome === "empty") end.reason = duplicate && !withheld ? "duplicate" : "empty";
  if (withheld) end.detail = "low confidence";
  return end;
}

function noModel(trigger: Trigger, workers: number): SlipstreamError {
  if (trigger.model !== "" && workers > 0)
    return new SlipstreamError("not_found", `model: no worker serves "${trigger.model}"`, { field: "model" });
  return new SlipstreamError("no_worker", "no worker is connected", { retryAfterMs: 500 });
}
