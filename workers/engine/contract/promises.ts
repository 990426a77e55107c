// promises: what every engine must keep, one check a promise. A check throws where it is broken.
import assert from "node:assert/strict";
import type { Finished, Model } from "../../generation.ts";
import { codeOf, goingOn, patienceMs, quiet, ran, type Subject, until, wish } from "./trying.ts";

export type Check = (subject: Subject) => Promise<void>;

/** More than is ever waited for. */
const long = 400;

export const promises: Readonly<Record<string, Check>> = {
  async "it tells a model that can be asked"({ engine }) {
    const [model] = engine.models;
    assert.ok(model && model.name !== "", "it serves no model");
    assert.ok(model.contextTokens >= 64, `the context has ${model.contextTokens} tokens`);
    assert.ok(model.bytesPerToken > 0.5 && model.bytesPerToken < 12, `${model.bytesPerToken} bytes a token`);
    assert.ok(engine.slots >= 1 && engine.blockTokens >= 1, "it has no slot, or no block");
  },

  async "text comes in pieces of whole characters whose tokens are what its end says"(subject) {
    const { text, pieces, end } = await ran(subject.engine, wish(subject, `${codeOf("pieces")}const 世界 = "Zoë`));
    assert.equal(end.kind, "done", says(end));
    assert.ok(!text.includes("\uFFFD"), "half a character came out");
    const tokens = pieces.reduce((sum, piece) => sum + piece.tokens, 0);
    // The token that ends a text is counted, and has no text to come in.
    const ends = end.finish === "stop" && tokens < end.usage.completionTokens ? 1 : 0;
    assert.equal(tokens + ends, end.usage.completionTokens);
    assert.ok(tokens >= 1 && tokens <= 16, `${tokens} tokens of 16`);
  },

  async "a prompt's tokens are those cached and those computed"(subject) {
    const work = wish(subject, codeOf("usage"));
    for (const { end } of [await ran(subject.engine, work), await ran(subject.engine, work)]) {
      const { promptTokens, cachedTokens, recomputedTokens } = end.usage;
      assert.ok(promptTokens > 50, `${promptTokens} prompt tokens`);
      assert.equal(cachedTokens + recomputedTokens, promptTokens);
    }
  },

  async "greedy text is the same every time, and so is seeded text"(subject) {
    const text = codeOf("again");
    // A served engine that drafts accepts by chance what it has drafted in time: a seed is no promise of it.
    const promised = subject.kind !== "embedded" && subject.has?.includes("speculation") ? 1 : 2;
    for (const sampling of [{ temperature: 0 }, { temperature: 1, seed: 7 }].slice(0, promised)) {
      // A prompt that was computed and one that was found are summed in another order on some engines; chance magnifies that.
      if (sampling.temperature > 0) await ran(subject.engine, wish(subject, text, { sampling }));
      const one = await ran(subject.engine, wish(subject, text, { sampling }));
      const other = await ran(subject.engine, wish(subject, text, { sampling }));
      assert.deepEqual([other.text, other.end.kind], [one.text, "done"]);
    }
  },

  async "a signal that has aborted starts nothing"(subject) {
    const { end, pieces } = await ran(subject.engine, wish(subject, codeOf("never")), { signal: AbortSignal.abort() });
    assert.deepEqual([end.kind, pieces.length, end.usage.completionTokens], ["aborted", 0, 0]);
  },

  async "an abort before the first text ends it, and the engine is done with it"(subject) {
    const stop = new AbortController();
    const running = ran(subject.engine, wish(subject, codeOf("early"), { sampling: { maxTokens: long } }), { signal: stop.signal });
    await subject.clock.sleep(1);
    stop.abort();
    assert.equal((await running).end.kind, "aborted");
    await quiet(subject);
  },

  async "an abort in the middle ends it, and the engine is done with it"(subject) {
    const stop = new AbortController();
    const text = await goingOn(subject, "middle");
    const { end } = await ran(subject.engine, wish(subject, text, { sampling: { maxTokens: long } }), {
      signal: stop.signal,
      piece: (_, count) => count === 2 && stop.abort(),
    });
    assert.equal(end.kind, "aborted", says(end));
    const { promptTokens, completionTokens } = end.usage;
    assert.ok(promptTokens > 0 && completionTokens >= 1, "what was done is not counted");
    assert.ok(completionTokens < long, "it went on to its end");
    await quiet(subject);
  },

  async "a reader that leaves stops it"(subject) {
    const work = wish(subject, codeOf("leaving"), { sampling: { maxTokens: long } });
    for await (const _ of subject.engine.generate(work, new AbortController().signal)) break;
    await quiet(subject);
  },

  async "text that the agent has cut is no failure"(subject) {
    const cut = new AbortController();
    const work = wish(subject, codeOf("cut"), { stopAtNewline: true, sampling: { maxTokens: long } });
    const { end } = await ran(subject.engine, work, {
      signal: cut.signal,
      piece: ({ text }, count) => (text.includes("\n") || count === 8) && cut.abort("cut"),
    });
    assert.notEqual(end.kind, "failed", says(end));
    await quiet(subject);
  },

  async "as many as its slots run side by side, and are counted"(subject) {
    const { engine, clock } = subject;
    const stop = new AbortController();
    const text = await goingOn(subject, "side");
    const all = Array.from({ length: engine.slots }, () =>
      ran(engine, wish(subject, text, { sampling: { maxTokens: long } }), { signal: stop.signal }),
    );
    await until(clock, `${engine.slots} are counted`, () => engine.load().running === engine.slots, patienceMs / 4);
    stop.abort();
    for (const { end } of await Promise.all(all)) assert.notEqual(end.kind, "failed", says(end));
    await quiet(subject);
  },

  async "its load is numbers"({ engine }) {
    for (const [name, value] of Object.entries(engine.load())) assert.ok(Number.isFinite(value) && value >= 0, `${name}: ${value}`);
  },

  async "a prompt beyond its context is refused as the asker's fault, and the next one runs"(subject) {
    const { contextTokens, bytesPerToken } = subject.engine.models[0] as Model;
    const { end } = await ran(subject.engine, wish(subject, codeOf("beyond", Math.ceil(3 * contextTokens * bytesPerToken))));
    assert.equal(end.kind === "failed" && end.error.code, "invalid_request", says(end));
    assert.equal((await ran(subject.engine, wish(subject, codeOf("after")))).end.kind, "done");
  },
};

/** The last of all: there is no engine afterwards. */
export async function deathIsTold(subject: Subject): Promise<void> {
  const { engine, kill } = subject;
  assert.ok(kill, "nobody may kill it");
  const killed: Promise<unknown>[] = [];
  // Long ahead of a kill, which takes a while to reach all of an engine's processes.
  const { end } = await ran(engine, wish(subject, codeOf("death"), { sampling: { maxTokens: long } }), {
    piece: (_, count) => {
      if (count === 2) killed.push(kill());
    },
  });
  assert.equal(end.kind === "failed" && end.error.code, "engine_failed", says(end));
  await Promise.all(killed);
  assert.ok((await engine.died).message !== "", "it does not say why");
  const next = await ran(engine, wish(subject, codeOf("after its death")));
  assert.equal(next.end.kind === "failed" && next.end.error.code, "engine_failed", says(next.end));
  assert.equal(engine.load().running, 0);
  await engine.close();
}

function says(end: Finished): string {
  return end.kind === "failed" ? `${end.error.code}: ${end.error.message}` : end.kind;
}
