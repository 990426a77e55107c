// generating: a generation's own path, from its turn in the queue to its end. Work and a prompt in, Deltas said and one Generated out.
// It waits for a worker's credit, is sent, and is asked elsewhere when that worker fails it: anew while no text is out, from
// where its text ends after that. Beside pipeline.ts because a flight outlives the trigger that asked for it.
import { type ErrorCode, SlipstreamError } from "../lib/errors.ts";
import { askingOf, sizeOf } from "./asking.ts";
import {
  type Booking,
  type Delta,
  type Generated,
  type Hold,
  type Late,
  type Milestones,
  noUsage,
  type Prompt,
  type Work,
} from "./completion.ts";
import type { Path } from "./path.ts";
import type { Waited } from "./queue/queue.ts";
import { added, Begun } from "./usage.ts";

/** How often workers are asked for one trigger; its deadline comes first nearly always. */
const asksMax = 5;

/**
 * Waits for a worker's credit and sends; a worker that is lost before its first delta is followed by another. After it nothing
 * is begun anew: the text so far becomes part of the prompt, and another worker goes on from there.
 */
export async function generate(
  rooms: Path,
  work: Work,
  prompt: Prompt,
  at: Milestones,
  { placed, say }: { readonly placed: (worker: string) => void; readonly say: (delta: Delta) => void },
): Promise<Generated> {
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
    at.worker = worker;
    placed(worker);
    tried.add(worker);
    let holder = worker;
    const won = (name: string) => {
      holder = name;
      placed(name);
    };
    const second = { book: (lateMs: number) => spare(rooms, rest.work, rest.prompt, tried, lateMs), won };
    rooms.prewarm.sent(rest.work, rest.prompt);
    const cost = rooms.prompt.send(rest.work, rest.prompt, worker); //  what of it this worker holds already is known here
    const deltas = rooms.dispatch.generate(rest.work, rest.prompt, booking, second);
    const before = begun.usage();
    try {
      for (;;) {
        const step = await deltas.next();
        cost(step.done ? step.value.usage : (step.value.prompt ?? noUsage), holder);
        if (step.done) return { ...step.value, usage: added(before, step.value.usage) };
        begun.add(step.value);
        say(step.value);
      }
    } catch (thrown) {
      if (isItsFault(thrown) && !work.signal.aborted) rooms.failedAt(holder, work, prompt);
      const again = thrown instanceof SlipstreamError && thrown.row.retryable && asked < asksMax && !work.signal.aborted;
      if (!again || !mayGoOn(work, begun.text)) throw thrown;
      rooms.retried(begun.text === "" ? "before_text" : "after_text");
      if (begun.tokens >= work.sampling.maxTokens) return { finish: "length", usage: begun.usage(), worker };
    } finally {
      await deltas.return(undefined as never);
    }
  }
}

/** What the wish itself is refused for, every worker would refuse it for; one that drains or is full did nothing badly. */
const faults: ReadonlySet<ErrorCode> = new Set(["engine_failed", "worker_lost", "internal"]);
const isItsFault = (thrown: unknown) => !(thrown instanceof SlipstreamError) || faults.has(thrown.code);

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

/**
 * A credit for a second try beside the first: of a worker that begins at once, while nobody else waits for it. One that would
 * have to compute for longer than the first has been late waits until it has been: its tokens are lost if the first answers.
 */
function spare(
  rooms: Path,
  work: Work,
  prompt: Prompt,
  tried: ReadonlySet<string>,
  lateMs: number,
): Booking | { readonly againMs: number } | undefined {
  if (rooms.queue.length > 0) return undefined;
  const waited: Waited = { waitedMs: Number.POSITIVE_INFINITY, greedy: true, ahead: () => 0 };
  const { asking, placed } = choose(rooms, work, prompt, tried, waited);
  if (!("worker" in placed) || tried.has(placed.worker)) return undefined;
  const chosen = rooms.fleet.snapshot().workers.find(({ name }) => name === placed.worker);
  if (!chosen || Math.max(chosen.outstanding, chosen.running + 1) > chosen.slots) return undefined;
  if (placed.freshMs > lateMs) return { againMs: placed.freshMs - lateMs };
  // Not for the lease's sake: the session stays where it is.
  const lease = "none";
  return { placement: placed, release: rooms.fleet.book({ ...placed, lease }, asking) };
}

/** A placement with its credit taken, if a worker has one. */
function book(rooms: Path, work: Work, prompt: Prompt, tried: ReadonlySet<string>, waited: Waited): Booking | Hold | Late {
  const { asking, placed } = choose(rooms, work, prompt, tried, waited);
  if (!("worker" in placed)) return placed;
  return { placement: placed, release: rooms.fleet.book(placed, asking) };
}

/** Where it would go now. A worker that failed this trigger is asked again only if it is the last. */
function choose(rooms: Path, work: Work, prompt: Prompt, tried: ReadonlySet<string>, waited: Waited) {
  // What was begun once is ended by its deadline, not refused: some of it may be out.
  const dueMs = tried.size > 0 ? Number.POSITIVE_INFINITY : (work.due?.() ?? work.deadlineMs);
  const asking = askingOf(work, prompt, dueMs, waited);
  const others =
    tried.size > 0 &&
    rooms.fleet
      .snapshot()
      .workers.some(
        ({ name, pool, draining, models }) =>
          !draining &&
          !tried.has(name) &&
          !rooms.dispatch.bars(name) &&
          (prompt.pool === undefined || pool === prompt.pool) &&
          models.some((model) => model.name === prompt.model),
      );
  return { asking, placed: rooms.place(asking, others ? tried : new Set()) };
}
