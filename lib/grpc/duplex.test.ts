import { EventEmitter } from "node:events";
import { expect, test } from "vitest";
import { settle } from "../clock.fake.ts";
import { SlipstreamError } from "../errors.ts";
import { duplexOver, type ObjectStream } from "./duplex.ts";

/** A stream whose peer is the test: frames come by `say`, writes wait until `flush`. */
class FakeStream implements ObjectStream {
  readonly #events = new EventEmitter();
  readonly written: unknown[] = [];
  readonly room: number;
  paused = false;
  readableEnded = false;
  destroyed = false;
  writableLength = 0;
  writableNeedDrain = false;
  #held: unknown[] = [];

  constructor(room: number) {
    this.room = room;
  }

  on(event: string, listener: (value: never) => void): unknown {
    return this.#events.on(event, listener as (value: unknown) => void);
  }

  emit(event: string, value?: unknown): void {
    this.#events.emit(event, value);
  }

  say(...frames: unknown[]): void {
    this.#held.push(...frames);
    while (!this.paused && this.#held.length > 0) this.emit("data", this.#held.shift());
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
    this.say();
  }

  write(frame: unknown): boolean {
    this.written.push(frame);
    this.writableLength += 1;
    this.writableNeedDrain ||= this.writableLength >= this.room;
    return !this.writableNeedDrain;
  }

  flush(): void {
    this.writableLength = 0;
    const say = this.writableNeedDrain;
    this.writableNeedDrain = false;
    if (say) this.emit("drain");
  }
}

function make(limits = { readAheadMax: 4, writeBehindMax: 8 }, room = 3) {
  const stream = new FakeStream(room);
  const ends: string[] = [];
  const duplex = duplexOver<number, number>(
    stream,
    {
      end: () => ends.push("end"),
      fail: (error) => ends.push(`fail ${error.code}`),
      cut: (error) => ends.push(`cut ${error.code}`),
    },
    limits,
  );
  return { stream, duplex, ends };
}

const protocol = new SlipstreamError("protocol", "two hellos");

async function read(frames: AsyncIterable<number>, into: (number | string)[]): Promise<void> {
  try {
    for await (const frame of frames) into.push(frame);
    into.push("end");
  } catch (error) {
    into.push((error as SlipstreamError).code);
  }
}

test("reading pauses the peer at the bound and lets it go on when half is read", async () => {
  const { stream, duplex } = make();
  stream.say(1, 2, 3);
  expect(stream.paused).toBe(false);
  stream.say(4, 5, 6, 7, 8, 9);
  expect(stream.paused).toBe(true);
  const seen: number[] = [];
  const states: boolean[] = [];
  for await (const frame of duplex.frames) {
    seen.push(frame);
    states.push(stream.paused);
    if (frame === 9) break;
  }
  expect(seen).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  // With 3 less than half of the four are left: the peer goes on and fills it again. With 6 it sends all that it had.
  expect(states).toEqual([true, true, true, true, true, false, false, false, false]);
});

test("a reader that takes what the stream still held loses no frame to the status that came before", async () => {
  const { stream, duplex } = make();
  stream.say(1, 2, 3, 4, 5, 6);
  stream.on("end", () => {
    stream.readableEnded = true;
  });
  duplex.settle(protocol);
  stream.emit("end");
  expect(duplex.signal.reason).toBe(protocol);
  const seen: (number | string)[] = [];
  await read(duplex.frames, seen);
  expect(seen).toEqual([1, 2, 3, 4, 5, 6, "protocol"]);
});

test("ending with an error ends the pending read after the frames that are there", async () => {
  const { stream, duplex, ends } = make();
  const seen: (number | string)[] = [];
  const reading = read(duplex.frames, seen);
  await settle();
  stream.say(1, 2);
  duplex.end(protocol);
  stream.say(3);
  await reading;
  expect([seen, ends]).toEqual([[1, 2, "protocol"], ["fail protocol"]]);
  expect(duplex.signal.reason).toBe(protocol);
});

test("room is waited for only where a drain will come", async () => {
  const { stream, duplex } = make();
  expect(duplex.send(1)).toBe(true);
  // One frame is on its way, but no drain is due: waiting for one would never end.
  await duplex.drained();
  expect([duplex.send(2), duplex.send(3)]).toEqual([true, false]);
  let drained = 0;
  void duplex.drained().then(() => drained++);
  void duplex.drained().then(() => drained++);
  await settle();
  expect(drained).toBe(0);
  stream.flush();
  await settle();
  expect(drained).toBe(2);
});

test.each([
  ["its end", (made: ReturnType<typeof make>) => made.duplex.end()],
  ["its end with an error", (made: ReturnType<typeof make>) => made.duplex.end(protocol)],
  ["the end of the call", (made: ReturnType<typeof make>) => made.duplex.over()],
  ["the call's status", (made: ReturnType<typeof make>) => made.duplex.settle()],
  ["the close of the stream", (made: ReturnType<typeof make>) => made.stream.emit("close")],
])("a wait for room ends by %s, and later waits end at once", async (_how, act) => {
  const made = make();
  while (made.duplex.send(0));
  const waiting = made.duplex.drained();
  act(made);
  await waiting;
  await made.duplex.drained();
  expect(made.duplex.send(1)).toBe(false);
});

test("a peer that does not read is cut off at the bound", async () => {
  const { stream, duplex, ends } = make();
  const seen: (number | string)[] = [];
  const reading = read(duplex.frames, seen);
  for (let i = 0; i < 20; i++) duplex.send(i);
  await reading;
  expect(stream.written).toHaveLength(8);
  expect([ends, seen]).toEqual([["cut overloaded"], ["overloaded"]]);
  expect(duplex.signal.reason).toMatchObject({ code: "overloaded" });
});

test("a half-closed stream still reads, and can still be torn down", async () => {
  const { stream, duplex, ends } = make();
  duplex.end();
  duplex.end();
  const seen: (number | string)[] = [];
  const reading = read(duplex.frames, seen);
  stream.say(1);
  expect(duplex.signal.aborted).toBe(false);
  duplex.end(protocol);
  duplex.end(protocol);
  await reading;
  expect([seen, ends]).toEqual([
    [1, "protocol"],
    ["end", "fail protocol"],
  ]);
});

test("the peer's end ends the reading, not the writing", async () => {
  const { stream, duplex } = make();
  const seen: (number | string)[] = [];
  stream.say(1);
  stream.emit("end");
  await read(duplex.frames, seen);
  expect([seen, duplex.send(5), duplex.signal.aborted]).toEqual([[1, "end"], true, false]);
});

test("after the end nothing more happens, whatever is said", async () => {
  const { stream, duplex, ends } = make();
  duplex.over();
  duplex.end();
  duplex.end(protocol);
  stream.say(1);
  const seen: (number | string)[] = [];
  await read(duplex.frames, seen);
  expect([seen, ends, stream.written]).toEqual([["end"], [], []]);
});
