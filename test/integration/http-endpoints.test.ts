// Every endpoint of the HTTP port, asked as its clients ask it, against `slipstream up` with the built-in model: what is answered
// is what the table of routes says, text is completed, and what is streamed is what comes whole.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { packageRoot } from "../../lib/package-root.ts";
import type { Route } from "../../router/http/route.ts";
import { routes } from "../../router/http/routes.ts";
import { anyPorts, portsOf, type Running, start } from "../support/command.ts";
import { eventsOf, HttpPort, linesOf, read } from "../support/http.ts";

let up: Running;
let port: HttpPort;
beforeAll(async () => {
  up = await start(process.execPath, ["bin/slipstream.js", "up", ...anyPorts], /Ctrl-C/);
  port = new HttpPort(portsOf(up.out()).http);
});
afterAll(async () => void (await up?.end()));

const prefix = "export function add(a: number, b: number) {\n  return ";
const suffix = "\n}\n\nexport function subtract(a: number, b: number) {\n  return a - b;\n}\n";
const messages = [{ role: "user", content: prefix }];
/** A few tokens: a test is no typist. */
const few = { max_tokens: 8 };

interface Example {
  /** As the route writes it, or one of it. */
  readonly at?: string;
  readonly body?: object;
  /** Where its text is; absent: it completes nothing. */
  readonly text?: (answer: never) => string | undefined;
  /** Where a piece of the stream has text. */
  readonly piece?: (event: never) => string | undefined;
}

interface TextChoices {
  readonly choices: readonly {
    readonly text?: string;
    readonly message?: { content: string };
    readonly delta?: { content?: string };
  }[];
}
const ofChoice = ({ choices }: TextChoices) => choices[0]?.text;
const ofMessage = ({ choices }: TextChoices) => choices[0]?.message?.content;
const ofDelta = ({ choices }: TextChoices) => choices[0]?.delta?.content;
const ofContent = ({ content }: { content: string }) => content;
const ofResponse = ({ response }: { response: string }) => response;
const contents = { text: ofContent, piece: ofContent };
const texts = { text: ofChoice, piece: ofChoice };

/** By API and path. */
const examples: Readonly<Record<string, Example>> = {
  "openai POST /v1/completions": { body: { prompt: prefix, suffix, ...few }, ...texts },
  "openai POST /v1/engines/:engine/completions": {
    at: "/v1/engines/copilot-codex/completions",
    body: { prompt: prefix, suffix, ...few, extra: { language: "typescript", next_indent: 2, context: ["const one = 1;"] } },
    ...texts,
  },
  "openai POST /v1/chat/completions": { body: { messages, ...few }, text: ofMessage, piece: ofDelta },
  "openai GET /v1/models": {},
  "openai GET /v1/models/:model": { at: "/v1/models/slipstream-fim-13m" },
  "llama POST /infill": {
    body: { input_prefix: prefix, input_suffix: suffix, n_predict: 8 },
    ...contents,
  },
  "llama POST /completion": { body: { prompt: prefix, n_predict: 8 }, ...contents },
  "llama POST /completions": { body: { prompt: prefix, n_predict: 8 }, ...contents },
  "llama POST /apply-template": { body: { messages } },
  "llama POST /tokenize": { body: { content: prefix, with_pieces: true } },
  "llama GET /health": {},
  "llama GET /props": {},
  "mistral POST /v1/fim/completions": { body: { prompt: prefix, suffix, ...few }, text: ofMessage, piece: ofDelta },
  "mistral POST /fim/completions": { body: { prompt: prefix, suffix, ...few }, text: ofMessage, piece: ofDelta },
  "deepseek POST /beta/completions": { body: { prompt: prefix, suffix, ...few }, ...texts },
  "ollama POST /api/generate": {
    body: { model: "slipstream-fim-13m:latest", prompt: prefix, suffix, options: { num_predict: 8, num_ctx: 2048 } },
    text: ofResponse,
    piece: ofResponse,
  },
  "ollama GET /api/tags": {},
  "ollama GET /api/ps": {},
  "ollama POST /api/show": { body: { model: "slipstream-fim-13m:latest" } },
  "ollama GET /api/version": {},
  "tabby POST /v1/completions": {
    body: { language: "typescript", segments: { prefix, suffix, filepath: "src/add.ts" } },
    text: ofChoice,
  },
  "tabby POST /v1/events": { body: { type: "view", completion_id: "cmpl-unknown", choice_index: 0 } },
  "tabby GET /v1/health": {},
  "tabby POST /v1/health": {},
  "tabby GET /v1beta/server_setting": {},
};
const keyOf = ({ api, method, path }: Route) => `${api} ${method} ${path}`;
const exampleOf = (route: Route) => examples[keyOf(route)] ?? {};
const completing = routes.filter((route) => exampleOf(route).text);

test("each endpoint has an example", () => {
  expect(Object.keys(examples).sort()).toEqual(routes.map(keyOf).sort());
});

test.each(routes.map((route) => [keyOf(route), route] as const))("%s answers what the table says", async (_, route) => {
  const { at = route.path, body, text } = exampleOf(route);
  const { status, json, text: said } = await port.ask(route.method, at, { ...body, stream: false });
  expect({ status, said: status === 200 ? "" : said }).toEqual({ status: 200, said: "" });
  const checked = route.answer.safeParse(json ?? said);
  expect(checked.error?.issues ?? []).toEqual([]);
  if (text) expect(text(json as never)).not.toBe("");
});

test("tokens of a text are the worker's own: their pieces make it, parts of a character by their bytes", async () => {
  const content = `<|fim_prefix|>const größe = "日本";\n`;
  const tokens = async (more: object) =>
    (
      (await port.ask("POST", "/tokenize", { content, ...more })).json as {
        tokens: (number | { id: number; piece: string | number[] })[];
      }
    ).tokens;
  const told = (await tokens({ with_pieces: true })) as { id: number; piece: string | number[] }[];
  const bytes = told.map(({ piece }) => (typeof piece === "string" ? Buffer.from(piece) : Buffer.from(piece)));
  expect(Buffer.concat(bytes).toString()).toBe(content);
  expect(told[0]?.piece).toBe("<|fim_prefix|>");
  expect(await tokens({})).toEqual(told.map(({ id }) => id));
  expect((await tokens({ parse_special: false })).length).toBeGreaterThan(told.length);
  expect(await tokens({ content: "" })).toEqual([]);
});

test("the document of it all is served as it is kept", async () => {
  const kept = readFileSync(join(packageRoot(), "docs/reference/openapi.json"), "utf8");
  expect((await port.ask("GET", "/openapi.json")).json).toEqual(JSON.parse(kept));
});

test("the name that settings have for the default model has a card, by OpenAI's and by Ollama's way", async () => {
  const card = await port.ask("GET", "/v1/models/slipstream");
  expect([card.status, card.json]).toMatchObject([200, { id: "slipstream", max_model_len: expect.any(Number) }]);
  for (const model of ["slipstream", "slipstream:latest"]) {
    const shown = await port.ask("POST", "/api/show", { model });
    expect([shown.status, shown.json]).toMatchObject([200, { capabilities: ["completion", "insert"] }]);
  }
});

describe("streamed", () => {
  test.each(completing.map((route) => [keyOf(route), route] as const))(
    "%s comes in pieces that make the whole",
    async (_, route) => {
      const { at = route.path, body, text, piece } = exampleOf(route);
      if (!piece) return expect(route.streams).toBeUndefined();
      const whole = (await port.ask(route.method, at, { ...body, stream: false })).json;
      const { headers, text: said } = await read(await port.post(at, { ...body, stream: true }));
      expect(headers.get("content-type")).toContain(route.streams);
      const events =
        route.streams === "application/x-ndjson"
          ? linesOf(said)
          : eventsOf(said).flatMap((data) => (data === "[DONE]" ? [] : [JSON.parse(data)]));
      expect(events.map((event) => piece(event as never) ?? "").join("")).toBe(text?.(whole as never));
    },
  );
});
