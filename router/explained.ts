// explained: the rooms of the path as one trigger meets them: each answers as ever, and its Trace learns when, for how long and
// why, in words without code text. So the path (pipeline.ts) says nothing of it, and costs the same where nobody listens.
import { SlipstreamError } from "../lib/errors.ts";
import { traceparent } from "../lib/tracing/context.ts";
import { Retired } from "./completion.ts";
import type { Path } from "./path.ts";
import { Diverged } from "./reuse/reuse.ts";
import type { RoomName, Trace } from "./trace.ts";

/** `spanId` makes the id of a span that a worker is told of. */
export function explained(rooms: Path, trace: Trace, spanId: () => string): Path {
  const now = () => rooms.clock.now();
  const moment = (room: RoomName, what: string) => trace.note(room, now(), what);
  const begin = (room: RoomName, span?: string) => {
    const fromMs = now();
    const end = trace.begin(room, fromMs, span);
    return { took: () => ms(now() - fromMs), end: (what: string) => end(now(), what) };
  };
  return {
    clock: rooms.clock,
    quotas: rooms.quotas,
    bill: rooms.bill,
    fleet: rooms.fleet,
    prewarm: rooms.prewarm,
    reuse: {
      typedAhead: (trigger) => {
        const ahead = rooms.reuse.typedAhead(trigger);
        if (ahead) moment("reuse", `what was shown is being typed: ${units(ahead.text)} of it are left`);
        return ahead;
      },
      followed: (trigger) => {
        const followed = rooms.reuse.followed(trigger);
        moment(
          "reuse",
          followed
            ? `follows the generation under way on ${followed.flight.worker || "no worker yet"}: ${units(followed.typed)} typed since it began`
            : "nothing shown or under way agrees with the text",
        );
        return followed;
      },
      drop: (typed, deltas) => rooms.reuse.drop(typed, deltas),
      watch: (trigger, flight) => rooms.reuse.watch(trigger, flight),
      remember: (trigger, text) => rooms.reuse.remember(trigger, text),
    },
    settle: {
      take: (trigger) => {
        const turn = rooms.settle.take(trigger);
        return {
          settled: async () => {
            const step = begin("settle");
            try {
              await turn.settled();
              step.end(`waited ${step.took()} of the pause after the key`);
            } catch (thrown) {
              step.end(`${why(thrown)} while it waited for the pause`);
              throw thrown;
            }
          },
          [Symbol.dispose]: () => turn[Symbol.dispose](),
        };
      },
    },
    gate: {
      judge: (trigger, pressure, at) => {
        let passed = trigger.kind === "auto" ? "" : `: ${trigger.kind} always does`;
        const gated = rooms.gate.judge(trigger, pressure, at, (why) => {
          passed = `: ${why}`;
        });
        const load = `a worker is ${ms(pressure.predictedWaitMs)} away`;
        moment("gate", gated ? `${gated.reason}: ${gated.detail}; ${load}` : `passes${passed}; ${load}`);
        return gated;
      },
    },
    context: {
      gather: (...given) => {
        const context = rooms.context.gather(...given);
        moment("context", `${context.snippets.length} chunks; the client sent ${given[0].snippets.length}`);
        return context;
      },
    },
    prompt: {
      contextBudget: (...given) => rooms.prompt.contextBudget(...given),
      send: (...given) => rooms.prompt.send(...given),
      render: (...given) => {
        const step = begin("prompt");
        const prompt = rooms.prompt.render(...given);
        const { bytes, segments, blocks, model } = prompt;
        step.end(`${bytes} bytes in ${segments.length} segments, ${blocks.length >> 3} blocks, for ${model}`);
        return prompt;
      },
    },
    cache: {
      find: (...given) => {
        const known = rooms.cache.find(...given);
        if (known) moment("cache", `an identical prompt was finished before: ${units(known.text)}`);
        return known;
      },
      join: (...given) => {
        const other = rooms.cache.join(...given);
        const where = other?.worker ? ` on ${other.worker}` : "";
        moment("cache", other ? `joins an identical generation under way${where}` : "no identical prompt finished or under way");
        return other;
      },
      launch: (...given) => rooms.cache.launch(...given),
      keep: (...given) => rooms.cache.keep(...given),
    },
    queue: {
      get length() {
        return rooms.queue.length;
      },
      isGreedy: (tenant) => rooms.queue.isGreedy(tenant),
      predictedWaitMs: (...given) => rooms.queue.predictedWaitMs(...given),
      serviceMs: (lane) => rooms.queue.serviceMs(lane),
      next: async (work, size, place) => {
        const step = begin("queue");
        const { length } = rooms.queue;
        const ahead = length === 0 ? "" : `, ${length} waiting`;
        try {
          const booking = await rooms.queue.next(work, size, place);
          step.end(`waited ${step.took()} for a credit in the ${work.lane} lane${ahead}`);
          return booking;
        } catch (thrown) {
          step.end(`${why(thrown)} in the ${work.lane} lane${ahead}`);
          throw thrown;
        }
      },
    },
    place: (asking, avoid) => {
      const placement = rooms.place(asking, avoid);
      if ("worker" in placement)
        moment("schedule", `${placement.worker}: ${placed[placement.why]}; ${placement.freshTokens} prompt tokens to compute`);
      return placement;
    },
    dispatch: {
      bars: (worker) => rooms.dispatch.bars(worker),
      generate: (work, prompt, booking, second) => {
        let { worker } = booking.placement;
        const span = trace.context && spanId();
        const told = span && trace.context ? traceparent({ ...trace.context, spanId: span }) : undefined;
        const step = begin("dispatch", span);
        const end = (how: string) => step.end(`${worker}: ${first}, then ${how}`);
        let first = "no text";
        const other = second && {
          book: (lateMs: number) => second.book(lateMs),
          won: (winner: string) => {
            worker = `${worker} stalled, ${winner}`;
            second.won(winner);
          },
        };
        return rooms.dispatch.generate(told ? { ...work, traceparent: told } : work, prompt, booking, other, {
          first: () => {
            first = `first text after ${step.took()}`;
          },
          ended: ({ finish, usage }) =>
            end(
              `${finish}; ${usage.completionTokens} tokens; prompt ${usage.promptTokens} tokens, ${usage.recomputedTokens} computed`,
            ),
          broke: (thrown) => end(enough(work.signal) ? "its readers had enough" : why(thrown)),
          left: () => end("its readers had enough"),
        });
      },
    },
    retried: (when) => rooms.retried(when),
    failedAt: (worker, work, prompt) => rooms.failedAt(worker, work, prompt),
    predict: (asking) => rooms.predict(asking),
    fallbacks: (...given) => rooms.fallbacks(...given),
    shortened: (how) => {
      moment("schedule", `to be in time: ${shortenedTo[how]}`);
      rooms.shortened(how);
    },
    late: (lane) => {
      moment("schedule", "no worker can answer before the deadline");
      rooms.late(lane);
    },
    stream: {
      withholds: (...given) => rooms.stream.withholds(...given),
      shape: (...given) => {
        let step: ReturnType<typeof begin> | undefined;
        const end = (what: string) => (step ?? begin("stream")).end(what);
        return watched(rooms.stream.shape(...given), {
          first: () => {
            step = begin("stream");
          },
          ended: ({ text, finish, withheld, confidence }) =>
            end(
              withheld
                ? `held back: the model is too unsure (${confidence?.toFixed(2)})`
                : `${units(text)}, ended by ${ends[finish]}`,
            ),
          broke: (thrown) => {
            if (thrown instanceof Diverged) moment("reuse", "the typist went another way");
            else end(`${why(thrown)} ${step ? "after" : "before"} the first text`);
          },
          left: () => end("the reader left"),
        });
      },
    },
  };
}

const shortenedTo = { tokens: "fewer tokens", prompt: "a shorter prompt", fallback: "the fallback tier" } as const;
const placed = {
  lease: "it holds the session, and has a slot",
  shared: "it holds the beginning, which others have too",
  replica: "those that hold the beginning, which others have too, are busy",
  least_cost: "the least loaded with a slot",
} as const;
const ends = { stop: "the model", length: "the token limit", cut: "the cut", deadline: "the deadline" } as const;

const ms = (time: number) => `${Math.round(time * 10) / 10} ms`;
/** The last reader of a generation left because it had what it wanted. */
const enough = ({ aborted, reason }: AbortSignal) => aborted && !(reason instanceof Retired);
const units = ({ length }: string) => `${length} ${length === 1 ? "character" : "characters"}`;
const why = (thrown: unknown) => (thrown instanceof Retired ? thrown.outcome : SlipstreamError.from(thrown).code);

interface Told<R> {
  first(): void;
  ended(end: R): void;
  broke(thrown: unknown): void;
  /** Closed from outside before it ended. */
  left(): void;
}

/** The same generator; `told` learns of its first value and of its end, once. */
function watched<T, R>(inner: AsyncGenerator<T, R>, told: Told<R>): AsyncGenerator<T, R> {
  let [begun, over] = [false, false];
  const seen = (step: IteratorResult<T, R>) => {
    if (step.done && !over) {
      over = true;
      told.ended(step.value);
    } else if (!begun && !step.done) {
      begun = true;
      told.first();
    }
    return step;
  };
  const broke = (thrown: unknown): never => {
    if (!over) told.broke(thrown);
    over = true;
    throw thrown;
  };
  const left = () => {
    if (!over) told.left();
    over = true;
  };
  return {
    next: () => inner.next().then(seen, broke),
    return: (value) => {
      left();
      return inner.return(value);
    },
    throw: (thrown) => {
      left();
      return inner.throw(thrown);
    },
    [Symbol.asyncIterator]() {
      return this;
    },
    [Symbol.asyncDispose]: async () => {
      left();
      await inner.return(undefined as never);
    },
  };
}
