// Every endpoint is asked for every row of the sampling table: what is honoured reaches the worker as it was asked, what is refused is
// refused by its name.
import { create, type DescMessage } from "@bufbuild/protobuf";
import fastify from "fastify";
import { expect, test } from "vitest";
import {
  CompleteRequestSchema,
  GenerateRequestSchema,
  Role,
  SamplingSchema,
  Speculation,
  TriggerKind,
  TriggerSchema,
} from "../../proto/gen/slipstream/v1/completion_pb.ts";
import { serve } from "../../router/http/serving.ts";
import { nameAt, type SamplingEndpoint, samplingEndpoints, samplingTable } from "../../router/ingress/sampling-table.ts";
import { hello, opened, routed } from "../support/routed.ts";

type Name = keyof typeof samplingTable;

/** A value that is not the default, as the wire has it, and what of the worker's Sampling shows it. */
const asked: Partial<Record<Name, { readonly wire: unknown; readonly json?: unknown; readonly submitted: object }>> = {
  max_tokens: { wire: 7, submitted: { maxTokens: 7 } },
  temperature: { wire: 0.5, submitted: { temperature: 0.5 } },
  top_p: { wire: 0.5, submitted: { topP: 0.5 } },
  top_k: { wire: 5, submitted: { topK: 5 } },
  seed: { wire: 9n, json: 9, submitted: { seed: 9n } },
  stop: { wire: ["end"], submitted: { stop: ["end"] } },
  speculation: { wire: Speculation.OFF, submitted: { speculation: Speculation.OFF } },
};
/** Values that an endpoint refuses. */
const refused: Partial<Record<Name, unknown>> = {
  n: 2,
  logprobs: 1,
  best_of: 2,
  echo: true,
  logit_bias: { 5: 1 },
  presence_penalty: 1,
  frequency_penalty: 1,
  repeat_penalty: 1.1,
  min_p: 0.05,
  typical_p: 0.9,
  mirostat: 1,
  grammar: "root ::= [a-z]",
  min_tokens: 1,
};
/** What llama.cpp has as a list. */
const refusedList = { logit_bias: [[5, 1]] } as const;
/** How each HTTP endpoint is asked, without sampling. */
const asks: Readonly<Record<Exclude<SamplingEndpoint, "session" | "complete" | "generate">, { url: string; payload: object }>> = {
  openai: { url: "/v1/completions", payload: { prompt: "let a = 1;\n" } },
  chat: { url: "/v1/chat/completions", payload: { messages: [{ role: "user", content: "Hello." }] } },
  llama: { url: "/infill", payload: { input_prefix: "let a = 1;\n", input_suffix: "" } },
  mistral: { url: "/v1/fim/completions", payload: { prompt: "let a = 1;\n" } },
  deepseek: { url: "/beta/completions", payload: { prompt: "let a = 1;\n" } },
  ollama: { url: "/api/generate", payload: { prompt: "let a = 1;\n" } },
  tabby: { url: "/v1/completions", payload: { segments: { prefix: "let a = 1;\n" } } },
};
const isHttp = (endpoint: SamplingEndpoint): endpoint is keyof typeof asks => endpoint in asks;
/** Where a body has the parameter: its options may be nested. */
function payloadOf(endpoint: keyof typeof asks, name: Name, value: unknown): object {
  const { payload } = asks[endpoint];
  const path = nameAt(name, endpoint).split(".");
  const nested = path.reduceRight<unknown>((inner, key) => ({ [key]: inner }), value) as object;
  return { ...payload, ...nested };
}
const camel = (name: string) => name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());
const code = "let a = 1;\n";

async function ready() {
  const made = routed();
  await made.workers.welcome("w1");
  return made;
}

/** Asks, and gives what the worker was sent of it. */
async function submitted(endpoint: SamplingEndpoint, name: Name): Promise<object> {
  const made = await ready();
  const { wire, json = wire } = asked[name] as { wire: unknown; json?: unknown };
  const sampling = create(SamplingSchema, { [camel(name)]: wire } as never);
  if (endpoint === "session") {
    const session = made.session();
    const trigger = { triggerId: "t1", documentId: "d1", version: 1n, offsetUtf16: 4, kind: TriggerKind.INVOKED, sampling };
    await session.say(hello, opened(code), { case: "trigger", value: create(TriggerSchema, trigger) });
  } else if (endpoint === "complete")
    made.complete(create(CompleteRequestSchema, { prefix: code, kind: TriggerKind.INVOKED, sampling }));
  else if (endpoint === "generate") {
    const messages = [{ role: Role.USER, content: "Hello." }];
    const request = create(GenerateRequestSchema, { messages, sampling });
    const trigger = made.router.ingress.generate(request, "default", new AbortController().signal);
    void made.router.run(trigger, {}).next();
  } else if (isHttp(endpoint)) {
    const app = fastify();
    serve(app, made.router);
    void app.inject({ method: "POST", url: asks[endpoint].url, payload: payloadOf(endpoint, name, json) });
  }
  for (let i = 0; i < 20; i++) await made.clock.advance(0);
  const channel = endpoint === "generate" || endpoint === "chat" ? "bulk" : "inline";
  const { sampling: sent } = made.workers.stream("w1", channel).of("submit")[0] as { sampling?: object };
  await made.router.close();
  return sent ?? {};
}

const messages: Readonly<Partial<Record<SamplingEndpoint, DescMessage>>> = {
  session: TriggerSchema,
  complete: CompleteRequestSchema,
  generate: GenerateRequestSchema,
};

const rows = (Object.keys(samplingTable) as Name[]).flatMap((name) =>
  (Object.keys(samplingEndpoints) as SamplingEndpoint[]).map((endpoint) => ({
    name,
    endpoint,
    fate: samplingTable[name].fates[endpoint] as string,
  })),
);

test.each(rows.filter(({ name, fate }) => fate === "honoured" && name !== "n"))(
  "$endpoint honours $name",
  async ({ name, endpoint }) => {
    expect(await submitted(endpoint, name)).toMatchObject(asked[name]?.submitted ?? { missing: true });
  },
);

test("n: a session's INVOKED trigger has as many generations", async () => {
  const made = await ready();
  const trigger = { triggerId: "t1", documentId: "d1", version: 1n, offsetUtf16: 4, kind: TriggerKind.INVOKED, n: 3 };
  await made.session().say(hello, opened(code), { case: "trigger", value: create(TriggerSchema, trigger) });
  await made.answer("w1", ["call();"]);
  for (let i = 0; i < 20; i++) await made.clock.advance(0);
  expect(made.workers.stream("w1").of("submit").length).toBeGreaterThan(1);
});

test.each(rows.filter(({ fate }) => fate === "refused"))("$endpoint refuses $name by its name", async ({ name, endpoint }) => {
  const made = await ready();
  const app = fastify();
  serve(app, made.router);
  if (!isHttp(endpoint)) throw new Error(`${endpoint} has no way to be asked`);
  const answer = await app.inject({
    method: "POST",
    url: asks[endpoint].url,
    payload: payloadOf(
      endpoint,
      name,
      (endpoint === "llama" && name in refusedList ? refusedList[name as "logit_bias"] : refused[name]) ?? { missing: true },
    ),
  });
  expect(answer.statusCode).toBe(answer.body.includes('"detail"') ? 422 : 400);
  expect(answer.body).toContain(nameAt(name, endpoint).split(".").at(-1));
});

test.each(rows.filter(({ endpoint, fate }) => fate === "absent" && endpoint in messages))(
  "$endpoint has no field for $name",
  ({ name, endpoint }) => {
    const fields = [...(messages[endpoint]?.fields ?? []), ...SamplingSchema.fields].map((field) => field.name);
    expect(fields).not.toContain(name);
  },
);

test("every field of Sampling has a row", () => {
  expect(Object.keys(samplingTable)).toEqual(expect.arrayContaining(SamplingSchema.fields.map(({ name }) => name)));
});
