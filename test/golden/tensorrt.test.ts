// The stand-in for TensorRT-LLM answers as its sources say that it does: same statuses, and every field that it has is one of the real
// one's. The messages were written after those sources, each with file and commit, since it runs on a GPU alone.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { create, type DescMessage, type JsonValue, type MessageShape, toJson } from "@bufbuild/protobuf";
import { afterEach, expect, test } from "vitest";
import { systemClock } from "../../lib/clock.ts";
import type { SlipstreamError } from "../../lib/errors.ts";
import { packageRoot } from "../../lib/package-root.ts";
import { KvEventBatchSchema, SubscribeKvEventsRequestSchema } from "../../proto/gen/third_party/common_pb.ts";
import {
  AbortRequestSchema,
  AbortResponseSchema,
  type GenerateResponse,
  GenerateResponseSchema,
  GetModelInfoResponseSchema,
  GetServerInfoResponseSchema,
  TrtllmService,
} from "../../proto/gen/third_party/trtllm_service_pb.ts";
import { StandInGrpc } from "../../sim/tensorrt/grpc.ts";
import { truncatePath } from "../../sim/tensorrt/control.ts";
import { StandInServe } from "../../sim/tensorrt/serve.ts";
import { StandInTriton } from "../../sim/tensorrt/triton.ts";
import { generateRequest } from "../../workers/engine/tensorrt/grpc/request.ts";
import { TensorRtWire } from "../../workers/engine/tensorrt/grpc/wire.ts";
import { differences, shapeOf } from "../support/vllm/shapes.ts";

interface Sourced {
  readonly source: string;
}
interface Golden {
  readonly http: Readonly<Record<string, Sourced & { readonly status: number; readonly body: unknown }>>;
  readonly streams: Readonly<Record<"completion" | "chat" | "triton", Sourced & Readonly<Record<"first" | "second" | "last", unknown>>>>;
  readonly "kv events": Sourced & { readonly events: readonly { readonly data: { readonly type: string } }[] };
  readonly iteration: Sourced & { readonly body: unknown };
  readonly metrics: Sourced & { readonly names: readonly string[]; readonly "queue buckets": readonly number[] };
  readonly grpc: Readonly<Record<string, Sourced & { readonly message: JsonValue; readonly code: string; readonly finishReason: string }>>;
}

const golden = JSON.parse(readFileSync(join(packageRoot(), "test/golden/tensorrt/messages.json"), "utf8")) as Golden;
const open: { kill(): Promise<unknown> }[] = [];
afterEach(async () => {
  for (const each of open.splice(0)) await each.kill();
});
const opened = async <T extends { kill(): Promise<unknown> }>(starting: Promise<T>): Promise<T> => {
  const stand = await starting;
  open.push(stand);
  return stand;
};

const prompt = Array.from({ length: 40 }, (_, index) => 300 + index);
const completion = { model: "m", prompt, max_tokens: 6, temperature: 0 };
const greedy = { temperature: 0, topP: 1, topK: 0, seed: undefined };
const streamed = { stream: true, stream_options: { include_usage: true, continuous_usage_stats: true } };

const post = (url: string, body: object) =>
  fetch(url, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });

async function eventsOf(answer: Response): Promise<unknown[]> {
  const data = (await answer.text()).split("\n").filter((line) => line.startsWith("data:"));
  return data.map((line) => line.slice(5).trim()).map((each): unknown => (each === "[DONE]" ? each : JSON.parse(each)));
}

test("every message names the file and the commit, or the version, of where its shape comes from", () => {
  const sources = [golden["kv events"], golden.iteration, golden.metrics]
    .concat(...[golden.http, golden.streams, golden.grpc].map((group) => Object.values(group) as never[]))
    .map(({ source }: Sourced) => source);
  expect(sources.length).toBeGreaterThan(20);
  for (const source of sources) expect(source).toMatch(/\w+\.(py|h|md)\b/);
});

const asked: Readonly<Record<string, readonly [path: string, body?: object]>> = {
  version: ["/version"],
  models: ["/v1/models"],
  suffix: ["/v1/completions", { ...completion, suffix: "}" }],
  "cache_salt of a completion": ["/v1/completions", { ...completion, cache_salt: "a" }],
  "priority over 1": ["/v1/completions", { ...completion, priority: 2 }],
  "too long": ["/v1/completions", { ...completion, max_tokens: 1_000_000 }],
  completion: ["/v1/completions", completion],
  truncation: [truncatePath, { prefixes: [prompt], num_tokens_to_keep: [32] }],
  "truncation, lists of two lengths": [truncatePath, { prefixes: [prompt], num_tokens_to_keep: [] }],
  "truncation to more than there is": [truncatePath, { prefixes: [[1, 2]], num_tokens_to_keep: [3] }],
  "truncation without lengths": [truncatePath, { prefixes: [] }],
  "truncation while it shuts down": [truncatePath, { prefixes: [prompt], num_tokens_to_keep: [32] }],
};

test.each(Object.keys(golden.http))("over HTTP, %s is answered as the sources say", async (name) => {
  const stand = await opened(StandInServe.start());
  stand.closing = name.endsWith("shuts down");
  const [path, body] = asked[name] as readonly [string, object?];
  const answer = await (body ? post(stand.url + path, body) : fetch(stand.url + path));
  const { status, body: theirs } = golden.http[name] as Golden["http"][string];
  const text = await answer.text();
  const ours: unknown = text === "" ? null : JSON.parse(text);
  expect([answer.status, differences(shapeOf(ours), shapeOf(theirs))]).toEqual([status, []]);
  // What is wrong is said with the same words.
  const wrong = /'type': '(\w+)'.*'msg': '([^']+)'/;
  const [says, said] = [ours, theirs].map((each) => wrong.exec(String((each as { error?: unknown } | null)?.error))?.slice(1, 3));
  expect(says).toEqual(said);
  if (path === truncatePath && !said) expect(ours).toEqual(theirs);
});

test("streams of completions and of chat have their events in these shapes", async () => {
  const stand = await opened(StandInServe.start());
  const text = await eventsOf(await post(`${stand.url}/v1/completions`, { ...completion, ...streamed }));
  const chat = { model: "m", messages: [], prompt_token_ids: prompt, max_completion_tokens: 6, cache_salt: "a", ...streamed };
  const said = await eventsOf(await post(`${stand.url}/v1/chat/completions`, chat));
  const { completion: theirs, chat: their } = golden.streams;
  const pairs: [ours: unknown, theirs: unknown][] = [
    ...([[text[0], theirs.first], [text.at(-2), theirs.last]] as [unknown, unknown][]),
    ...([[said[0], their.first], [said[1], their.second], [said.at(-2), their.last]] as [unknown, unknown][]),
  ];
  expect(pairs.map(([ours, other]) => differences(shapeOf(ours), shapeOf(other)))).toEqual(pairs.map(() => []));
  expect([text.at(-1), said.at(-1)]).toEqual(["[DONE]", "[DONE]"]);
});

test("KV events have these shapes, and are gone when read", async () => {
  const stand = await opened(StandInServe.start({ speaks: "1.2", quietMs: 20, blocks: 2 }));
  const read = async () => (await (await post(`${stand.url}/kv_cache_events`, {})).json()) as { data: { type: string } }[];
  await post(`${stand.url}/v1/completions`, completion);
  stand.engine.blocks.move(stand.engine.blocks.hashes()[0] as bigint, 1);
  await post(`${stand.url}/v1/completions`, { ...completion, prompt: [...prompt].reverse().concat(prompt, prompt) });
  const events = await read();
  for (const theirs of golden["kv events"].events) {
    const ours = events.find(({ data: { type } }) => type === theirs.data.type);
    expect([theirs.data.type, differences(shapeOf(ours), shapeOf(theirs))]).toEqual([theirs.data.type, []]);
  }
  expect(await read()).toEqual([]);
});

test("iterations and metrics have these names, and the histogram of queue times begins where theirs does", async () => {
  const stand = await opened(StandInServe.start({ perStep: 3 }));
  await post(`${stand.url}/v1/completions`, completion);
  const exposition = await (await fetch(`${stand.url}/prometheus/metrics`)).text();
  const names = new Set(exposition.split("\n").flatMap((line) => /^(trtllm_\w+)/.exec(line)?.[1] ?? []));
  expect([...names].filter((name) => !golden.metrics.names.includes(name))).toEqual([]);
  const buckets = [...exposition.matchAll(/request_queue_time_seconds_bucket.*le="([\d.]+)"/g)].map(([, le]) => Number(le));
  expect(buckets).toEqual(golden.metrics["queue buckets"]);
  const iterations = (await (await fetch(`${stand.url}/metrics`)).json()) as unknown[];
  expect(differences(shapeOf(iterations.at(-1)), shapeOf(golden.iteration.body))).toEqual([]);
  expect(await (await fetch(`${stand.url}/metrics`)).json()).toEqual([]);
});

test("Triton's stream has its events in this shape", async () => {
  const stand = await opened(StandInTriton.start());
  const body = { input_ids: prompt, input_lengths: 40, request_output_len: 3, streaming: true };
  const [first] = await eventsOf(await post(`${stand.url}/generate_stream`, body));
  expect(differences(shapeOf(first), shapeOf(golden.streams.triton.first))).toEqual([]);
});

test("messages over gRPC have these shapes", async () => {
  const stand = await opened(StandInGrpc.start());
  const wire = new TensorRtWire({ url: stand.url }, { clock: systemClock });
  try {
    const tokens = Array.from({ length: 70 }, (_, index) => 300 + index);
    const generate = async (requestId: string, maxTokens: number, each?: () => Promise<unknown>) => {
      const said: GenerateResponse[] = [];
      const request = generateRequest({ requestId, tokens, maxTokens }, greedy, { confidence: true });
      for await (const message of wire.client.serverStream(TrtllmService.method.generate, request))
        if (said.push(message) === 2) await each?.();
      return said;
    };
    const events = firstEvents(wire);
    const whole = await generate("r", 4);
    const abort = (requestId: string) => wire.client.unary(TrtllmService.method.abort, create(AbortRequestSchema, { requestId }));
    let aborting: JsonValue = null;
    const aborted = await generate("gone", 900, async () => {
      aborting = json(AbortResponseSchema, await abort("gone"));
    });
    const ours: Readonly<Record<string, JsonValue>> = {
      chunk: json(GenerateResponseSchema, whole[0] as GenerateResponse),
      complete: json(GenerateResponseSchema, whole.at(-1) as GenerateResponse),
      abort: aborting,
      "abort of nobody": json(AbortResponseSchema, await abort("nobody")),
      model: json(GetModelInfoResponseSchema, await wire.model({})),
      server: json(GetServerInfoResponseSchema, await wire.server({})),
      "kv events": await events,
    };
    for (const [name, message] of Object.entries(ours))
      expect([name, differences(shapeOf(message), shapeOf(golden.grpc[name]?.message))]).toEqual([name, []]);
    expect(await wire.health()).toEqual({ status: 200, text: (golden.grpc["health"]?.message as { status: string }).status });
    const last = aborted.at(-1)?.response;
    expect(last?.case === "complete" && last.value.finishReason).toBe(golden.grpc["complete of one that was aborted"]?.finishReason);
    const refused = await generate("long", 1_000_000).catch((thrown: SlipstreamError) => thrown.code);
    expect(refused).toBe(golden.grpc["too long"]?.code);
  } finally {
    wire.close();
  }
});

/** The first batch that tells of blocks after others. */
async function firstEvents({ client }: TensorRtWire): Promise<JsonValue> {
  const late = AbortSignal.timeout(20_000);
  const request = create(SubscribeKvEventsRequestSchema);
  for await (const batch of client.serverStream(TrtllmService.method.subscribeKvEvents, request, { signal: late }))
    if (batch.events.length > 0) return json(KvEventBatchSchema, { ...batch, sequenceNumber: 0n });
  return null;
}

function json<D extends DescMessage>(schema: D, message: MessageShape<D>): JsonValue {
  return toJson(schema, message);
}
