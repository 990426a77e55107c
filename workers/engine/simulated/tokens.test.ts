import { expect, test } from "vitest";
import { pieces, TokenChain } from "./tokens.ts";

const code = `export function sum(values: readonly number[]): number {
  let total = 0;
  for (const value of values) total += value;
  return total; // naïve, 你好
}
`;

test("pieces put together are the text, and whole characters each", () => {
  const found = pieces(code);
  expect(found.join("")).toBe(code);
  const mean = Buffer.byteLength(code) / found.length;
  expect(mean).toBeGreaterThan(3);
  expect(mean).toBeLessThan(4.2);
});

test("text that grows at its end keeps all its pieces but the last", () => {
  for (let length = 1; length < code.length; length++) {
    const kept = pieces(code.slice(0, length)).slice(0, -1);
    expect(pieces(code).slice(0, kept.length)).toEqual(kept);
  }
});

function chain(salt: string, ...texts: string[]): TokenChain {
  const made = new TokenChain({ blockTokens: 16, salt });
  for (const text of texts) made.add(text.startsWith("<|") ? { special: text } : { text });
  return made;
}

test("a segment's pieces never depend on the segment before it", () => {
  const [a, b] = [chain("", "let x", code), chain("", "let x = 1", code)];
  expect(a.tokens - chain("", "let x").tokens).toBe(b.tokens - chain("", "let x = 1").tokens);
});

test("block keys chain all before them, the salt and where segments were cut", () => {
  const long = code.repeat(4);
  const keys = (of: TokenChain) => of.blocks.map((block) => block.key);
  const plain = keys(chain("", "<|a|>", long));
  expect(plain.length).toBeGreaterThan(8);
  expect(new Set(plain).size).toBe(plain.length);
  expect(keys(chain("", "<|a|>", `${long}// more`)).slice(0, plain.length - 1)).toEqual(plain.slice(0, -1));
  for (const other of [chain("tenant", "<|a|>", long), chain("", "<|b|>", long), chain("", "x", long)])
    expect(keys(other).filter((key) => plain.includes(key))).toEqual([]);
});

test("the digest is of the prompt alone, whatever the salt", () => {
  expect(chain("a", code).digest).toBe(chain("b", code).digest);
  expect(chain("a", code).digest).not.toBe(chain("a", `${code} `).digest);
});

test("a block ends where its last token's bytes end", () => {
  const made = chain("", code.repeat(4));
  const cut = pieces(code.repeat(4)).slice(0, 16).join("");
  expect(made.blocks[0]?.byteEnd).toBe(Buffer.byteLength(cut));
});
