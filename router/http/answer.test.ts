import { EventEmitter } from "node:events";
import { expect, test } from "vitest";
import { FakeClock } from "../../lib/clock.fake.ts";
import { SlipstreamError } from "../../lib/errors.ts";
import { triggerAt } from "../../test/support/router.ts";
import { type Delta, type Ending, noUsage } from "../completion.ts";
import { streamed, whole } from "./answer.ts";
import type { Call } from "./route.ts";

/** The socket's end of an answer, whose reader takes `room` pieces before it has to be waited for. */
class Reader extends EventEmitter {
  readonly written: string[] = [];
  room: number;
  destroyed = false;
  constructor(room: number) {
    super();
    this.room = room;
  }
  writeHead() {}
  write(text: string): boolean {
    this.written.push(text);
    this.room -= 1;
    return this.room > 0;
  }
  end(text: string): void {
    this.written.push(text);
  }
  destroy(): void {
    this.destroyed = true;
    this.emit("close");
  }
}

function calling(ending: Partial<Ending>, pieces: readonly string[], room = Number.POSITIVE_INFINITY) {
  const raw = new Reader(room);
  const clock = new FakeClock();
  const headers: Record<string, unknown> = {};
  let pulled = 0;
  async function* path(): AsyncGenerator<Delta, Ending> {
    for (const text of pieces) {
      pulled += 1;
      yield { text, tokens: 1 };
    }
    return { outcome: "generated", usage: noUsage, ...ending };
  }
  const reply = {
    raw,
    hijack: () => {},
    getHeaders: () => headers,
    header: (name: string, value: unknown) => (headers[name] = value),
  };
  const call = { router: { run: path, clock }, request: { headers: {} }, reply } as unknown as Call<unknown>;
  return { call, raw, clock, headers, pulled: () => pulled };
}

const manner = {
  api: "openai" as const,
  type: "text/event-stream" as const,
  piece: (text: string) => text,
  end: () => "end",
};
const manyTurns = async () => {
  for (let i = 0; i < 50; i++) await Promise.resolve();
};

test("a reader that is slow holds its own generation back, until it goes on", async () => {
  const { call, raw, pulled } = calling({}, ["a", "b", "c", "d"], 2);
  const answering = streamed(call, triggerAt("|"), manner);
  await manyTurns();
  expect([raw.written, pulled()]).toEqual([["a", "b"], 2]);
  raw.room = 9;
  raw.emit("drain");
  await answering;
  expect(raw.written.join("")).toBe("abcdend");
});

test("one that does not go on is waited for no longer than the trigger lives", async () => {
  const { call, raw } = calling({}, ["a", "b"], 1);
  const controller = new AbortController();
  const answering = streamed(call, triggerAt("|", { signal: controller.signal }), manner);
  await manyTurns();
  expect(raw.written).toEqual(["a"]);
  controller.abort();
  await answering;
  expect(raw.written.at(-1)).toBe("end");
});

test("one that never takes the end is cut off", async () => {
  const { call, raw, clock } = calling({}, ["a"]);
  await streamed(call, triggerAt("|"), manner);
  await clock.advance(29_000);
  expect(raw.destroyed).toBe(false);
  await clock.advance(2_000);
  expect(raw.destroyed).toBe(true);
});

const superseded = { outcome: "superseded", reason: "superseded" } as const;
const late = { outcome: "refused", reason: "deadline", code: "too_late", detail: "too_late: 3 ms too late" } as const;
const quota = { outcome: "refused", reason: "quota", code: "overloaded", detail: "overloaded: used up", retryAfterMs: 70 } as const;
const lost = { outcome: "failed", reason: "error", error: new SlipstreamError("worker_lost", "gone") } as const;

test.each([
  ["generated", {}, undefined, undefined],
  ["superseded", superseded, "cancelled", undefined],
  ["expired", { outcome: "expired", reason: "deadline" }, "deadline_exceeded", undefined],
  ["gated", { outcome: "gated", reason: "brownout", retryAfterMs: 40 }, "overloaded", undefined],
  ["refused as late", late, "too_late", undefined],
  ["over its quota", quota, "overloaded", "overloaded"],
  ["failed", lost, "worker_lost", "worker_lost"],
] as const)("a trigger that is %s, to a program and to an editor that asks at every key", async (_, ending, loud, quiet) => {
  for (const [isQuiet, code] of [
    [false, loud],
    [true, quiet],
  ] as const) {
    const { call, headers } = calling(ending as Partial<Ending>, []);
    const answered = await whole(call, triggerAt("|"), { api: "openai", quiet: isQuiet }).catch((thrown: unknown) => thrown);
    expect(answered instanceof SlipstreamError ? answered.code : undefined).toBe(code);
    if (code === "overloaded") expect((answered as SlipstreamError).retryAfterMs).toBeGreaterThan(0);
    expect(headers["slipstream-outcome"]).toBe("outcome" in ending ? ending.outcome : "generated");
  }
});

test("what was written of a text that was given up is nobody's", async () => {
  const { call } = calling(superseded, ["half a "]);
  expect((await whole(call, triggerAt("|"), { api: "llama", quiet: true })).text).toBe("");
});
