import { expect, test } from "vitest";
import { FakeClock, settle as letRun } from "../lib/clock.fake.ts";
import { recordedMetrics, triggerAt } from "../test/support/router.ts";
import { withAlternatives } from "./alternatives.ts";
import { type Delta, type Ending, type Milestones, noUsage, Retired, type Trigger } from "./completion.ts";
import { Settle } from "./settle/settle.ts";

type Path = (trigger: Trigger, at: Milestones) => AsyncGenerator<Delta, Ending>;

const settleRoom = () =>
  new Settle(
    { pauseMaxMs: 0, sessionsMax: 10 },
    { clock: new FakeClock(), metrics: recordedMetrics().metrics, load: () => ({ busy: 0, answerMs: 0 }) },
  );

/** A path that says the text of each seed; undefined is greedy. What is not named fails. */
function saying(texts: ReadonlyMap<number | undefined, string>, settle = settleRoom()) {
  const asked: Trigger[] = [];
  const path: Path = async function* (trigger) {
    asked.push(trigger);
    using _turn = settle.take(trigger);
    await letRun();
    trigger.signal.throwIfAborted();
    const text = texts.get(trigger.sampling.seed);
    if (text === undefined) throw new Error("lost");
    const usage = { ...noUsage, promptTokens: 100, completionTokens: text.length };
    if (text === "") return { outcome: "empty", reason: "empty", usage };
    yield { text: text.slice(0, 1), tokens: 1 };
    if (text.length > 1) yield { text: text.slice(1), tokens: 1 };
    return { outcome: "generated", finish: "stop", usage, model: "m" };
  };
  return { path, asked, settle };
}

async function read(path: AsyncGenerator<Delta, Ending>) {
  const pieces: string[] = [];
  for (let step = await path.next(); ; step = await path.next()) {
    if (step.done) return { pieces, ending: step.value };
    pieces.push(step.value.text);
  }
}

const invoked = (n: number, given: Partial<Trigger> = {}) => triggerAt("a = |", { kind: "invoked", n, ...given });

test.each<[name: string, texts: [number | undefined, string][], n: number, pieces: string[], alternatives: string[] | undefined]>([
  ["one is the path's own", [[undefined, "b;"]], 1, ["b", ";"], undefined],
  [
    "three",
    [
      [undefined, "b;"],
      [1, "c;"],
      [2, "d;"],
    ],
    3,
    ["b", ";"],
    ["c;", "d;"],
  ],
  [
    "the same is said once",
    [
      [undefined, "b;"],
      [1, "b;"],
      [2, "d;"],
    ],
    3,
    ["b", ";"],
    ["d;"],
  ],
  [
    "two that say the same",
    [
      [undefined, "b;"],
      [1, "d;"],
      [2, "d;"],
    ],
    3,
    ["b", ";"],
    ["d;"],
  ],
  [
    "one that says nothing, one that fails",
    [
      [undefined, "b;"],
      [1, ""],
    ],
    3,
    ["b", ";"],
    [],
  ],
  [
    "nothing is not said again",
    [
      [undefined, ""],
      [1, "c;"],
    ],
    3,
    [],
    undefined,
  ],
])("%s", async (_, texts, n, pieces, alternatives) => {
  const { path, settle } = saying(new Map(texts));
  const got = await read(withAlternatives({ settle }, path, invoked(n), {}));
  expect(got.pieces).toEqual(pieces);
  expect(got.ending.alternatives).toEqual(alternatives);
  expect(settle.size).toBe(0);
});

test("the others are sampled, each by a seed of its own, and their tokens are booked in the one ending", async () => {
  const { path, asked, settle } = saying(
    new Map([
      [undefined, "bb"],
      [1, "ccc"],
      [2, "d"],
    ]),
  );
  const { ending } = await read(withAlternatives({ settle }, path, invoked(3, { stream: true }), {}));
  expect(ending).toMatchObject({ outcome: "generated", usage: { promptTokens: 300, completionTokens: 6 } });
  expect(asked.map(({ n, stream, sampling }) => [n, stream, sampling.temperature, sampling.seed])).toEqual([
    [3, true, 0, undefined],
    [1, false, 0.6, 1],
    [1, false, 0.6, 2],
  ]);
  expect(new Set(asked.map((trigger) => trigger.document)).size).toBe(3);
});

test("a client's own temperature and seed are kept, and counted on from", async () => {
  const sampling = { ...triggerAt("|").sampling, temperature: 1.1, seed: 7 };
  const { path, asked, settle } = saying(
    new Map([
      [7, "b"],
      [8, "c"],
    ]),
  );
  await read(withAlternatives({ settle }, path, invoked(2, { sampling }), {}));
  expect(asked.map((trigger) => [trigger.sampling.temperature, trigger.sampling.seed])).toEqual([
    [1.1, 7],
    [1.1, 8],
  ]);
});

test("a newer trigger of the document ends them all, in the one outcome", async () => {
  const { path, settle } = saying(
    new Map([
      [undefined, "b"],
      [1, "c"],
      [2, "d"],
    ]),
  );
  const trigger = invoked(3);
  const reading = withAlternatives({ settle }, path, trigger, {});
  expect((await reading.next()).value).toMatchObject({ text: "b" });
  const rest = reading.next().catch((thrown: unknown) => thrown);
  settle.take(invoked(1));
  expect(await rest).toMatchObject({ outcome: "superseded" });
  expect(trigger.signal.aborted).toBe(true);
});

test("at the deadline the texts that are there stand", async () => {
  const { path, settle } = saying(
    new Map([
      [undefined, "b"],
      [1, "c"],
    ]),
  );
  const trigger = invoked(2);
  const reading = withAlternatives({ settle }, path, trigger, {});
  await reading.next();
  const end = reading.next();
  trigger.retire(new Retired("expired"));
  expect(await end).toMatchObject({ done: true, value: { outcome: "generated", alternatives: [] } });
});

test("a reader that leaves early gives the turn back", async () => {
  const { path, settle } = saying(new Map([[undefined, "bc"]]));
  const reading = withAlternatives({ settle }, path, invoked(2), {});
  await reading.next();
  await reading.return(undefined as never);
  expect(settle.size).toBe(0);
});

test("an ended trigger retires nobody", async () => {
  const { path, settle } = saying(new Map());
  const live = invoked(1);
  settle.take(live);
  const ended = invoked(2);
  ended.retire(new Retired("cancelled"));
  await expect(withAlternatives({ settle }, path, ended, {}).next()).rejects.toMatchObject({ outcome: "cancelled" });
  expect(live.signal.aborted).toBe(false);
});
