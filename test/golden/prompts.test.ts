// Prompts as a model gets them, segment by segment, beside this file. A change here throws away every cached prefix of a fleet
// and moves quality: look at the difference, then run with `--update`.
import { expect, test } from "vitest";
import { FakeClock } from "../../lib/clock.fake.ts";
import type { ServedModel, Snippet, Trigger } from "../../router/completion.ts";
import { ContextRoom } from "../../router/context/context.ts";
import { PromptRoom } from "../../router/prompt/prompt.ts";
import { modelOf, triggerAt } from "../support/router.ts";

const middle = `import { readFile } from "node:fs/promises";

export async function settings(path: string): Promise<Record<string, string>> {
  const text = await readFile(path, "utf8");
  const pairs = text.split("\\n").|
  return Object.fromEntries(pairs);
}
`;
const long = `${Array.from({ length: 60 }, (_, i) => `const größe${i} = "${"漢".repeat(i % 7)}";`).join("\n")}\nsum(größe1, |)\n${"done();\n".repeat(60)}`;
const snippets: readonly Snippet[] = [
  { path: "src/pairs.ts", text: "export const pairs = (text: string) => text.split('=');\n\n", score: 0.4, stable: false },
  { path: "src/types.ts", text: "export type Settings = Record<string, string>;", score: 0.9, stable: true },
  { path: "docs/größe.md", text: "Text of two bytes.", score: 0.1, stable: true },
];
const fim = { prefix: "<|fim_prefix|>", suffix: "<|fim_suffix|>", middle: "<|fim_middle|>", fileSeparator: "", repository: "" };

const contextOptions = { chunksMax: 6, scanUtf16Max: 64 << 10, scansBytes: 0, chosenBytes: 0, timeMs: 2, order: "kept" } as const;

test.each<[name: string, code: string, model: Partial<ServedModel>, given: Partial<Trigger>]>([
  ["builtin", middle, {}, { snippets }],
  ["builtin-long", long, { contextTokens: 256 }, {}],
  ["builtin-windows-lines", middle.replaceAll("\n", "\r\n"), {}, {}],
  ["builtin-empty-suffix", "const a = |", {}, {}],
  ["generic-prefix-first", middle, { fimFamily: "", fim }, { snippets }],
  ["generic-suffix-first", middle, { fimFamily: "", fim: { ...fim, middle: "" } }, { snippets }],
  ["generic-long", long, { fimFamily: "", fim, contextTokens: 256 }, { snippets }],
  ["chat", "System: Be short.\n\nUser: Hi.\n\nAssistant:|", {}, { lane: "chat" }],
])("%s", async (name, code, given, asked) => {
  const [trigger, model, prompt] = [triggerAt(code, asked), modelOf(given), new PromptRoom()];
  const context = new ContextRoom(contextOptions, { clock: new FakeClock() }).gather(trigger, prompt.contextBudget(trigger, model));
  const { segments } = prompt.render(trigger, context, model);
  const shown = segments.map((part) => ("special" in part ? `=== special\n${part.special}\n` : `=== text\n${part.text}\n`)).join("");
  await expect(shown).toMatchFileSnapshot(`prompts/${name}.txt`);
});
