import { expect, test } from "vitest";
import { TextTree } from "./text-tree.ts";

test("what was added is known, as far as it goes", () => {
  const tree = new TextTree({ utf16Max: 1_000 });
  for (const text of ["const a = 1", "const b = 2", "let c"]) tree.add(text);
  expect(tree.match("const a = 15")).toBe("const a = 1".length);
  expect(tree.match("const x")).toBe("const ".length);
  expect(tree.match("let")).toBe(3);
  expect(tree.match("if")).toBe(0);
  expect(tree.utf16).toBe("const a = 1b = 2let c".length);
});

test("the longest unused leaves when room is needed", () => {
  const tree = new TextTree({ utf16Max: 20 });
  tree.add("aaaaaaaaaa");
  tree.add("bbbbbbbbbb");
  expect(tree.match("aaaaaaaaaa")).toBe(10);
  tree.add("cccccccccc");
  expect([tree.match("aaaaaaaaaa"), tree.match("bbbbbbbbbb")]).toEqual([10, 0]);
});
