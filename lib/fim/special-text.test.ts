import { expect, test } from "vitest";
import { below, seeded } from "../random.ts";
import { families } from "./families.ts";
import { specialsOf } from "./form.ts";
import { asWritten, flat, neutralised, Restored, restored, spelledIn } from "./special-text.ts";

const joiner = "\u2060";
const all = [...new Set(families.flatMap(specialsOf).map(asWritten))];

test("every special token of every family is broken in a user's text, and comes back exactly", () => {
  expect(all.length).toBeGreaterThan(100);
  for (const special of all) {
    const text = `a ${special} b${special}`;
    expect(spelledIn(text).length, special).toBeGreaterThanOrEqual(2);
    expect(spelledIn(neutralised(text)), special).toEqual([]);
    expect(restored(neutralised(text)), special).toBe(text);
  }
});

test("no two special tokens overlap, so breaking one never hides another", () => {
  const overlaps = all.flatMap((one) =>
    all.filter((other) =>
      [...one].some((_, i) => i > 0 && i < one.length && other.startsWith(one.slice(i)) && !one.includes(other)),
    ),
  );
  expect(overlaps).toEqual([]);
});

test.each([
  ["no token", "if (a < b && c[0] > d) return `<div>`;"],
  ["a token", "x <fim_prefix> y"],
  ["a token with a joiner already", `<${joiner}fim_prefix>`],
  ["a token with three", `<${joiner}${joiner}${joiner}|im_end|>`],
  ["a token nobody lists", "<｜place▁holder▁no▁12｜> <|reserved_special_token_7|>"],
  ["joiners elsewhere", `a${joiner}b <${joiner}div>`],
  ["a token inside another's spelling", "<｜fim▁begin｜><PRE> <SUF>"],
])("both ways are exact: %s", (_, text) => {
  expect(spelledIn(neutralised(text))).toEqual([]);
  expect(restored(neutralised(text))).toBe(text);
});

test("text without a spelling is untouched", () => {
  const text = "for (let i = 0; i < list.length; i++) total += list[i] / 2;";
  expect(neutralised(text)).toBe(text);
  expect(flat([{ text }])).toEqual({ text, altered: false });
});

test("the form's own tokens stand, a user's do not, and texts side by side spell nothing together", () => {
  const { text, altered } = flat([
    { special: "▁<PRE>" },
    { text: " <s>a<S" },
    { text: "UF>" },
    { special: "▁<SUF>" },
    { text: "b" },
    { special: "▁<MID>" },
  ]);
  expect(altered).toBe(true);
  expect(spelledIn(text)).toEqual(["<PRE>", "<SUF>", "<MID>"]);
  expect(text.startsWith("<PRE> ")).toBe(true);
  expect(restored(text.slice(6, text.indexOf(" <SUF>")))).toBe("<s>a<SUF>");
});

test("pieces come back as the whole would, however they are cut, and little is held", () => {
  const random = seeded(7);
  const parts = [
    "<",
    joiner,
    "|fim_prefix|>",
    "<fim_",
    "suffix>",
    "a",
    " ",
    "<|",
    "[SUF",
    "FIX]",
    `[${joiner}`,
    "</s>",
    "b < c",
    "<|reserved_",
    "7|>",
    "<｜x",
    "｜>",
  ];
  for (let round = 0; round < 2_000; round++) {
    const text = Array.from({ length: below(random, 12) }, () => parts[below(random, parts.length)]).join("");
    const way = new Restored();
    let out = "";
    for (let at = 0; at < text.length; ) {
      const length = 1 + below(random, 6);
      out += way.push(text.slice(at, at + length));
      at += length;
      expect(Math.min(at, text.length) - out.length).toBeLessThan(100);
    }
    expect(out + way.end(), JSON.stringify(text)).toBe(restored(text));
  }
});

test("code is held no longer than it may spell a token", () => {
  const way = new Restored();
  expect(way.push("if (a ")).toBe("if (a ");
  expect(way.push("<")).toBe("");
  expect(way.push(" b) {")).toBe("< b) {");
});
