// figures: the router's own metrics and status in, one second of the live stream out.
import type { LiveFrame, LiveNow } from "../../lib/live.ts";
import { latencyBuckets, type Registry } from "../../lib/metrics.ts";
import type { Router } from "../router.ts";
import type { Status } from "../status.ts";

export const boundsMs: readonly number[] = latencyBuckets.map((seconds) => seconds * 1_000);

interface Sample {
  readonly metricName?: string;
  readonly value: number;
  readonly labels: Readonly<Partial<Record<string, string | number>>>;
}

export class Figures {
  readonly #registry: Registry;
  readonly #rooms: Pick<Router["rooms"], "queue">;

  constructor(registry: Registry, rooms: Pick<Router["rooms"], "queue">) {
    this.#registry = registry;
    this.#rooms = rooms;
  }

  async frame(at: number): Promise<LiveFrame> {
    const [texts, outcomes, queued, prompt, drafts, seconds, tokens, slots] = await Promise.all(
      ["first_text_seconds", "outcomes_total", "queued", "prompt_tokens_total", "drafted_tokens_total"]
        .concat("value_engine_seconds_total", "value_tokens_total", "slot_seconds_total")
        .map((name) => this.#samples(name)),
    );
    const ofPools = (samples: readonly Sample[] = []) => samples.filter(({ labels }) => labels["by"] === "pool");
    const timed = ofPools(seconds).length > 0;
    const kv = by(prompt, "kv");
    const drafted = by(drafts, "fate");
    return {
      at,
      firstText: buckets(texts),
      outcomes: by(outcomes, "outcome"),
      queued: by(queued, "lane"),
      waitMs: Math.round(this.#rooms.queue.predictedWaitMs("inline", "default") * 10) / 10,
      promptTokens: { cached: kv["cached"] ?? 0, computed: kv["recomputed"] ?? 0 },
      drafts: { accepted: drafted["accepted"] ?? 0, rejected: drafted["rejected"] ?? 0 },
      spent: timed ? by(ofPools(seconds), "fate", 1_000) : by(ofPools(tokens), "fate"),
      slots: by(slots, "state"),
    };
  }

  async now(status: Status): Promise<LiveNow> {
    const { ready, missing, uptimeS, links, workers, policy, bus, files, value } = status;
    const [sessions] = await this.#samples("sessions");
    return {
      ...{ ready, missing, uptimeS, links, workers, bus },
      sessions: sessions?.value ?? 0,
      policy: { path: policy.path, version: policy.version, problem: policy.problem },
      tenants: value
        .filter(({ by: split }) => split === "tenant")
        .map(({ of, engineMs, tokens, shares, accepted }) => ({ of, engineMs, tokens, shares, accepted })),
      problems: files.flatMap(({ files: which, problem }) => (problem === undefined ? [] : [`${which}: ${problem}`])),
    };
  }

  async #samples(name: string): Promise<readonly Sample[]> {
    return (await this.#registry.getSingleMetric(`slipstream_router_${name}`)?.get())?.values ?? [];
  }
}

/** Sums over all other labels. */
function by(samples: readonly Sample[] = [], label: string, times = 1): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const { labels, value } of samples) {
    const name = String(labels[label]);
    sums[name] = (sums[name] ?? 0) + value;
  }
  for (const name of Object.keys(sums)) sums[name] = Math.round((sums[name] ?? 0) * times * 1_000) / 1_000;
  return sums;
}

/** Of the inline lane: how many fell into each, where the metric adds them up. */
function buckets(samples: readonly Sample[] = []): number[] {
  const added = samples
    .filter(({ metricName, labels }) => metricName?.endsWith("_bucket") && labels["lane"] === "inline")
    .map(({ value }) => value);
  return Array.from({ length: latencyBuckets.length + 1 }, (_, i) => (added[i] ?? 0) - (added[i - 1] ?? 0));
}
