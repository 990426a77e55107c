import { expect, test } from "vitest";
import type { Generation } from "../../workers/generation.ts";
import { knowing } from "./knowing.ts";

const lines = Array.from({ length: 400 }, (_, i) => `const value${i} = compute(${i}, "some text of line ${i}");\n`);
const text = lines.join("");
const at = (offset: number) =>
  ({ segments: [{ special: "<|fim_prefix|>" }, { text: text.slice(0, offset) }] }) as unknown as Generation;
const lineStart = (nth: number) => lines.slice(0, nth).join("").length;

test("the model knows the share of lines that is asked for, wherever in a line it is asked", () => {
  for (const agreement of [0.15, 0.3, 0.45]) {
    const truth = knowing({ texts: [text], agreement, seed: 3 });
    const known = lines.slice(2).map((line, i) => {
      const nth = i + 2;
      // Three keys of each line: all of them say the line's rest, or none says anything of it.
      const said = [5, 12, 30].map((key) => truth(at(lineStart(nth) + key)));
      const right = said.map((rest, key) => rest?.startsWith(line.slice([5, 12, 30][key])) ?? false);
      expect(new Set(right).size, `line ${nth}`).toBe(1);
      return right[0];
    });
    expect(known.filter(Boolean).length / known.length).toBeCloseTo(agreement, 1);
  }
});

test("it knows the same where what is typed stands behind the middle token", () => {
  const truth = knowing({ texts: [text], agreement: 0.5, seed: 5 });
  const split = (offset: number) =>
    ({
      segments: [
        ...[{ special: "<|fim_prefix|>" }, { text: text.slice(0, offset - 70) }, { special: "<|fim_suffix|>" }, { text: "}" }],
        ...[{ special: "<|fim_middle|>" }, { text: text.slice(offset - 70, offset) }],
      ],
    }) as unknown as Generation;
  for (let nth = 3; nth < 40; nth++) expect(truth(split(lineStart(nth) + 8))).toBe(truth(at(lineStart(nth) + 8)));
});

test("it says nothing past the first line that it does not know", () => {
  const truth = knowing({ texts: [text], agreement: 0.5, seed: 5 });
  for (let nth = 2; nth < 100; nth++) {
    const rest = truth(at(lineStart(nth) + 8)) ?? "";
    expect(text.slice(lineStart(nth) + 8).startsWith(rest)).toBe(true);
  }
});

test("another seed knows other lines, the same seed the same", () => {
  const said = (seed: number) => {
    const truth = knowing({ texts: [text], agreement: 0.5, seed });
    return lines.map((_, nth) => truth(at(lineStart(nth) + 8)) !== undefined).join();
  };
  expect(said(1)).toBe(said(1));
  expect(said(1) === said(2)).toBe(false);
});

test("what is not in the sources is not known", () => {
  const truth = knowing({ texts: [text], agreement: 1, seed: 1 });
  expect(
    truth({ segments: [{ special: "<|fim_prefix|>" }, { text: "nowhere at all is this text" }] } as unknown as Generation),
  ).toBe(undefined);
});
