// The first key after what was asked ahead of it: how much of its prompt is not there yet.
import { expect, test } from "vitest";
import { FakeClock } from "../lib/clock.fake.ts";
import { Rope } from "../lib/structures/rope.ts";
import { greedy, modelOf, triggerAt } from "../test/support/router.ts";
import type { Prompt, ServedModel, Trigger } from "./completion.ts";
import { ContextRoom } from "./context/context.ts";
import { PromptRoom } from "./prompt/prompt.ts";

const fim = { prefix: "<P>", suffix: "<S>", middle: "<M>", fileSeparator: "", repository: "" };
const forms: Readonly<Record<string, ServedModel>> = {
  "prefix first": modelOf({ fimFamily: "", fim }),
  "suffix first": modelOf({ fimFamily: "", fim: { ...fim, middle: "" } }),
};
const line = (i: number) => `  const name${i} = handle${i % 7}(value${i}, total${i % 5});\n`;
const above = Array.from({ length: 160 }, (_, i) => line(i)).join("");
const below = Array.from({ length: 60 }, (_, i) => line(500 + i)).join("");
const neighbours = [1, 2, 3].map((nth) => ({
  document: `default/s1 n${nth}`,
  path: `src/n${nth}.ts`,
  text: Rope.of(Array.from({ length: 40 }, (_, i) => line(nth * 40 + i)).join("")),
}));

/** Both rooms as the path asks them. */
function rooms(model: ServedModel) {
  const clock = new FakeClock();
  const kept = {
    chunksMax: 6,
    scanUtf16Max: 64 << 10,
    scansBytes: 1 << 20,
    chosenBytes: 1 << 20,
    timeMs: 2,
    order: "kept",
  } as const;
  const context = new ContextRoom(kept, { clock });
  const prompt = new PromptRoom();
  return (code: string, given: Partial<Trigger> = {}) => {
    const trigger = triggerAt(code, { neighbours, ...given });
    return prompt.render(trigger, context.gather(trigger, prompt.contextBudget(trigger, model)), model);
  };
}

/** Blocks of 64 bytes, the last one that is not whole among them, that stand nowhere in what was warmed. */
function newBlocks(warmed: Prompt, { blocks, bytes }: Prompt): number {
  let same = 0;
  while (same < blocks.length && blocks[same] === warmed.blocks[same]) same += 1;
  return Math.ceil(bytes / 64) - Math.floor(same / 8);
}

const preload = { kind: "preload", lane: "speculative", sampling: { ...greedy, maxTokens: 1 } } as const;
const ahead = { kind: "speculative", lane: "speculative" } as const;
const at = (typed: string, after = below) => `${above}${typed}|${after}`;

const firstKeys: [name: string, code: string, given?: Partial<Trigger>][] = [
  ["a letter", at("r")],
  ["a bracket that the editor closes", at("run(", `)${below}`)],
  ["a line feed", at("\n")],
  ["a key that wants a line", at("r"), { shape: "line", sampling: { ...greedy, maxTokens: 32 } }],
  ["an edit far below", at("r", `${below.slice(0, -9)}${line(999)}`)],
];
const cases = Object.keys(forms).flatMap((form) => firstKeys.map(([name, code, given]) => [form, name, code, given] as const));

test.each(cases)("%s: after a preload, %s computes two blocks at most", (form, _, code, given) => {
  const asked = rooms(forms[form] as ServedModel);
  expect(newBlocks(asked(at("")), asked(code, given))).toBeLessThanOrEqual(2);
  const other = rooms(forms[form] as ServedModel);
  const warmed = other(at(""), preload);
  const key = other(code, given);
  expect(key.blocks.length / 8).toBeGreaterThan(40);
  expect(newBlocks(warmed, key)).toBeLessThanOrEqual(2);
});

test.each(Object.keys(forms))("%s: where the worker is slow, a preload that may wait longer is no longer than its key", (form) => {
  const slow = modelOf({ ...forms[form], contextTokens: 4_096, prefillTokensPerSecond: 4_000 });
  const asked = rooms(slow);
  const warmed = asked(at(""), { ...preload, deadlineMs: 11_000, keyMs: 500 });
  const key = asked(at("r"));
  expect(warmed.bytes).toBeLessThan(key.bytes * 1.1);
  expect(newBlocks(warmed, key)).toBeLessThanOrEqual(2);
});

test.each(Object.keys(forms))("%s: a preload where the person went is what the next key stands on, not the last key", (form) => {
  const asked = rooms(forms[form] as ServedModel);
  asked(`${above.slice(0, 600)}|${above.slice(600)}${below}`);
  const warmed = asked(at(""), preload);
  expect(newBlocks(warmed, asked(at("run(", `)${below}`)))).toBeLessThanOrEqual(2);
});

test.each(Object.keys(forms))("%s: who accepts finds what was asked ahead, who does not finds the last key", (form) => {
  const shown = Array.from({ length: 50 }, (_, i) => line(700 + i)).join("");
  for (const accepts of [true, false]) {
    const asked = rooms(forms[form] as ServedModel);
    const last = asked(at("r"));
    const warmed = asked(at(`r${shown}`), ahead);
    const key = asked(at(accepts ? `r${shown}n` : "ru"));
    expect(newBlocks(accepts ? warmed : last, key), `accepts: ${accepts}`).toBeLessThanOrEqual(2);
  }
});

test.each(Object.keys(forms))("%s: what is asked ahead in a document of no key is what its first key stands on", (form) => {
  const asked = rooms(forms[form] as ServedModel);
  const warmed = asked(at(""), ahead);
  expect(newBlocks(warmed, asked(at("run(", `)${below}`)))).toBeLessThanOrEqual(2);
});
