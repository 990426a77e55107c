// typing: people type in sessions through a whole router, on an engine whose KV memory is too small for all of them: what each key
// made the engine compute, by its own count, and how often it had cached what was expected of it.
import { systemClock } from "../../lib/clock.ts";
import { GrpcClient } from "../../lib/grpc/client.ts";
import { quantile } from "../../lib/structures/quantiles.ts";
import { CompletionService } from "../../proto/gen/slipstream/v1/completion_pb.ts";
import { EditorClient } from "../../sim/editor-client.ts";
import { longSources } from "../keys/sources.ts";
import type { Fleet } from "./fleet.ts";

export interface TypingReport {
  readonly keys: number;
  /** Keys whose prompt an engine was asked with. */
  readonly generations: number;
  readonly failed: number;
  readonly recomputed_tokens: { readonly mean: number; readonly p50: number; readonly p95: number };
  readonly prompt_tokens_mean: number;
  /** What the agent expected to be cached, against the engine's count. */
  readonly agent: { readonly prompts: number; readonly equal: number; readonly within_a_block: number };
  /** What the router expected to be computed, within a block of the engine's. */
  readonly router: Readonly<Record<string, number>>;
}

interface Options {
  readonly fleet: Fleet;
  readonly sessions: number;
  readonly keys: number;
  readonly blockTokens: number;
  /** Pairs of expected and counted tokens, as they come. */
  readonly counted: readonly (readonly [expected: number, cached: number])[];
  readonly say: (text: string) => void;
  readonly signal?: AbortSignal;
}

export async function benchTyping(options: Options): Promise<TypingReport> {
  const { fleet, sessions, keys, blockTokens, counted } = options;
  const sources = longSources();
  const recomputed: number[] = [];
  const prompts: number[] = [];
  let [typed, failed] = [0, 0];
  const person = async (index: number) => {
    const client = new GrpcClient({ address: `127.0.0.1:${fleet.router.ports.grpc}` });
    const session = { session: `s${index}`, workspace: "w", deadlineMs: 30_000, maxTokens: 4, stream: false, reconnectMs: 250 };
    const editor = new EditorClient(session, {
      clock: systemClock,
      connect: () => client.duplex(CompletionService.method.session),
    });
    const { text } = sources[index % sources.length] as { text: string };
    const from = (text.length >> 1) + ((index * 37) % 500);
    await systemClock.sleep(200);
    editor.open({ id: "d", path: `${index}.ts`, language: "typescript", text: text.slice(0, from) + text.slice(from + keys) });
    for (let key = 0; key < keys && !options.signal?.aborted; key++) {
      const at = from + key;
      editor.edit("d", { startUtf16: at, endUtf16: at, text: text[at] as string }, "typed");
      const { outcome, usage } = await editor.trigger("d", at + 1, "invoked").answer;
      typed += 1;
      if (["failed", "lost", "expired"].includes(outcome)) failed += 1;
      if (usage.promptTokens > 0 && outcome !== "joined" && outcome !== "cached" && outcome !== "typed_ahead") {
        recomputed.push(usage.recomputedTokens);
        prompts.push(usage.promptTokens);
      }
      if (typed % 200 === 0) options.say(`typing: ${typed} of ${sessions * keys} keys`);
    }
    editor.close();
    client.close();
  };
  await Promise.all(Array.from({ length: sessions }, (_, index) => person(index)));
  const metric = await fleet.router.registry.getSingleMetric("slipstream_router_prompt_expectations_total")?.get();
  const within = (tokens: number) => counted.filter(([expected, cached]) => Math.abs(expected - cached) <= tokens).length;
  return {
    ...{ keys: typed, generations: recomputed.length, failed },
    recomputed_tokens: { mean: mean(recomputed), p50: quantile(recomputed, 0.5), p95: quantile(recomputed, 0.95) },
    prompt_tokens_mean: mean(prompts),
    agent: { prompts: counted.length, equal: within(0), within_a_block: within(blockTokens) },
    router: Object.fromEntries((metric?.values ?? []).map(({ labels, value }) => [String(labels["fit"]), value])),
  };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}
