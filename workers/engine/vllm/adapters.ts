// adapters: the LoRA adapters that a worker is to serve in, loaded into the engine where they are not yet. The engine must have been
// started for it; each adapter becomes a model of its own.
import { SlipstreamError } from "../../../lib/errors.ts";
import { sentenceOf } from "../completion-stream.ts";
import type { HttpEngine } from "../http.ts";
import type { Probed } from "./probe.ts";

export type Adapters = Readonly<Record<string, string>>;

/** True when something was loaded: the list of models is another then. */
export async function loadAdapters(
  wanted: Adapters,
  { models, adapters }: Pick<Probed, "models" | "adapters">,
  http: Pick<HttpEngine, "ask">,
  signal: AbortSignal,
): Promise<boolean> {
  const missing = Object.entries(wanted).filter(([name]) => !models.some(({ id }) => id === name));
  if (missing.length === 0) return false;
  if (!adapters)
    throw new SlipstreamError(
      "unsupported",
      "the engine loads no adapters: it wants --enable-lora, and VLLM_ALLOW_RUNTIME_LORA_UPDATING=1 in its environment",
    );
  for (const [name, path] of missing) {
    const answer = await http.ask("/v1/load_lora_adapter", { lora_name: name, lora_path: path }, { signal, timeoutMs: 60_000 });
    if (answer.status === 200) continue;
    throw new SlipstreamError("model_unusable", `the engine does not load the adapter ${name} (${path}): ${reason(answer.text)}`);
  }
  return true;
}

function reason(text: string): string {
  try {
    const body = JSON.parse(text) as { error?: unknown };
    return sentenceOf(body.error ?? body);
  } catch {
    return "no reason given";
  }
}

/** "name=path,other=path" of a setting. */
export function adapterList(text: string): Adapters {
  const parts = text.split(",").flatMap((part) => (part.trim() === "" ? [] : [part.trim()]));
  return Object.fromEntries(
    parts.map((part) => {
      const at = part.indexOf("=");
      if (at > 0 && at < part.length - 1) return [part.slice(0, at), part.slice(at + 1)];
      throw new SlipstreamError("config", `SLIPSTREAM_WORKER_ADAPTERS: ${JSON.stringify(part)} is not like name=path`);
    }),
  );
}
