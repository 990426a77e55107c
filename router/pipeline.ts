// pipeline: the path of a trigger through the router, top to bottom. A room never calls another room; this is the only place
// that knows the order. Whatever ends a trigger early throws its Retired through here; feedback follows from outside and makes
// it one Ending. Text is yielded as it becomes sure.
import type { Clock } from "../lib/clock.ts";
import { SlipstreamError } from "../lib/errors.ts";
import { askingOf, sizeOf } from "./asking.ts";
import type { Cache } from "./cache/cache.ts";
import {
  type Asking,
  type Booking,
  type Delta,
  type Ending,
  type Flight,
  type Generated,
  type Hold,
  type Late,
  type Milestones,
  noUsage,
  type Placement,
  type Prediction,
  type Prompt,
  type Sampling,
  type Shaped,
  type Trigger,
  type Work,
} from "./completion.ts";
import type { ContextRoom } from "./context/context.ts";
import type { Dispatch } from "./dispatch/dispatch.ts";
import type { Fleet } from "./fleet/fleet.ts";
import type { Gate } from "./gate/gate.ts";
import { inTime, type Shortening } from "./in-time.ts";
import type { Quotas } from "./ingress/ingress.ts";
import type { PromptRoom } from "./prompt/prompt.ts";
import type { Queue, Waited } from "./queue/queue.ts";
import { Diverged, type Followed, type Reuse } from "./reuse/reuse.ts";
import type { Settle } from "./settle/settle.ts";
import type { Stream } from "./stream/stream.ts";
import { added, Begun } from "./usage.ts";

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
  /** schedule.place on what the fleet knows now, with this process's options and chance. */
  readonly place: (asking: Asking, avoid: ReadonlySet<string>) => Placement | Hold | Late;
  /** How long an answer would take from now, without the queue. */
  readonly predict: (asking: Asking) => Prediction | undefined;
  /** Pools that a tenant's calls by this name fall back to, the nearest first. */
  readonly fallbacks: (tenant: string, model: string) => readonly string[];
  readonly dispatch: Dispatch;
  readonly quotas: Pick<Quotas, "generation">;
  readonly stream: Stream;
  readonly retried: (when: "before_text" | "after_text") => void;
  /** Told how a trigger was shortened so that it can be in time, and of one that cannot. */
  readonly shortened: (how: Shortening) => void;
  readonly late: (lane: Trigger["lane"]) => void;
}

/** What the path asks of the rooms; what stands in between (explained.ts) answers no more. */
export interface Path
  extends Pick<Rooms, "clock" | "place" | "predict" | "fallbacks" | "retried" | "quotas" | "shortened" | "late"> {
  readonly reuse: Pick<Reuse, "typedAhead" | "followed" | "drop" | "watch" | "remember">;
  readonly gate: Pick<Gate, "judge">;
  readonly settle: Pick<Settle, "take">;
  readonly context: Pick<ContextRoom, "gather">;
  readonly prompt: Pick<PromptRoom, "contextBudget" | "render" | "send">;
  readonly cache: Pick<Cache, "find" | "join" | "launch" | "keep">;
  readonly queue: Pick<Queue, "length" | "predictedWaitMs" | "serviceMs" | "next">;
  readonly fleet: Pick<Fleet, "model" | "snapshot" | "book" | "answered">;
  readonly dispatch: Pick<Dispatch, "generate" | "bars">;
  readonly stream: Pick<Stream, "shape" | "withholds">;
}

/** A typist who follows a generation needs it longer than the key that asked for it. */
const followMs = 500;
/** How often workers are asked for one trigger; its deadline comes first nearly always. */
const asksMax = 5;

export async function* complete(rooms: Path, trigger: Trigger, at: Milestones): AsyncGenerator<Delta, Ending> {
  trigger.signal.throwIfAborted(); //                                a trigger that has ended retires nobody
  const ahead = rooms.reuse.typedAhead(trigger); //                  is the person typing what was shown,
  const followed = ahead ? undefined : rooms.reuse.followed(trigger); // or what is being generated?
  const reading = followed?.flight.read(trigger.signal); //          joined before its owner is retired, so it lives on
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
  const pressure = { predictedWaitMs: rooms.queue.predictedWaitMs(trigger.lane, trigger.tenant) };
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
    return endOf({ ...known, text: "", usage: noUsage, worker: "", withheld: true }, prompt.model, "cached");
  if (known) {
    if (known.text !== "") yield { text: known.text, tokens: 0 };
    rooms.reuse.remember(trigger, known.text);
    return endOf({ ...known, usage: noUsage, worker: "" }, prompt.model, "cached");
  }
  const other = rooms.cache.join(prompt, sampling); //               an identical one is under way
  const flight = other ?? launch(rooms, trigger, prompt, sampling, at); //     queue → schedule → dispatch
  flight.wanted(trigger.deadlineMs);
  if (trigger.kind === "preload") return yield* warm(trigger, flight); // nothing to show: its KV is what was wanted
  rooms.reuse.watch(trigger, flight);
  const shaped = yield* rooms.stream.shape(trigger, prompt.model, flight.read(trigger.signal)); // cut, trimmed, in time
  if (!shaped.withheld) {
    const { text, finish, confidence } = shaped;
    rooms.cache.keep(prompt, sampling, { text, finish, model: prompt.model, confidence });
    rooms.reuse.remember(trigger, text);
    if (!other && finish !== "deadline") rooms.fleet.answered(trigger.lane, shaped.usage.completionTokens);
  }
  return endOf({ ...shaped, ...costOf(flight, shaped) }, prompt.model, other ? "joined" : "generated");
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
    return endOf({ ...shaped, ...costOf(flight, shaped) }, flight.model, "joined");
  } catch (thrown) {
    if (thrown instanceof Diverged) return undefined;
    throw thrown;
  }
}

/** Reads a generation for what it leaves behind: the prefix is resident when the person begins to type. */
// biome-ignore lint/correctness/useYield: the path's one way to end without text.
async function* warm(trigger: Trigger, flight: Flight): AsyncGenerator<Delta, Ending> {
  const deltas = flight.read(trigger.signal);
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

/** A generation that lives while someone reads it, whoever asked first. */
function launch(rooms: Path, trigger: Trigger, prompt: Prompt, sampling: Sampling, at: Milestones): Flight {
  const { session, document, tenant, lane, shape } = trigger;
  const deadlineMs = trigger.deadlineMs + (lane === "inline" ? followMs : 0);
  const placed = (worker: string) => {
    flight.worker = worker;
  };
  const flight = rooms.cache.launch(prompt, { session, document, tenant, lane, shape, sampling, deadlineMs }, (work) =>
    generate(rooms, work, prompt, at, placed),
  );
  return flight;
}

/**
 * Waits for a worker's credit and sends; a worker that is lost before its first delta is followed by another. After it nothing
 * is begun anew: the text so far becomes part of the prompt, and another worker goes on from there.
 */
async function* generate(
  rooms: Path,
  work: Work,
  prompt: Prompt,
  at: Milestones,
  placed: (worker: string) => void,
): AsyncGenerator<Delta, Generated> {
  using _held = rooms.quotas.generation(work.tenant, work.lane, work.signal);
  const tried = new Set<string>();
  const begun = new Begun();
  for (let asked = 1; ; asked++) {
    at.queuedMs ??= rooms.clock.now();
    const rest = begun.text === "" ? { work, prompt } : goingOn(work, prompt, begun);
    const booking = await rooms.queue.next(rest.work, sizeOf(rooms.queue.serviceMs(work.lane), rest.prompt), (waited) =>
      book(rooms, rest.work, rest.prompt, tried, waited),
    );
    at.placedMs = rooms.clock.now();
    const { worker } = booking.placement;
    placed(worker);
    tried.add(worker);
    let holder = worker;
    const won = (name: string) => {
      holder = name;
      placed(name);
    };
    const second = { book: () => spare(rooms, rest.work, rest.prompt, tried), won };
    const cost = rooms.prompt.send(rest.work, rest.prompt, worker); //  what of it this worker holds already is known here
    const deltas = rooms.dispatch.generate(rest.work, rest.prompt, booking, second);
    const before = begun.usage();
    try {
      for (;;) {
        const step = await deltas.next();
        cost(step.done ? step.value.usage : (step.value.prompt ?? noUsage), holder);
        if (step.done) return { ...step.value, usage: added(before, step.value.usage) };
        begun.add(step.value);
        yield step.value;
      }
    } catch (thrown) {
      const again = thrown instanceof SlipstreamError && thrown.row.retryable && asked < asksMax && !work.signal.aborted;
      if (!again || !mayGoOn(work, begun.text)) throw thrown;
      rooms.retried(begun.text === "" ? "before_text" : "after_text");
      if (begun.tokens >= work.sampling.maxTokens) return { finish: "length", usage: begun.usage(), worker };
    } finally {
      await deltas.return(undefined as never);
    }
  }
}

/** What was sampled with a seed is what that seed gives, or nothing: another prompt would give another text. */
function mayGoOn({ sampling }: Work, text: string): boolean {
  return text === "" || sampling.temperature === 0 || sampling.seed === undefined;
}

/** The same wish from where its text ends. */
function goingOn(work: Work, prompt: Prompt, { text, tokens }: Begun): { work: Work; prompt: Prompt } {
  const maxTokens = work.sampling.maxTokens - tokens;
  return {
    work: { ...work, sampling: { ...work.sampling, maxTokens } },
    prompt: { ...prompt, segments: [...prompt.segments, { text }], bytes: prompt.bytes + Buffer.byteLength(text) },
  };
}

/** A credit for a second try beside the first: of a worker that begins at once, while nobody else waits for it. */
function spare(rooms: Path, work: Work, prompt: Prompt, tried: ReadonlySet<string>): Booking | undefined {
  if (rooms.queue.length > 0) return undefined;
  // Not for the lease's sake: the session stays where it is.
  const booking = book(rooms, work, prompt, tried, { waitedMs: Number.POSITIVE_INFINITY, greedy: true, ahead: () => 0 }, "none");
  if (!("placement" in booking)) return undefined;
  const chosen = rooms.fleet.snapshot().workers.find(({ name }) => name === booking.placement.worker);
  if (chosen && !tried.has(chosen.name) && Math.max(chosen.outstanding, chosen.running + 1) <= chosen.slots) return booking;
  booking.release();
  return undefined;
}

/** A placement with its credit taken, if a worker has one. A worker that failed this trigger is asked again only if it is the last. */
function book(
  rooms: Path,
  work: Work,
  prompt: Prompt,
  tried: ReadonlySet<string>,
  waited: Waited,
  lease?: Placement["lease"],
): Booking | Hold | Late {
  // What was begun once is ended by its deadline, not refused: some of it may be out.
  const dueMs = tried.size > 0 ? Number.POSITIVE_INFINITY : (work.due?.() ?? work.deadlineMs);
  const asking = askingOf(work, prompt, dueMs, waited);
  const others =
    tried.size > 0 &&
    rooms.fleet
      .snapshot()
      .workers.some(
        ({ name, draining, models }) =>
          !draining && !tried.has(name) && !rooms.dispatch.bars(name) && models.some((model) => model.name === prompt.model),
      );
  const placed = rooms.place(asking, others ? tried : new Set());
  if (!("worker" in placed)) return placed;
  return { placement: placed, release: rooms.fleet.book(lease ? { ...placed, lease } : placed, asking) };
}

/** Whose worker it was, and what of its tokens this trigger books: all of them for the flight's last reader, once. */
function costOf(flight: Flight, { usage }: Shaped) {
  return { usage: flight.book(usage), worker: flight.worker };
}

function endOf(
  shaped: Omit<Shaped, "confidence"> & { worker: string; confidence?: number | undefined },
  model: string,
  outcome: "generated" | "joined" | "cached",
): Ending {
  const { finish, usage, worker } = shaped;
  const confidence = shaped.confidence === undefined ? {} : { confidence: shaped.confidence };
  const cost = { usage, model, ...confidence, ...(worker === "" ? {} : { worker }) };
  if (shaped.withheld) return { outcome: "empty", reason: "empty", detail: "low confidence", ...cost };
  const reason = shaped.duplicate ? "duplicate" : "empty";
  return shaped.text === "" ? { outcome: "empty", reason, ...cost } : { outcome, finish, ...cost };
}

function noModel(trigger: Trigger, workers: number): SlipstreamError {
  if (trigger.model !== "" && workers > 0)
    return new SlipstreamError("not_found", `model: no worker serves "${trigger.model}"`, { field: "model" });
  return new SlipstreamError("no_worker", "no worker is connected", { retryAfterMs: 500 });
}
