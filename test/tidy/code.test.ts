import { expect, test } from "vitest";
import { code } from "./code.ts";

test.each([
  ["a comment", "a; // Date.now\nb", "a; \nb"],
  ["a long comment", "a; /* Date\n.now */ b", "a;  b"],
  ["a string with an escaped quote", 'a("x\\"y", b)', 'a("", b)'],
  ["a template over lines", "a(`x\ny`, b)", "a(``, b)"],
  ["a template's own code stays", `a(\`x $\{b({ c: \`d\` })} y\`, e)`, "a( b({ c: `` })``, e)"],
  ["a regular expression with a quote", "a(/[\"'`]/g, b)", "a(/ /, b)"],
  ["a division", "a / b / c", "a / b / c"],
  ["an address in a string", 'a("http://b"); c', 'a(""); c'],
])("%s", (_, text, rest) => {
  expect(code(text)).toBe(rest);
});
