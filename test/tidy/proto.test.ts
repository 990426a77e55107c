// Every service, method, message and enum of the contracts says what it is, in a comment above it.
import { expect, test } from "vitest";
import { type TextFile, tree } from "./tree.ts";

function breaches({ path, text }: TextFile): string[] {
  const lines = text.split("\n");
  return lines.flatMap((line, index) => {
    const found = line.match(/^\s*(service|rpc|message|enum)\s+(\w+)/);
    return found && !/^\s*\/\//.test(lines[index - 1] ?? "") ? [`${path}: ${found[1]} ${found[2]} has no comment`] : [];
  });
}

test("the contracts are documented", () => {
  const files = tree().filter(({ path }) => path.endsWith(".proto"));
  expect(files.length).toBeGreaterThanOrEqual(3);
  expect(files.flatMap(breaches)).toEqual([]);
});

test("a message without a comment is found", () => {
  expect(breaches({ path: "a.proto", text: "// Says hello.\nmessage Hello {\n}\n\nmessage Bye {\n}\n" })).toEqual([
    "a.proto: message Bye has no comment",
  ]);
});
