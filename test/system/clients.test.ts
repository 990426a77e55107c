// Client libraries that are not ours complete code against `slipstream up` with the built-in model: OpenAI's for Node and for
// Python, Mistral's, Ollama's. Whole and streamed, with usage; what is wrong is the error their users catch; what is cancelled is
// cancelled here. And the document of it all is one that a validator takes.
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { root, run } from "../../tools/child.ts";
import { findTool } from "../../tools/toolbox.ts";
import { anyPorts, portsOf, type Running, start } from "../support/command.ts";
import { keyFile } from "../support/keys.ts";
import { library } from "../support/library.ts";

const node = findTool("clients-node");
const python = findTool("clients-python");
const { path: keysFile, keys } = keyFile("acme");
const prompt = "export function add(a: number, b: number) {\n  return ";
const suffix = "\n}\n\nexport function subtract(a: number, b: number) {\n  return a - b;\n}\n";
const model = "slipstream-fim-13m";

let up: Running;
let base: string;
let admin: string;
beforeAll(async () => {
  const env = { SLIPSTREAM_ROUTER_KEYS_FILE: keysFile };
  up = await start(process.execPath, ["bin/slipstream.js", "up", ...anyPorts], /Ctrl-C/, env);
  const ports = portsOf(up.out());
  base = `http://127.0.0.1:${ports.http}`;
  admin = `http://127.0.0.1:${ports.admin}`;
});
afterAll(async () => void (await up?.end()));

const cancelled = async () =>
  ((await (await fetch(`${admin}/status`)).json()) as { outcomes: Record<string, number> }).outcomes["cancelled"] ?? 0;
/** One more trigger ends cancelled while this runs. */
async function cancels(work: (attempt: number) => Promise<unknown>): Promise<void> {
  const before = await cancelled();
  // A text may be whole before its caller has left: then another is asked for.
  for (let attempt = 0; attempt < 8; attempt++) {
    await work(attempt);
    for (let looked = 0; looked < 20; looked++) {
      if ((await cancelled()) === before + 1) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  expect(await cancelled()).toBe(before + 1);
}
/** What a promise is refused with. */
const caught = (work: Promise<unknown>): Promise<Record<string, unknown>> =>
  work.then(
    () => ({ nothing: "was thrown" }),
    (thrown: unknown) => thrown as Record<string, unknown>,
  );
async function gathered<T>(pieces: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const piece of pieces) all.push(piece);
  return all;
}

interface Text {
  readonly choices: readonly { readonly text: string; readonly finish_reason: string | null }[];
  readonly usage?: { readonly prompt_tokens: number; readonly completion_tokens: number; readonly total_tokens: number };
  readonly _request_id?: string;
}
interface Chat {
  readonly choices: readonly { readonly message: { readonly content: string }; readonly delta: { readonly content?: string } }[];
  readonly usage?: { readonly completion_tokens: number };
}
type Ask<T> = (body: object, options?: object) => Promise<T & AsyncIterable<T>>;
interface OpenAi {
  readonly completions: { readonly create: Ask<Text> };
  readonly chat: { readonly completions: { readonly create: Ask<Chat> } };
  readonly models: { list(): AsyncIterable<{ readonly id: string }>; retrieve(id: string): Promise<{ readonly id: string }> };
}

describe.skipIf(node.path === undefined)("OpenAI's library for Node", () => {
  let client: OpenAi;
  let other: OpenAi;
  let Client: new (options: object) => OpenAi;
  beforeAll(async () => {
    Client = (await library<{ default: typeof Client }>(node.path as string, "openai")).default;
    client = new Client({ baseURL: `${base}/v1`, apiKey: keys.acme.text, maxRetries: 0 });
    other = new Client({ baseURL: `${base}/v1`, apiKey: "slp_000000000000_nobody", maxRetries: 0 });
  });
  const asked = { model, prompt, suffix, max_tokens: 12 };

  test("completes between prompt and suffix, with usage", async () => {
    const whole = await client.completions.create(asked);
    expect(whole.choices[0]?.text).toMatch(/\S/);
    expect(whole.usage?.completion_tokens).toBeGreaterThan(0);
    expect(whole.usage?.total_tokens).toBe((whole.usage?.prompt_tokens ?? 0) + (whole.usage?.completion_tokens ?? 0));
    expect(whole._request_id).toMatch(/^[0-9a-f]{16}$/);
  });

  test("streams the same text, usage last", async () => {
    const whole = await client.completions.create(asked);
    const pieces = await gathered(
      await client.completions.create({ ...asked, stream: true, stream_options: { include_usage: true } }),
    );
    expect(pieces.map(({ choices }) => choices[0]?.text ?? "").join("")).toBe(whole.choices[0]?.text);
    expect(pieces.at(-1)).toMatchObject({ choices: [], usage: { total_tokens: expect.any(Number) as number } });
  });

  test("has several choices", async () => {
    const { choices } = await client.completions.create({ ...asked, n: 3 });
    expect(choices.length).toBeGreaterThan(1);
  });

  test("chats, whole and streamed", async () => {
    const body = { model, messages: [{ role: "user", content: prompt }], max_completion_tokens: 12 };
    const whole = await client.chat.completions.create(body);
    expect(whole.choices[0]?.message.content).toMatch(/\S/);
    expect(whole.usage?.completion_tokens).toBeGreaterThan(0);
    const pieces = await gathered(await client.chat.completions.create({ ...body, stream: true }));
    expect(pieces.map(({ choices }) => choices[0]?.delta.content ?? "").join("")).toBe(whole.choices[0]?.message.content);
  });

  test("lists the models, and finds one", async () => {
    expect((await gathered(client.models.list())).map(({ id }) => id)).toEqual([model]);
    expect((await client.models.retrieve(model)).id).toBe(model);
  });

  test("throws its own errors: a wrong field, an unknown model, an unknown key", async () => {
    const field = await caught(client.completions.create({ ...asked, temperature: 9 }));
    expect([field.constructor.name, field["status"], field["param"], field["code"]]).toEqual([
      "BadRequestError",
      400,
      "temperature",
      "invalid_request",
    ]);
    const unknown = await caught(client.completions.create({ ...asked, model: "gpt-9" }));
    expect([unknown.constructor.name, unknown["status"], unknown["param"]]).toEqual(["NotFoundError", 404, "model"]);
    const nobody = await caught(other.completions.create(asked));
    expect([nobody.constructor.name, nobody["status"]]).toEqual(["AuthenticationError", 401]);
  });

  test("cancels by its signal, before and in a stream", async () => {
    const long = { ...asked, max_tokens: 250, temperature: 1 };
    await cancels(async (attempt) => {
      const stop = new AbortController();
      const another = { ...long, prompt: `${prompt}${"\n".repeat(attempt)}`, stream: true };
      const stream = await client.completions.create(another, { signal: stop.signal });
      for await (const _ of stream) stop.abort();
    });
    await cancels(async (attempt) => {
      const stop = new AbortController();
      const another = { ...long, prompt: `${prompt} ${"\n".repeat(attempt)}` };
      const whole = caught(client.completions.create(another, { signal: stop.signal }));
      setTimeout(() => stop.abort(), 20);
      expect((await whole).constructor.name).toMatch(/^(APIUserAbortError|Object)$/);
    });
  });

  test("reaches DeepSeek's endpoint by its base address", async () => {
    const client = new Client({ baseURL: `${base}/beta`, apiKey: keys.acme.text, maxRetries: 0 });
    const whole = await client.completions.create({ ...asked, model });
    expect(whole.choices[0]?.text).toMatch(/\S/);
    const usage = whole.usage as unknown as Record<string, number>;
    expect((usage["prompt_cache_hit_tokens"] ?? 0) + (usage["prompt_cache_miss_tokens"] ?? 0)).toBe(usage["prompt_tokens"]);
  });
});

interface Fim {
  readonly choices: readonly { readonly message: { readonly content: string }; readonly delta: { readonly content?: string } }[];
  readonly usage?: { readonly promptTokens: number; readonly completionTokens: number };
}
interface MistralClient {
  readonly fim: {
    complete(body: object): Promise<Fim>;
    stream(body: object, options?: object): Promise<AsyncIterable<{ readonly data: Fim }>>;
  };
  readonly models: { list(): Promise<{ readonly data: readonly { readonly id: string }[] }> };
}

describe.skipIf(node.path === undefined)("Mistral's library", () => {
  let client: MistralClient;
  let other: MistralClient;
  beforeAll(async () => {
    const { Mistral } = await library<{ Mistral: new (options: object) => MistralClient }>(
      node.path as string,
      "@mistralai/mistralai",
    );
    client = new Mistral({ serverURL: base, apiKey: keys.acme.text });
    other = new Mistral({ serverURL: base, apiKey: "slp_000000000000_nobody" });
  });
  const asked = { model, prompt, suffix, maxTokens: 12, temperature: 0 };

  test("completes between prompt and suffix, with usage", async () => {
    const whole = await client.fim.complete(asked);
    expect(whole.choices[0]?.message.content).toMatch(/\S/);
    expect(whole.usage).toMatchObject({
      promptTokens: expect.any(Number) as number,
      completionTokens: expect.any(Number) as number,
    });
  });

  test("streams the same text, usage with the last piece", async () => {
    const whole = await client.fim.complete(asked);
    const pieces = await gathered(await client.fim.stream(asked));
    expect(pieces.map(({ data }) => data.choices[0]?.delta.content ?? "").join("")).toBe(whole.choices[0]?.message.content);
    expect(pieces.at(-1)?.data.usage?.completionTokens).toBeTypeOf("number");
  });

  test("lists the models", async () => {
    expect((await client.models.list()).data.map(({ id }) => id)).toEqual([model]);
  });

  test("throws its own errors: a wrong field, an unknown model, an unknown key", async () => {
    const field = await caught(client.fim.complete({ ...asked, temperature: 9 }));
    expect([field.constructor.name, field["statusCode"]]).toEqual(["HTTPValidationError", 422]);
    expect(field["detail"]).toMatchObject([{ loc: ["body", "temperature"] }]);
    expect((await caught(client.fim.complete({ ...asked, model: "codestral-9" })))["statusCode"]).toBe(404);
    expect((await caught(other.fim.complete(asked)))["statusCode"]).toBe(401);
  });

  test("cancels by its signal", async () => {
    await cancels(async (attempt) => {
      const stop = new AbortController();
      const options = { fetchOptions: { signal: stop.signal } };
      const another = `${prompt}  ${"\n".repeat(attempt)}`;
      const reading = client.fim.stream({ ...asked, prompt: another, maxTokens: 250, temperature: 1 }, options);
      await caught(
        (async () => {
          for await (const _ of await reading) stop.abort();
        })(),
      );
    });
  });
});

interface Generated {
  readonly response: string;
  readonly done: boolean;
  readonly done_reason?: string;
  readonly eval_count?: number;
  readonly prompt_eval_count?: number;
}
interface OllamaClient {
  generate(body: object): Promise<Generated & AsyncIterable<Generated>>;
  list(): Promise<{ readonly models: readonly { readonly name: string }[] }>;
  show(body: object): Promise<{ readonly capabilities: readonly string[]; readonly template: string }>;
  ps(): Promise<{ readonly models: readonly { readonly name: string }[] }>;
  version(): Promise<{ readonly version: string }>;
  abort(): void;
}

describe.skipIf(node.path === undefined)("Ollama's library", () => {
  let client: OllamaClient;
  let other: OllamaClient;
  beforeAll(async () => {
    const { Ollama } = await library<{ Ollama: new (options: object) => OllamaClient }>(node.path as string, "ollama");
    const made = (key: string) => new Ollama({ host: base, headers: { Authorization: `Bearer ${key}` } });
    client = made(keys.acme.text);
    other = made("slp_000000000000_nobody");
  });
  const asked = { model: `${model}:latest`, prompt, suffix, options: { num_predict: 12, temperature: 0 } };

  test("completes between prompt and suffix, and counts", async () => {
    const whole = await client.generate(asked);
    expect(whole.response).toMatch(/\S/);
    expect(whole).toMatchObject({ done: true, done_reason: expect.stringMatching(/^(stop|length)$/) as string });
    expect(whole.eval_count).toBeTypeOf("number");
  });

  test("streams the same text, counts with the last line", async () => {
    const whole = await client.generate(asked);
    const pieces = await gathered(await client.generate({ ...asked, stream: true }));
    expect(pieces.map(({ response }) => response).join("")).toBe(whole.response);
    expect(pieces.at(-1)).toMatchObject({ done: true, eval_count: expect.any(Number) as number });
  });

  test("finds the model, that it infills, and that it is loaded", async () => {
    expect((await client.list()).models.map(({ name }) => name)).toEqual([model]);
    const shown = await client.show({ model });
    expect(shown.capabilities).toContain("insert");
    expect(shown.template).toContain(".Suffix");
    expect((await client.ps()).models.map(({ name }) => name)).toEqual([model]);
    expect((await client.version()).version).toMatch(/^\d+\.\d+\.\d+$/);
    expect(await client.generate({ model, prompt: "" })).toMatchObject({ done: true, done_reason: "load" });
  });

  test("throws its own errors: a wrong option, an unknown model, an unknown key", async () => {
    const field = await caught(client.generate({ ...asked, options: { temperature: 9 } }));
    expect([field.constructor.name, field["status_code"], String(field["message"])]).toEqual([
      "ResponseError",
      400,
      expect.stringContaining("options.temperature"),
    ]);
    expect((await caught(client.generate({ ...asked, model: "llama9" })))["status_code"]).toBe(404);
    expect((await caught(other.generate(asked)))["status_code"]).toBe(401);
  });

  test("cancels by abort", async () => {
    await cancels(async () => {
      const long = { ...asked, prompt: `${prompt}   `, options: { num_predict: 250, temperature: 1 }, stream: true };
      await caught(
        (async () => {
          for await (const _ of await client.generate(long)) client.abort();
        })(),
      );
    });
  });
});

describe.skipIf(python.path === undefined)("OpenAI's library for Python", () => {
  test("completes, streams, chats, throws its own errors and cancels", async () => {
    await cancels(async () => {
      const program = join(root, "test/system/clients/openai_client.py");
      const { code, output } = await run([python.path as string, program, `${base}/v1`, keys.acme.text, model]);
      expect({ code, output: output.trim().split("\n") }).toEqual({
        code: 0,
        output: ["whole", "stream", "chat", "models", "wrong field", "unknown model", "unknown key", "cancel"].map(
          (done) => `ok ${done}`,
        ),
      });
    });
  });

  test("a validator takes the OpenAPI document", async () => {
    const { code, output } = await run([
      python.path as string,
      "-m",
      "openapi_spec_validator",
      join(root, "docs/reference/openapi.json"),
    ]);
    expect({ code, output: output.trim() }).toMatchObject({ code: 0, output: expect.stringMatching(/OK$/) as string });
  });
});
