// adapters: the LoRA adapters that a worker is to serve in, each tried once: TensorRT-LLM has no list of them, every request brings its
// adapter's name, number and path. The engine must have been started for it (lora_config).
import { SlipstreamError } from "../../../lib/errors.ts";
import { sentenceOf } from "../completion-stream.ts";
import type { HttpEngine } from "../http.ts";
import { loraRequest } from "./request.ts";

export async function tryAdapters(
  adapters: Readonly<Record<string, string>>,
  model: string,
  http: Pick<HttpEngine, "ask">,
  signal: AbortSignal,
): Promise<void> {
  for (const [name, path] of Object.entries(adapters)) {
    const asked = { model, prompt: [1], max_tokens: 1, temperature: 0, top_k: 1, ...loraRequest(name, adapters) };
    const answer = await http.ask("/v1/completions", asked, { signal, timeoutMs: 60_000 });
    if (answer.status === 200) continue;
    throw new SlipstreamError(
      "model_unusable",
      `the engine does not serve the adapter ${name} (${path}): ${reason(answer.text)}; it wants lora_config in its configuration`,
    );
  }
}

function reason(text: string): string {
  try {
    const body = JSON.parse(text) as { error?: unknown; message?: unknown };
    return sentenceOf(body.error ?? body.message ?? body);
  } catch {
    return "no reason given";
  }
}
