// The HTTP port as its clients meet it: OpenAI completions with a suffix, streamed and whole, refusals by name, and the guard
// against pages of other origins. A real `slipstream up` with the simulated engine.
import { request } from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { anyPorts, portsOf, type Running, start } from "../support/command.ts";

let up: Running;
let port: number;
beforeAll(async () => {
  up = await start(process.execPath, ["bin/slipstream.js", "up", "--engine", "simulated", ...anyPorts], /Ctrl-C/);
  port = portsOf(up.out()).http;
});
afterAll(async () => void (await up?.end()));

const prompt = "function add(a: number, b: number) {\n  return ";
const post = (body: unknown, headers: Record<string, string> = {}) =>
  fetch(`http://127.0.0.1:${port}/v1/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });

interface Completion {
  id: string;
  object: string;
  model: string;
  choices: { index: number; text: string; finish_reason: string | null }[];
  usage: { prompt_tokens: number; completion_tokens: number; total_tokens: number };
}

test("a completion between prompt and suffix, in OpenAI's shape", async () => {
  const response = await post({ prompt, suffix: "\n}\n", max_tokens: 8 });
  expect(response.status).toBe(200);
  const body = (await response.json()) as Completion;
  expect(body).toMatchObject({ object: "text_completion", choices: [{ index: 0, finish_reason: "length" }] });
  expect(body.id).toMatch(/^cmpl-/);
  expect(body.choices[0]?.text).not.toBe("");
  expect(body.usage.completion_tokens).toBe(8);
  expect(body.usage.total_tokens).toBe(body.usage.prompt_tokens + 8);
});

test("a client that never cancels is understood: its next key retires the request before, another client's does not", async () => {
  const long = `${"// one of many lines\n".repeat(20)}${prompt}`;
  const asked = { suffix: "\n}\n", max_tokens: 200, temperature: 1, seed: 7 };
  const mine = post({ ...asked, prompt: long, user: "me" });
  const other = post({ ...asked, prompt: long, seed: 8, user: "somebody else" });
  await new Promise((resolve) => setTimeout(resolve, 100));
  const next = post({ ...asked, prompt: `${long}a`, max_tokens: 4, user: "me" });
  expect((await mine).status).toBe(499);
  expect((await next).status).toBe(200);
  expect((await other).status).toBe(200);
});

test("several choices are different texts for the same place", async () => {
  const body = (await (await post({ prompt, suffix: "\n}\n", max_tokens: 12, n: 3 })).json()) as Completion;
  expect(body.choices.length).toBeGreaterThan(1);
  expect(body.choices.map(({ index }) => index)).toEqual(body.choices.map((_, i) => i));
  expect(new Set(body.choices.map(({ text }) => text)).size).toBe(body.choices.length);
});

test("the suffix counts: another one gives another prompt", async () => {
  const texts = await Promise.all(
    ["\n}\n", "\n}\n\nexport function subtract() {}\n"].map(
      async (suffix) => ((await (await post({ prompt, suffix, max_tokens: 12 })).json()) as Completion).choices[0]?.text,
    ),
  );
  expect(texts[0]).not.toBe(texts[1]);
});

describe("a prompt that the client rendered for some model", () => {
  const suffix = "\n}\n";
  const text = async (body: object) => ((await (await post({ max_tokens: 12, ...body })).json()) as Completion).choices[0]?.text;

  test.each([
    ["Qwen", `<|fim_prefix|>${prompt}<|fim_suffix|>${suffix}<|fim_middle|>`],
    ["Code Llama", `<PRE> ${prompt} <SUF>${suffix} <MID>`],
    ["Codestral", `[SUFFIX]${suffix}[PREFIX]${prompt}`],
    ["DeepSeek", `<｜fim▁begin｜>${prompt}<｜fim▁hole｜>${suffix}<｜fim▁end｜>`],
    ["StarCoder, suffix first", `<fim_prefix><fim_suffix>${suffix}<fim_middle>${prompt}`],
  ])("is answered as prompt and suffix would be: %s", async (_, rendered) => {
    expect(await text({ prompt: rendered })).toBe(await text({ prompt, suffix }));
  });

  test("takes the stops that Continue sends with it", async () => {
    const rendered = `<｜fim▁begin｜>${prompt}<｜fim▁hole｜>${suffix}<｜fim▁end｜>`;
    const stop = ["<｜fim▁begin｜>", "<｜fim▁hole｜>", "<｜fim▁end｜>", "//", "<｜end▁of▁sentence｜>"];
    const all = [...stop, "\n\n", "\r\n\r\n", "/src/", "#- coding: utf-8", "```"];
    expect((await post({ prompt: rendered, stop: all })).status).toBe(200);
    expect(await text({ prompt: rendered, stop })).toBe(await text({ prompt, suffix }));
  });

  test("is a cursor in a text: its next key retires it", async () => {
    const rendered = (typed: string) =>
      `<fim_prefix>${"// one of many lines\n".repeat(20)}${prompt}${typed}<fim_suffix>${suffix}<fim_middle>`;
    const asked = { max_tokens: 200, temperature: 1, seed: 7, user: "raw" };
    const first = await post({ ...asked, prompt: rendered(""), stream: true });
    const next = post({ ...asked, prompt: rendered("a"), max_tokens: 4 });
    expect(await first.text()).toContain('"code":"cancelled"');
    expect((await next).status).toBe(200);
  });

  test("is answered as it is where it cannot be read", async () => {
    const chat = "<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n";
    expect((await post({ prompt: chat, max_tokens: 4 })).status).toBe(200);
  });
});

test("streamed, the pieces make the whole text and [DONE] comes last", async () => {
  const asked = { prompt, suffix: "\n", max_tokens: 16, seed: 3 };
  const whole = ((await (await post(asked)).json()) as Completion).choices[0]?.text;
  const response = await post({ ...asked, stream: true, stream_options: { include_usage: true } });
  expect(response.headers.get("content-type")).toMatch(/event-stream/);
  const events = (await response.text()).split("\n\n").flatMap((line) => (line.startsWith("data: ") ? [line.slice(6)] : []));
  expect(events.at(-1)).toBe("[DONE]");
  const pieces = events.slice(0, -1).map((event) => JSON.parse(event) as Completion);
  expect(pieces.map((piece) => piece.choices[0]?.text ?? "").join("")).toBe(whole);
  expect(pieces.find((piece) => piece.choices[0]?.finish_reason)?.choices[0]?.finish_reason).toBe("length");
  // The same prompt again came from the finished results: nothing was computed for it.
  expect(pieces.at(-1)?.usage).toMatchObject({ prompt_tokens: 0, completion_tokens: 0 });
});

describe("what is not done is refused by name", () => {
  test.each([
    ["no prompt", {}, 400, "prompt"],
    ["several prompts", { prompt: ["a", "b"] }, 400, "prompt"],
    ["token ids", { prompt: [1, 2, 3] }, 400, "prompt"],
    ["too many choices", { prompt, n: 4 }, 400, "n"],
    ["echo", { prompt, echo: true }, 400, "echo"],
    ["logprobs", { prompt, logprobs: 5 }, 400, "logprobs"],
    ["a logit bias", { prompt, logit_bias: { 1: 1 } }, 400, "logit_bias"],
    ["a penalty", { prompt, presence_penalty: 1 }, 400, "presence_penalty"],
    ["no tokens", { prompt, max_tokens: 0 }, 400, "max_tokens"],
    ["too many tokens", { prompt, max_tokens: 1_000_000 }, 400, "max_tokens"],
    ["a hot temperature", { prompt, temperature: 9 }, 400, "temperature"],
    ["too many stops", { prompt, stop: Array.from({ length: 20 }, (_, i) => `s${i}`) }, 400, "stop"],
    ["an unknown model", { prompt, model: "gpt-9" }, 404, null],
    ["no JSON", "{prompt:", 400, "body"],
    ["a lone surrogate", '{"prompt": "\\ud800"}', 400, "prompt"],
  ])("%s", async (_name, body, status, field) => {
    const response = await post(body);
    expect(response.status).toBe(status);
    const { error } = (await response.json()) as { error: { message: string; param: string | null; code: string } };
    expect(error.message).not.toBe("");
    if (field !== null) expect(error.param).toBe(field);
  });

  test("an unknown path", async () => {
    expect((await fetch(`http://127.0.0.1:${port}/v2/everything`)).status).toBe(404);
  });
});

describe("a page of another origin gets nothing", () => {
  const get = (headers: Record<string, string>) =>
    new Promise<number>((resolve, reject) => {
      request({ host: "127.0.0.1", port, path: "/v1/models", headers }, (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      })
        .on("upgrade", () => resolve(101))
        .on("error", reject)
        .end();
    });
  const upgrade = {
    connection: "Upgrade",
    upgrade: "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": "MDEyMzQ1Njc4OWFiY2RlZg==",
  };

  test.each([
    ["our own name", { host: "127.0.0.1" }, 200],
    ["localhost", { host: "localhost:7412", origin: "http://localhost:3000" }, 200],
    ["a name rebound to loopback", { host: "evil.example" }, 403],
    ["another origin", { host: "127.0.0.1", origin: "https://evil.example" }, 403],
    ["a sandboxed page", { host: "127.0.0.1", origin: "null" }, 403],
    ["a WebSocket from another origin", { ...upgrade, host: "127.0.0.1", origin: "https://evil.example" }, 403],
    ["a WebSocket under another name", { ...upgrade, host: "evil.example" }, 403],
  ])("%s", async (_name, headers, status) => {
    expect(await get(headers as Record<string, string>)).toBe(status);
  });
});

test("a client that leaves takes its generation with it", async () => {
  const controller = new AbortController();
  const response = await fetch(`http://127.0.0.1:${port}/v1/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ prompt: `${prompt}leaving`, max_tokens: 250, stream: true }),
    signal: controller.signal,
  });
  await response.body?.getReader().read();
  controller.abort();
  const { admin } = portsOf(up.out());
  await expect
    .poll(
      async () =>
        ((await (await fetch(`http://127.0.0.1:${admin}/status`)).json()) as { outcomes: Record<string, number> }).outcomes[
          "cancelled"
        ],
      { timeout: 10_000 },
    )
    .toBe(1);
});
