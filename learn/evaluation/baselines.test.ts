import { expect, test } from "vitest";
import { type BaselineName, baselines } from "./baselines.ts";

test.each<[string, BaselineName, string, string]>([
  ["no text", "empty", "a = |\n", ""],
  ["the line above, at the beginning of a line", "repeat", "  foo(a);\n\n  |\n", "foo(a);"],
  ["the rest of the line above that begins alike", "repeat", "a.push(1);\na.push(|\n", "1);"],
  ["the whole line above that begins otherwise", "repeat", "b();\na = |\n", "b();"],
  ["nothing at a document's beginning", "repeat", "|\n", ""],
  ["up to the bracket that is there already", "repeat", "f(a, b);\nf(|);\n", "a"],
  ["the rest of the most similar line, wherever it is", "similar", "return sum(a);\nb();\nreturn sum(|\n", "a);"],
  ["the nearest of equals", "similar", "x = one;\nx = two;\nx = |\n", "two;"],
  ["a line below, when none above agrees", "similar", "const port = |\nconst portMax = 9;\nlet port = 1;\n", "1;"],
  ["the longer agreement before the nearer", "similar", "this.a.get(key);\nb.get(none);\nreturn this.a.get(|\n", "key);"],
  ["nothing where nothing agrees", "similar", "b();\nq|\n", ""],
  ["the line above, at the beginning of a line, too", "similar", "foo(a);\n|\n", "foo(a);"],
  ["an argument, not the ones after it", "similar", "f(g(a, b), c);\nf(|, d);\n", "g(a, b)"],
])("%s (%s)", (_, name, code, text) => {
  const [prefix = "", suffix = ""] = code.split("|");
  expect(baselines[name]({ prefix, suffix })).toBe(text);
});
