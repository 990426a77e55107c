// exchange: the same questions to any server that speaks vLLM's HTTP, and what it answers: recorded once from a real one, asked of
// the pretend one in every run.

import { ZmtpConnection } from "../../../workers/engine/vllm/events/zmtp.ts";

export interface Exchanged {
  /** Status and JSON of an answer, by question. */
  readonly answers: Readonly<Record<string, { readonly status: number; readonly body: unknown }>>;
  /** Events of a streamed completion, "[DONE]" as it is. */
  readonly stream: readonly unknown[];
  /** Names of metrics that it exposes. */
  readonly metrics: readonly string[];
}

const prompt = Array.from({ length: 40 }, (_, index) => 300 + index);
const completion = { model: "tiny", prompt, max_tokens: 6, temperature: 0, cache_salt: "golden" };

const questions: Readonly<
  Record<string, readonly [path: string, body?: { readonly model?: string; readonly [field: string]: unknown }]>
> = {
  version: ["/version"],
  models: ["/v1/models"],
  tokenize: ["/tokenize", { model: "tiny", prompt: "const a = b;", add_special_tokens: false, return_token_strs: true }],
  "kv event sources": ["/kv_event_sources"],
  sleeping: ["/is_sleeping"],
  completion: ["/v1/completions", completion],
  "a completion again": ["/v1/completions", completion],
  "no such model": ["/v1/completions", { ...completion, model: "nobody" }],
  "too long": ["/v1/completions", { ...completion, max_tokens: 1_000_000 }],
  "nothing to generate from": ["/inference/v1/generate", {}],
  "no adapter": ["/v1/load_lora_adapter", {}],
};

export async function exchange(url: string, model = "tiny"): Promise<Exchanged> {
  const answers: Record<string, { status: number; body: unknown }> = {};
  for (const [name, [path, body]] of Object.entries(questions)) {
    const answer = await ask(url + path, named(body, model));
    answers[name] = { status: answer.status, body: await answer.json() };
  }
  const streamed = await ask(`${url}/v1/completions`, {
    ...{ ...completion, model, request_id: "golden", priority: 3, stream: true },
    stream_options: { include_usage: true, continuous_usage_stats: true },
  });
  const stream = (await streamed.text())
    .split("\n")
    .filter((line) => line.startsWith("data:"))
    .map((line) => line.slice(5).trim())
    .map((data): unknown => (data === "[DONE]" ? data : JSON.parse(data)));
  const exposition = await (await fetch(`${url}/metrics`)).text();
  const names = exposition.split("\n").flatMap((line) => /^(vllm:[\w]+)/.exec(line)?.[1] ?? []);
  return { answers, stream, metrics: [...new Set(names)].sort() };
}

/** Payloads of the first batches of KV events that an engine still has, as hex, by asking for all of them again. */
export async function kvBatches(url: string, count: number): Promise<string[]> {
  const sources = (await (await fetch(`${url}/kv_event_sources`)).json()) as Record<string, { replay_endpoint: string }>;
  const { replay_endpoint: endpoint = "" } = sources["0"] ?? {};
  const found: string[] = [];
  await new Promise<void>((resolve, reject) => {
    const replay: ZmtpConnection = new ZmtpConnection(
      { endpoint, kind: "DEALER" },
      {
        reader: {
          ready: () => replay.send([Buffer.alloc(0), Buffer.alloc(8)]),
          message: (frames) => {
            const payload = frames.at(-1) as Buffer;
            if (payload.length > 0 && found.length < count) found.push(payload.toString("hex"));
            if (payload.length === 0) resolve();
          },
          end: reject,
        },
      },
    );
  });
  return found;
}

function named(body: { readonly model?: string } | undefined, model: string): object | undefined {
  return body?.model === "tiny" ? { ...body, model } : body;
}

function ask(url: string, body?: object): Promise<Response> {
  if (!body) return fetch(url);
  return fetch(url, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
}
