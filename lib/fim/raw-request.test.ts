import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { CompleteRequestSchema, SamplingSchema } from "../../proto/gen/slipstream/v1/completion_pb.ts";
import { fittingStops, readRaw } from "./raw-request.ts";

const request = (prefix: string, stop: string[] = []) =>
  create(CompleteRequestSchema, { prefix, model: "m", sampling: create(SamplingSchema, { stop, maxTokens: 9 }) });
const fim = (p: string, s: string) => `<|fim_prefix|>${p}<|fim_suffix|>${s}<|fim_middle|>`;

test("a prompt becomes the request it stands for, with all else as it was", () => {
  const raw = request(`<|file_sep|>b.ts\nb();\n<|file_sep|>a.ts\n${fim("foo(", ");")}`, ["\n\n", "<|fim_pad|>"]);
  const { request: read, reading } = readRaw(raw);
  expect(reading).toBe("prompt");
  expect(read).toMatchObject({ prefix: "foo(", suffix: ");", path: "a.ts", model: "m" });
  expect(read.snippets).toMatchObject([{ path: "b.ts", text: "b();" }]);
  expect(read.sampling).toMatchObject({ stop: ["\n\n"], maxTokens: 9 });
});

test("code stays the request it was, and what cannot be read is told apart from it", () => {
  const code = request("let a = ");
  expect(readRaw(code)).toEqual({ request: code, reading: "code" });
  const chat = request("<|im_start|>user\nhi<|im_end|>\n");
  expect(readRaw(chat)).toEqual({ request: chat, reading: "whole" });
});

test("files are held to the bounds of a request: the nearest ones, whole lines, whole characters", () => {
  const many = Array.from(
    { length: 100 },
    (_, i) => `<|file_sep|>f${i}.ts\n${i === 99 ? `${"x".repeat(80)}\n`.repeat(200) : "x"}\n`,
  ).join("");
  const { request: read } = readRaw(request(`${many}${fim("p", "s")}`));
  expect(read.snippets).toHaveLength(64);
  expect(read.snippets.at(-1)?.path).toBe("f99.ts");
  expect(read.snippets.at(-1)?.text.length).toBeLessThanOrEqual(5_000);
  expect(read.snippets.at(-1)?.text.endsWith("x\n")).toBe(true);
  const line = readRaw(request(`<|file_sep|>f.ts\nx${"😀".repeat(4_000)}\n${fim("p", "s")}`)).request.snippets[0]?.text ?? "";
  expect(line.isWellFormed()).toBe(true);
});

test.each<[whose: string, given: string[], fitting: string[]]>([
  ["a person's own", ["\n\n", "//"], ["\n\n", "//"]],
  [
    "Continue's for DeepSeek, which end every comment",
    ["<｜fim▁begin｜>", "<｜fim▁hole｜>", "<｜fim▁end｜>", "//", "<｜end▁of▁sentence｜>", "\n\n"],
    ["\n\n"],
  ],
  ["Cody's for DeepSeek, two stops in one", ["<｜fim▁begin｜>", "<｜fim▁hole｜>", "<｜fim▁end｜>, <|eos_token|>", "\n"], ["\n"]],
  [
    "Continue's for StarCoder2, which end every line with a t",
    ["<fim_prefix>", "<file_sep>", "<|endoftext|>", "t.", "\nt", "```"],
    ["```"],
  ],
  ["Continue's for Code Llama", ["<PRE>", "<SUF>", "<MID>", "<EOT>"], []],
])("stops that are another model's tokens go: %s", (_, given, fitting) => {
  expect(fittingStops(given)).toEqual(fitting);
});
