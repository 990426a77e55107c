import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { RouterFrameSchema, WorkerFrameSchema } from "../proto/gen/slipstream/v1/worker_pb.ts";
import { type Ended, LinkMonitor } from "./link-monitor.ts";

type Up = MessageInitShape<typeof RouterFrameSchema>["frame"];
type Down = MessageInitShape<typeof WorkerFrameSchema>["frame"];
const credits: Down = { case: "credits", value: { inline: 2 } };
const submit = (id: bigint): Up => ({ case: "submit", value: { id, lane: 1, cacheSalt: "t" } });
const cancel = (id: bigint): Up => ({ case: "cancel", value: { id } });
const delta = (id: bigint): Down => ({ case: "delta", value: { id, text: "x" } });
const done = (id: bigint): Down => ({ case: "done", value: { id, usage: { promptTokens: 3 } } });
const ack = (id: bigint): Down => ({ case: "cancelAck", value: { id } });

/** Plays [time, up or down, frame]; a frame up arrives 5 ms later. */
function play(...steps: [number, "up" | "down", Up | Down][]) {
  let now = 0;
  const violations: string[] = [];
  const ended: Ended[] = [];
  const began: [salt: string, sinceMs: number][] = [];
  const deps = {
    now: () => now,
    violate: (what: string) => violations.push(what),
    ended: (end: Ended) => ended.push(end),
    began: (salt: string, sinceMs: number) => began.push([salt, sinceMs]),
  };
  const monitor = new LinkMonitor({ name: "l", worker: "w", abortMaxMs: 10 }, deps);
  for (const [at, direction, frame] of steps) {
    now = at;
    if (direction === "up") monitor.up.sent?.(create(RouterFrameSchema, { frame: frame as Up } as never), at + 5);
    else {
      const made = create(WorkerFrameSchema, { frame: frame as Down } as never);
      const down = monitor.down("inline");
      down.sent?.(made, at + 5);
      down.arrived?.(made);
    }
  }
  const at = (ms: number) => {
    now = ms;
  };
  const arrive = (frame: Up) => monitor.up.arrived?.(create(RouterFrameSchema, { frame } as never));
  return { violations, ended, began, monitor, at, arrive };
}

test("a link that keeps its protocol has no violation, and its ends are told with text and usage", () => {
  const { violations, ended, monitor } = play(
    [0, "down", credits],
    [1, "up", submit(1n)],
    [2, "up", submit(2n)],
    [10, "down", delta(1n)],
    [11, "up", cancel(2n)],
    [12, "down", done(1n)],
    [13, "up", cancel(1n)],
    [26, "down", ack(2n)],
  );
  expect(violations).toEqual([]);
  expect(ended.map(({ id, end, text, usage }) => [id, end, text, usage?.promptTokens])).toEqual([
    [1n, "done", "x", 3],
    [2n, "cancelAck", "", undefined],
  ]);
  expect(monitor.open).toBe(0);
});

test("each breach of the protocol is named", () => {
  const cases: [string, Parameters<typeof play>][] = [
    ["generation 1 of lane 1 is submitted with 0 of 0 credits used", [[0, "up", submit(1n)]]],
    [
      "generation 3 of lane 1 is submitted with 2 of 2 credits used",
      [
        [0, "down", credits],
        [0, "up", submit(1n)],
        [0, "up", submit(2n)],
        [0, "up", submit(3n)],
      ],
    ],
    [
      "generation 1 is submitted after 1",
      [
        [0, "down", credits],
        [0, "up", submit(1n)],
        [0, "up", submit(1n)],
      ],
    ],
    ["generation 1 is cancelled before it was submitted", [[0, "up", cancel(1n)]]],
    ["delta for generation 1, which is not under way", [[0, "down", delta(1n)]]],
    [
      "delta for generation 1 before it arrived",
      [
        [0, "down", credits],
        [0, "up", submit(1n)],
        [4, "down", delta(1n)],
      ],
    ],
    [
      "done for generation 1, which is not under way",
      [
        [0, "down", credits],
        [0, "up", submit(1n)],
        [9, "down", done(1n)],
        [10, "down", done(1n)],
      ],
    ],
    [
      "delta for generation 1, which is not under way",
      [
        [0, "down", credits],
        [0, "up", submit(1n)],
        [9, "up", cancel(1n)],
        [15, "down", ack(1n)],
        [16, "down", delta(1n)],
      ],
    ],
    [
      "delta for generation 1 10.5 ms after its Cancel arrived",
      [
        [0, "down", credits],
        [0, "up", submit(1n)],
        [9, "up", cancel(1n)],
        [24.5, "down", delta(1n)],
      ],
    ],
    [
      "generation 1 ran to its end, though its Cancel had arrived 1.0 ms before",
      [
        [0, "down", credits],
        [0, "up", submit(1n)],
        [9, "up", cancel(1n)],
        [15, "down", done(1n)],
      ],
    ],
    [
      "cancelAck for generation 1 without a Cancel",
      [
        [0, "down", credits],
        [0, "up", submit(1n)],
        [9, "down", ack(1n)],
      ],
    ],
  ];
  for (const [violation, steps] of cases) expect(play(...steps).violations).toEqual([`link l: ${violation}`]);
});

test("a generation began when the worker had kept it waiting, if it computed anything", () => {
  const end = (id: bigint, usage: object): Down => ({ case: "done", value: { id, usage } }) as Down;
  const { ended } = play(
    [0, "down", credits],
    [1, "up", submit(1n)],
    [1, "up", submit(2n)],
    [40, "down", end(1n, { queueMs: 20, recomputedTokens: 3 })],
    [40, "down", end(2n, { queueMs: 34 })],
    [40, "up", submit(3n)],
    [60, "down", { case: "refused", value: { id: 3n } } as Down],
  );
  expect(ended.map(({ worker, id, beganMs }) => [worker, id, beganMs])).toEqual([
    ["w", 1n, 26],
    ["w", 2n, undefined],
    ["w", 3n, 45],
  ]);
});

test("what has no end may have begun when it arrived", () => {
  const { began, monitor, arrive, at } = play([0, "down", credits], [1, "up", submit(1n)], [9, "up", submit(2n)]);
  arrive(submit(1n));
  expect(began).toEqual([]);
  at(10);
  arrive({ case: "prewarm", value: { cacheSalt: "p" } });
  monitor.broke();
  expect(began).toEqual([
    ["p", 10],
    ["t", 6],
  ]);
  at(14);
  arrive(submit(2n));
  expect(began.at(-1)).toEqual(["t", 14]);
});

test("a broken link forgets what was under way", () => {
  const { monitor } = play([0, "down", credits], [0, "up", submit(1n)], [9, "down", delta(1n)]);
  expect(monitor.broke()).toMatchObject([{ salt: "t", text: "x" }]);
  expect(monitor.open).toBe(0);
});
