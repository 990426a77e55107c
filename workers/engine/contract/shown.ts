// shown: a check for each ability, which holds on an engine that has it and throws on one that has not.
import assert from "node:assert/strict";
import type { Model } from "../../generation.ts";
import type { Sleeper } from "../sleeping.ts";
import type { Ability } from "./abilities.ts";
import type { Check } from "./promises.ts";
import { codeOf, goingOn, infilling, quiet, ran, type Subject, until, wish } from "./trying.ts";

/** What is told a moment later: counters are read every second, events as they come. */
const tellingMs = 4_000;
const never = new AbortController().signal;

export const shown: Readonly<Record<Ability, Check>> = {
  async cached_told(subject) {
    assert.ok((await cachedAgain(subject, codeOf("told"))) > 0, "it tells of nothing cached");
  },

  async prefix_ahead(subject) {
    const { engine } = subject;
    const text = codeOf("ahead");
    const work = wish(subject, text);
    await engine.warm(work.model, infilling(engine.models[0] as Model, text), never, work.cacheSalt);
    assert.ok((await ran(engine, work)).end.usage.cachedTokens > 0, "nothing of it was there");
  },

  async tenants_apart(subject) {
    const { engine } = subject;
    const text = codeOf("tenants");
    const cached = async (cacheSalt: string) => (await ran(engine, wish(subject, text, { cacheSalt }))).end.usage.cachedTokens;
    assert.equal(await cached("one"), 0);
    const own = await cached("one");
    assert.deepEqual([await cached("two"), await cached("")], [0, 0], "another tenant found it");
    assert.ok(own > 0, "it cannot be seen: nothing is told of the cache");
  },

  async better_lane_first(subject) {
    const { engine, seats } = subject;
    assert.ok(seats !== undefined && seats + 2 <= engine.slots, "all that it is given runs");
    const text = await goingOn(subject, "seat");
    let first: string | undefined;
    for (let turn = 0; turn < turnsMax && first === undefined; turn++) first = await firstOfTwo(subject, seats, text);
    assert.equal(first, "better");
  },

  async ends_at_stops(subject) {
    const { engine } = subject;
    const text = codeOf("stops");
    const whole = await ran(engine, wish(subject, text, { sampling: { maxTokens: 24 } }));
    // A part of the text that stands in its middle, and not before.
    const stop = [...whole.text].slice(4).find((character) => character.trim() !== "" && whole.text.indexOf(character) > 3) ?? "";
    assert.notEqual(stop, "", "the model says nothing to stop at");
    const { end } = await ran(engine, wish(subject, text, { sampling: { maxTokens: 24, stop: [stop] } }));
    assert.equal(end.kind === "done" && end.finish, "stop");
    assert.ok(end.usage.completionTokens < whole.end.usage.completionTokens, "it went on as without it");
  },

  async speculation(subject) {
    const { engine, clock } = subject;
    assert.ok(engine.capabilities.includes("speculation"), "it does not say that it drafts");
    const before = engine.acceptance().drafted;
    for (let turn = 0; turn < 3; turn++)
      await ran(engine, wish(subject, codeOf(`drafts ${turn}`), { sampling: { maxTokens: 32, speculation: "always" } }));
    await until(clock, "drafts are counted", () => engine.acceptance().drafted > before, tellingMs);
    const { drafted, accepted, perPosition } = engine.acceptance();
    assert.ok(accepted <= drafted, `${accepted} accepted of ${drafted}`);
    assert.equal(
      perPosition.reduce((sum, each) => sum + each.accepted, 0),
      accepted,
    );
  },

  async kv_events(subject) {
    const { engine, clock } = subject;
    assert.ok(engine.capabilities.includes("kv_events"), "it does not say that it tells them");
    const told = new Set<string>();
    engine.onKv(({ stored }) => {
      for (const name of stored) told.add(name);
    });
    const work = wish(subject, codeOf("blocks"));
    await ran(engine, work);
    const first = Buffer.from(work.blockDigests.subarray(0, 8)).toString("hex");
    await until(clock, "the prompt's first block is told", () => told.has(first), tellingMs);
  },

  async tokenize({ engine }) {
    const segments = [{ text: "const answer = 42;\n" }];
    assert.ok(engine.tokenize, "it has no way to ask");
    const { ids } = await engine.tokenize((engine.models[0] as Model).name, segments, never);
    assert.ok(ids.length > 2 && ids.length <= 19 && ids.every(Number.isInteger), `${ids.length} tokens`);
  },

  async confidence(subject) {
    const { pieces } = await ran(subject.engine, wish(subject, codeOf("sure")));
    const said = pieces.flatMap(({ confidence }) => confidence ?? []);
    assert.ok(said.length > 0, "it says nothing of it");
    assert.ok(
      said.every((each) => each > 0 && each <= 1),
      `probabilities of ${said}`,
    );
  },

  async adapters(subject) {
    const [, adapter] = subject.engine.models;
    assert.ok(adapter, "it serves no adapter");
    const text = codeOf("adapters");
    assert.ok((await cachedAgain(subject, text)) > 0, "it cannot be seen: nothing is told of the cache");
    const { end } = await ran(subject.engine, wish(subject, text, { model: adapter.name }));
    assert.deepEqual([end.kind, end.usage.cachedTokens], ["done", 0], "the adapter used what the model computed");
  },

  async sleep(subject) {
    const { engine } = subject;
    assert.ok(engine.capabilities.includes("sleep"), "it does not say that it can");
    const sleeper = engine as Sleeper;
    await sleeper.sleep();
    await sleeper.wake();
    assert.equal((await ran(engine, wish(subject, codeOf("awake")))).end.kind, "done");
  },
};

/** Cached tokens of a prompt that is asked a second time. */
async function cachedAgain(subject: Subject, text: string): Promise<number> {
  await ran(subject.engine, wish(subject, text));
  return (await ran(subject.engine, wish(subject, text))).end.usage.cachedTokens;
}

/** A seat that comes free too early says nothing: they are filled again. */
const turnsMax = 5;
const seatTokens = 400;
/** Until what was asked waits in the engine. */
const arrivingMs = 50;

/** With every seat taken, which of two that wait begins when one comes free; undefined: one came free before both waited. */
async function firstOfTwo(subject: Subject, seats: number, text: string): Promise<"better" | "worse" | undefined> {
  const { engine, clock } = subject;
  const [one, all] = [new AbortController(), new AbortController()];
  const begun: ("better" | "worse")[] = [];
  let [taken, ended] = [0, 0];
  const seat = async (index: number) => {
    const signal = index === 0 ? AbortSignal.any([one.signal, all.signal]) : all.signal;
    await ran(engine, wish(subject, text, { sampling: { maxTokens: seatTokens } }), {
      signal,
      piece: (_, count) => {
        if (count === 1) taken += 1;
      },
    });
    ended += 1;
  };
  const ask = (name: "better" | "worse", lane: "inline" | "batch") =>
    ran(engine, wish(subject, codeOf(name), { lane, sampling: { maxTokens: 8 } }), {
      signal: all.signal,
      piece: (_, count) => count === 1 && begun.push(name),
    });
  const asked: Promise<unknown>[] = Array.from({ length: seats }, (_, index) => seat(index));
  try {
    await until(clock, "every seat is taken", () => taken === seats || ended > 0);
    asked.push(ask("worse", "batch"));
    await clock.sleep(arrivingMs);
    asked.push(ask("better", "inline"));
    await clock.sleep(arrivingMs);
    if (ended > 0) return undefined;
    one.abort();
    await until(clock, "one of them has begun", () => begun.length > 0);
    return begun[0];
  } finally {
    all.abort();
    await Promise.all(asked);
    await quiet(subject);
  }
}
