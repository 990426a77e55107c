// Prompts in real tokenizers: the built-in model's, Qwen's and DeepSeek's. A prompt encodes to its form's special tokens and to
// none from a user's text, segment by segment and as one text; and typing changes no token before what is being typed.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { families } from "../../lib/fim/families.ts";
import type { Family } from "../../lib/fim/family.ts";
import { formsOf, specialsOf } from "../../lib/fim/form.ts";
import { render, type Segment } from "../../lib/fim/render.ts";
import { flat, spelledIn } from "../../lib/fim/special-text.ts";
import { packageRoot } from "../../lib/package-root.ts";
import { below, seeded } from "../../lib/random.ts";
import { PlainText } from "../../router/cursor-text.ts";
import { PromptRoom } from "../../router/prompt/prompt.ts";
import { findTool } from "../../tools/toolbox.ts";
import { modelOf, triggerAt } from "../support/router.ts";

interface Vocabulary {
  readonly added_tokens: readonly { readonly id: number; readonly content: string; readonly special: boolean }[];
}
interface Library {
  readonly Tokenizer: new (vocabulary: object, config: object) => { encode(text: string, options: object): { ids: number[] } };
}

const tools = { library: findTool("tokenizers"), qwen: findTool("tokenizer-qwen"), deepseek: findTool("tokenizer-deepseek") };
const here = Object.values(tools).every(({ path }) => path !== undefined);

const vocabularies: readonly [name: string, path: string, families: readonly string[]][] = [
  ["built-in", join(packageRoot(), "models/tokenizer.json"), ["slipstream-builtin"]],
  ["Qwen", tools.qwen.path ?? "", ["qwen2.5-coder", "qwen3-coder"]],
  ["DeepSeek", tools.deepseek.path ?? "", ["deepseek-coder-v2"]],
];

describe.skipIf(!here)("real tokenizers", () => {
  describe.each(vocabularies)("%s", (_, path, names) => {
    const vocabulary = (here ? JSON.parse(readFileSync(path, "utf8")) : { added_tokens: [] }) as Vocabulary;
    const { Tokenizer } = (here ? createRequire(import.meta.url)(tools.library.path as string) : {}) as Library;
    const added = new Map(vocabulary.added_tokens.map(({ content, id }) => [content, id]));
    const ids = new Set(added.values());
    const parsing = here ? new Tokenizer(vocabulary, {}) : undefined;
    // As an agent that owns its tokenizer encodes text: without a look at added tokens.
    const plain = here ? new Tokenizer({ ...vocabulary, added_tokens: [] }, {}) : undefined;
    const encode = (text: string, by = plain) => by?.encode(text, { add_special_tokens: false }).ids ?? [];
    const apart = (segments: readonly Segment[]) =>
      segments.map((part) => ("special" in part ? [added.get(part.special) ?? -1] : encode(part.text)));
    const known = names.map((name) => families.find((family) => family.name === name) as Family);

    test("every token that is in no form's text is one that we break, whether we list it or not", () => {
      const open = [...added.keys()].filter((content) => spelledIn(content).length === 0);
      expect(open).toEqual([]);
    });

    test("a prompt encodes to its own special tokens and to none of its text", () => {
      const random = seeded(3);
      const bits = [...added.keys()].slice(0, 40).concat("a", " b", "\n", "(", "<", "|", "漢", "\r\n", "▁", "｜");
      const some = () => Array.from({ length: below(random, 12) }, () => bits[below(random, bits.length)]).join("");
      for (const family of known)
        for (const form of formsOf(family))
          for (let round = 0; round < 150; round++) {
            const files = round % 3 === 0 ? [{ path: `${some()}.ts`, text: some() }] : [];
            const filling = { files, path: some(), language: "go", repository: "r", head: [some()], tail: some(), suffix: some() };
            const segments = render(form, { family: family.tokens, model: family.tokens }, filling);
            const own = segments.flatMap((part) => ("special" in part ? [added.get(part.special)] : []));
            expect(own.every((id) => id !== undefined)).toBe(true);
            expect(
              apart(segments)
                .flatMap((tokens, i) => ("special" in (segments[i] as Segment) ? [] : tokens))
                .filter((id) => ids.has(id)),
            ).toEqual([]);
            const { text } = flat(segments);
            expect(
              encode(text, parsing).filter((id) => ids.has(id)),
              JSON.stringify(text),
            ).toEqual(own);
          }
    });

    test.each(names)("typing changes no token before what is being typed: %s", (name) => {
      const family = known.find((each) => each.name === name) as Family;
      const model = modelOf({ fimFamily: name, fim: family.tokens, specials: specialsOf(family), contextTokens: 1_024 });
      const lines = Array.from({ length: 80 }, (_, i) => `  const value${i} = items[${i}].price * ${i};\n`).join("");
      const typed = "if (total > limit) {\n    throw new Error('too much: ' + total);\n  }";
      const room = new PromptRoom();
      let before: readonly (readonly number[])[] = [];
      for (let at = 0; at <= typed.length; at++) {
        const text = new PlainText(lines + typed.slice(0, at), "\n}\n");
        const segments = room.render(triggerAt("|", { text, receivedMs: at * 100 }), { snippets: [] }, model).segments;
        const now = apart(segments);
        const moved = now.findIndex((tokens, i) => tokens.join() !== before[i]?.join());
        const grows = Math.max(lastTextAfter(segments, family.tokens.middle), lastTextAfter(segments, family.tokens.prefix));
        if (at > 0 && moved >= 0) expect(moved, `key ${at}`).toBe(grows);
        before = now;
      }
    });
  });
});

/** Of the texts right behind the special token, the last one; -1: none follows. */
function lastTextAfter(segments: readonly Segment[], special: string): number {
  const start = segments.findLastIndex((part) => "special" in part && part.special === special);
  let at = start;
  while (start >= 0 && segments[at + 1] && "text" in (segments[at + 1] as Segment)) at += 1;
  return at === start ? -1 : at;
}
