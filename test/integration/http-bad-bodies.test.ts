// Bodies that cannot be: each is refused in the shape of its API's errors, with the field named as the caller wrote it, and costs
// nothing: no trigger is begun.
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { HttpPort, read } from "../support/http.ts";
import { type Platform, startPlatform } from "../support/platform.ts";

let platform: Platform;
let port: HttpPort;
beforeAll(async () => {
  platform = await startPlatform({ SLIPSTREAM_ROUTER_DOCUMENT_BYTES_MAX: "64KiB" });
  port = new HttpPort(platform.ports.http);
});
afterAll(async () => void (await platform?.end()));

const prompt = "let a = ";
const turn = { role: "user", content: "Hello." };
const fill = { input_prefix: prompt, input_suffix: "\n" };
const segments = { prefix: prompt, suffix: "\n" };
const long = "x".repeat(70_000);
const manyStops = Array.from({ length: 9 }, (_, i) => `s${i}`);
const manyFiles = Array.from({ length: 65 }, () => ({ filepath: "a.ts", body: "let b = 1;" }));

/** Path, what is wrong with it, the body, the field as its error names it. */
const rows: readonly (readonly [string, string, unknown, string])[] = [
  ["/v1/completions", "no prompt", {}, "prompt"],
  ["/v1/completions", "null", null, "prompt"],
  ["/v1/completions", "a list", [], "body"],
  ["/v1/completions", "no JSON", "{prompt", "body"],
  ["/v1/completions", "a prototype", '{"__proto__": {"prompt": "a"}, "prompt": "a"}', "body"],
  ["/v1/completions", "tokens for text", { prompt: [1, 2] }, "prompt"],
  ["/v1/completions", "several prompts", { prompt: ["a", "b"] }, "prompt"],
  ["/v1/completions", "a document too large", { prompt: long }, "prompt"],
  ["/v1/completions", "a suffix too large", { prompt, suffix: long }, "suffix"],
  ["/v1/completions", "a suffix that is none", { prompt, suffix: 7 }, "suffix"],
  ["/v1/completions", "half a character", '{"prompt": "\\ud800"}', "prompt"],
  ["/v1/completions", "no tokens", { prompt, max_tokens: 0 }, "max_tokens"],
  ["/v1/completions", "half a token", { prompt, max_tokens: 1.5 }, "max_tokens"],
  ["/v1/completions", "tokens as text", { prompt, max_tokens: "16" }, "max_tokens"],
  ["/v1/completions", "more tokens than any model", { prompt, max_tokens: 200_000 }, "max_tokens"],
  ["/v1/completions", "a cold temperature", { prompt, temperature: -1 }, "temperature"],
  ["/v1/completions", "a hot temperature", { prompt, temperature: 3 }, "temperature"],
  ["/v1/completions", "nothing of the probability", { prompt, top_p: 0 }, "top_p"],
  ["/v1/completions", "too many candidates", { prompt, top_k: 5_000 }, "top_k"],
  ["/v1/completions", "a seed that is no number", { prompt, seed: "one" }, "seed"],
  ["/v1/completions", "too many stops", { prompt, stop: manyStops }, "stop"],
  ["/v1/completions", "a stop that is empty", { prompt, stop: [""] }, "stop[0]"],
  ["/v1/completions", "a stop that is long", { prompt, stop: ["x".repeat(65)] }, "stop[0]"],
  ["/v1/completions", "a stop of numbers", { prompt, stop: [3] }, "stop"],
  ["/v1/completions", "too many choices", { prompt, n: 4 }, "n"],
  ["/v1/completions", "no choice", { prompt, n: 0 }, "n"],
  ["/v1/completions", "the best of several", { prompt, best_of: 3 }, "best_of"],
  ["/v1/completions", "an echo", { prompt, echo: true }, "echo"],
  ["/v1/completions", "probabilities", { prompt, logprobs: 3 }, "logprobs"],
  ["/v1/completions", "a stream that is a word", { prompt, stream: "yes" }, "stream"],
  ["/v1/completions", "a model nobody serves", { prompt, model: "gpt-9" }, "model"],
  ["/v1/engines/any/completions", "a language too long", { prompt, extra: { language: "x".repeat(65) } }, "extra.language"],
  [
    "/v1/engines/any/completions",
    "context too large",
    { prompt, extra: { context: ["x".repeat(17_000)] } },
    "extra.context[0].text",
  ],
  ["/v1/chat/completions", "no messages", {}, "messages"],
  ["/v1/chat/completions", "an empty conversation", { messages: [] }, "messages"],
  ["/v1/chat/completions", "messages without text", { messages: [{ role: "user", content: "" }] }, "messages"],
  ["/v1/chat/completions", "a role of its own", { messages: [{ role: "robot", content: "a" }] }, "messages.0.role"],
  ["/v1/chat/completions", "a picture", { messages: [{ role: "user", content: [{ type: "image_url" }] }] }, "messages.0.content"],
  ["/v1/chat/completions", "a message too large", { messages: [{ role: "user", content: long }] }, "messages[0].content"],
  ["/v1/chat/completions", "tools", { messages: [turn], tools: [{ type: "function" }] }, "tools"],
  [
    "/v1/chat/completions",
    "JSON on demand",
    { messages: [turn], response_format: { type: "json_object" } },
    "response_format.type",
  ],
  ["/v1/chat/completions", "two answers", { messages: [turn], n: 2 }, "n"],
  ["/infill", "no prefix", { input_suffix: "" }, "input_prefix"],
  ["/infill", "no suffix", { input_prefix: "" }, "input_suffix"],
  ["/infill", "a prefix too large", { ...fill, input_prefix: long }, "input_prefix"],
  ["/infill", "chunks that are texts", { ...fill, input_extra: ["a"] }, "input_extra.0"],
  ["/infill", "a chunk too large", { ...fill, input_extra: [{ text: "x".repeat(17_000) }] }, "input_extra[0].text"],
  ["/infill", "fewer tokens than all", { ...fill, n_predict: -7 }, "n_predict"],
  ["/infill", "too many texts", { ...fill, n_cmpl: 9 }, "n_cmpl"],
  ["/infill", "time that runs back", { ...fill, t_max_predict_ms: -1 }, "t_max_predict_ms"],
  ["/infill", "a penalty", { ...fill, repeat_penalty: 1.3 }, "repeat_penalty"],
  ["/infill", "an adapter", { ...fill, lora: [{ id: 0, scale: 0.5 }] }, "lora.0.scale"],
  ["/completion", "tokens for text", { prompt: [1, 2] }, "prompt"],
  ["/completion", "a grammar", { prompt, grammar: "root ::= [a-z]" }, "grammar"],
  ["/tokenize", "no text", {}, "content"],
  ["/tokenize", "half a character", '{"content": "\\ud800"}', "content"],
  ["/tokenize", "more than one looks up at once", { content: "x".repeat(70_000) }, "content"],
  ["/tokenize", "tokens that no prompt has", { content: "a", add_special: true }, "add_special"],
  ["/apply-template", "no messages", {}, "messages"],
  ["/v1/fim/completions", "no prompt", {}, "prompt"],
  ["/v1/fim/completions", "a least number of tokens", { prompt, min_tokens: 4 }, "min_tokens"],
  ["/v1/fim/completions", "a seed below 0", { prompt, random_seed: -1 }, "random_seed"],
  ["/v1/fim/completions", "a hot temperature", { prompt, temperature: 3 }, "temperature"],
  ["/beta/completions", "no prompt", {}, "prompt"],
  ["/beta/completions", "a penalty", { prompt, frequency_penalty: 1 }, "frequency_penalty"],
  ["/api/generate", "a prompt of numbers", { prompt: 4 }, "prompt"],
  ["/api/generate", "a system text", { prompt, system: "Be kind." }, "system"],
  ["/api/generate", "a hot temperature", { prompt, options: { temperature: 3 } }, "options.temperature"],
  ["/api/generate", "too many stops", { prompt, options: { stop: manyStops } }, "options.stop"],
  ["/api/generate", "a picture", { prompt, images: ["abcd"] }, "images"],
  ["/api/show", "a model nobody serves", { model: "llama9" }, "llama9"],
  ["/v1/completions", "Tabby's without a prefix", { segments: {} }, "segments.prefix"],
  ["/v1/completions", "Tabby's without segments", { segments: null }, "segments"],
  ["/v1/completions", "Tabby's other mode", { segments, mode: "next_edit_suggestion" }, "mode"],
  ["/v1/completions", "Tabby's path too long", { segments: { ...segments, filepath: "x".repeat(5_000) } }, "segments.filepath"],
  ["/v1/completions", "Tabby's too many snippets", { segments: { ...segments, declarations: manyFiles } }, "segments.declarations"],
  ["/v1/events", "an event of its own", { type: "laugh", completion_id: "cmpl-1" }, "type"],
  ["/v1/events", "an event of nothing", { type: "view" }, "completion_id"],
];

/** How each API says which field. */
function shapeOf(path: string, what: string, field: string): { status: number; json?: unknown; text?: string } {
  const status = field === "model" || field === "llama9" ? 404 : 400;
  const type = status === 404 ? "not_found_error" : "invalid_request_error";
  const message: unknown = expect.stringContaining(field);
  if (path.startsWith("/api/")) return { status, json: { error: message } };
  if (path.includes("fim"))
    return { status: 422, json: { detail: [{ type: "value_error", loc: ["body", ...field.split(".")], msg: message }] } };
  if (path === "/v1/events" || what.startsWith("Tabby")) return { status, text: field };
  if (["/infill", "/completion", "/tokenize", "/apply-template"].includes(path))
    return { status, json: { error: { code: status, type, message } } };
  return { status, json: { error: { message, type, param: field, code: status === 404 ? "not_found" : "invalid_request" } } };
}

test.each(rows)("%s: %s", async (path, what, body, field) => {
  const expected = shapeOf(path, what, field);
  const { status, json, text } = await read(await port.post(path, body ?? "null"));
  expect({ status, ...(expected.text ? {} : { json }) }).toEqual({
    status: expected.status,
    ...(expected.text ? {} : { json: expected.json }),
  });
  if (expected.text) expect(text).toContain(field);
});

test("none of them began anything", async () => {
  const { outcomes } = await platform.status();
  expect(Object.keys(outcomes).filter((outcome) => outcome !== "refused")).toEqual([]);
});

test("an engine that does not tell its tokens is a thing that is not supported", async () => {
  const { status, json } = await read(await port.post("/tokenize", { content: "let a = 1;" }));
  expect([status, json]).toMatchObject([501, { error: { code: 501, type: "not_supported_error" } }]);
});

test("a body of another type is read as the JSON it is; one in another encoding is refused", async () => {
  const typed = { "content-type": "application/x-www-form-urlencoded" };
  expect((await port.post("/api/generate", { prompt, stream: false }, typed)).status).toBe(200);
  const packed = await fetch(`${port.url}/v1/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", "content-encoding": "gzip" },
    body: gzipSync(JSON.stringify({ prompt })),
  });
  expect([packed.status, await packed.json()]).toMatchObject([400, { error: { param: "body" } }]);
});
