import { expect, test } from "vitest";
import { FakeClock } from "../../lib/clock.fake.ts";
import type { WorkerFrame } from "../../proto/gen/slipstream/v1/worker_pb.ts";
import { Emission, type EmissionOptions } from "./emission.ts";

function emission(options: Partial<EmissionOptions> = {}) {
  const clock = new FakeClock();
  const sent: { at: number; text: string; tokens: number; confidence: number | undefined }[] = [];
  let waits = 0;
  const made = new Emission(
    { id: 1n, coalesceMs: 2, stops: [], stopAtNewline: false, windowBytes: Number.POSITIVE_INFINITY, ...options },
    {
      clock,
      send: ({ frame }: WorkerFrame) => {
        if (frame.case !== "delta") throw new Error("not a delta");
        const { text, tokens, confidence } = frame.value;
        sent.push({ at: clock.now(), text, tokens, confidence });
      },
      sent: () => {},
      waits: () => {
        waits += 1;
      },
    },
  );
  return { clock, made, sent, waits: () => waits, texts: () => sent.map((delta) => delta.text) };
}
const piece = (text: string, tokens = 1) => ({ text, tokens });

test("the first piece goes at once, what follows within the time goes together", async () => {
  const { clock, made, sent } = emission();
  for (const text of ["a", "b", "c"]) made.take(piece(text));
  expect(sent.map(({ text }) => text)).toEqual(["a"]);
  await clock.advance(2);
  expect(sent.slice(1)).toMatchObject([{ at: 1_002, text: "bc", tokens: 2 }]);
  await clock.advance(10);
  made.take(piece("d"));
  expect(sent.at(-1)?.text).toBe("d");
  await made.finish();
  expect(clock.next()).toBeUndefined();
});

test("confidence is the mean over the tokens that carry one", () => {
  const { made, sent } = emission({ coalesceMs: 0 });
  made.take({ text: "a", tokens: 1, confidence: 0.5 });
  made.take({ text: "b", tokens: 1 });
  expect(sent.map((delta) => delta.confidence)).toEqual([0.5, undefined]);
});

test("a window lets whole characters through, and the end waits for the rest", async () => {
  const { clock, made, texts, waits, sent } = emission({ windowBytes: 6 });
  made.take(piece("ab你好", 4));
  expect(texts()).toEqual(["ab你"]);
  let drained = false;
  void made.finish().then(() => {
    drained = true;
  });
  made.open(1);
  await clock.advance(0);
  expect([texts().length, drained]).toEqual([1, false]);
  made.open(2);
  await clock.advance(0);
  expect([texts(), drained, waits()]).toEqual([["ab你", "好"], true, 1]);
  expect(sent.reduce((sum, delta) => sum + delta.tokens, 0)).toBe(4);
});

test("held-back text goes out at the end", async () => {
  const { made, texts } = emission({ stops: ["<|end|>"] });
  made.take(piece("ab<|e"));
  await made.finish();
  expect(texts()).toEqual(["ab", "<|e"]);
});

test("a stop ends the text: what comes later is no part of it", async () => {
  const { made, texts } = emission({ stops: [";"] });
  expect(made.take(piece("a;b"))).toBe("stop");
  expect(made.take(piece("c"))).toBeUndefined();
  await made.finish();
  expect(texts()).toEqual(["a"]);
});

test("closed, nothing is sent, not even what waits for a timer, a window or the end", async () => {
  const { clock, made, texts } = emission({ windowBytes: 2 });
  made.take(piece("ab"));
  made.take(piece("cd"));
  const finished = made.finish();
  made.close();
  made.open(100);
  made.take(piece("e"));
  await finished;
  await clock.advance(100);
  expect(texts()).toEqual(["ab"]);
});
