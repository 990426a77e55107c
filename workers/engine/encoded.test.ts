import { expect, test } from "vitest";
import { remembering } from "./encoded.ts";

function counted(options = { textsMax: 100, bytesMax: 1 << 20 }) {
  let units = 0;
  const encode = remembering((text) => {
    units += text.length;
    return [...text].map((character) => character.charCodeAt(0));
  }, options);
  const cost = (text: string) => {
    const before = units;
    expect(encode(text)).toEqual([...text].map((character) => character.charCodeAt(0)));
    return units - before;
  };
  return { cost };
}

const piece = (name: string) => `${name} of a document, long enough to be worth remembering\n`;

test("a key encodes the piece that it is typed in, however long the prompt is", () => {
  const { cost } = counted();
  const pieces = Array.from({ length: 60 }, (_, i) => piece(`piece ${i}`));
  const key = (typed: string) => [...pieces, typed].reduce((sum, text) => sum + cost(text), 0);
  expect(key("")).toBe(pieces.join("").length);
  expect(["f", "fo", "foo", "foo("].map(key)).toEqual([1, 2, 3, 4]);
});

test("what takes no time is known", () => {
  const encode = remembering((text) => [text.length], { textsMax: 2, bytesMax: 1 << 20 });
  expect(["short", piece("a")].map((text) => encode.knows(text))).toEqual([true, false]);
  encode(piece("a"));
  expect(encode.knows(piece("a"))).toBe(true);
});

test("what was not used for longest is forgotten beyond the most texts or bytes", () => {
  const few = counted({ textsMax: 2, bytesMax: 1 << 20 });
  for (const name of ["a", "b", "a", "c"]) few.cost(piece(name));
  expect([few.cost(piece("a")), few.cost(piece("b")) > 0]).toEqual([0, true]);
  const small = counted({ textsMax: 100, bytesMax: 100 });
  small.cost(piece("a"));
  expect(small.cost(piece("a"))).toBeGreaterThan(0);
});
