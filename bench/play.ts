// play: a trace typed into a running router through one session over gRPC; what each key cost comes out, as its own answer
// says it. Tokens of a generation whose trigger was superseded are in no answer; the router's metrics book them.

import { create } from "@bufbuild/protobuf";
import { type Clock, systemClock } from "../lib/clock.ts";
import { SlipstreamError } from "../lib/errors.ts";
import { GrpcClient } from "../lib/grpc/client.ts";
import { seeded } from "../lib/random.ts";
import type { ClientTls } from "../lib/tls/client.ts";
import { CompletionService, ReportRequestSchema } from "../proto/gen/slipstream/v1/completion_pb.ts";
import { EditorClient } from "../sim/editor-client.ts";
import { mean, percentile } from "../sim/statistics.ts";
import type { Trace, TraceEvent, TraceStream } from "../sim/trace/trace.ts";
import { Typist } from "../sim/typist.ts";

interface Spread {
  readonly mean: number;
  readonly p95: number;
}

export interface Played {
  readonly keys: number;
  readonly triggers: number;
  readonly answered: number;
  readonly exactly_one_outcome: boolean;
  readonly violations: readonly string[];
  readonly outcomes: Readonly<Record<string, number>>;
  /** Triggers that got text although no worker was asked for them: typed ahead, cached, joined. */
  readonly answered_without_generation_share: number;
  readonly recomputed_tokens_per_key: Spread;
  readonly recomputed_tokens_per_generation: Spread;
  readonly first_text_ms: { readonly p50: number | null; readonly p95: number | null };
  readonly prompt_tokens_mean: number;
}

export interface PlayOptions {
  readonly trace: Trace | TraceStream;
  readonly address: string;
  /** Absent: in the clear. */
  readonly tls?: ClientTls | undefined;
  /** Who types. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** Times as fast as it was typed. */
  readonly speed: number;
  /** Of each trigger; 0: the pool's. */
  readonly deadlineMs?: number;
}

const withoutGeneration: ReadonlySet<string> = new Set(["typed_ahead", "cached", "joined"]);
const answersWithinMs = 15_000;
const greetsWithinMs = 5_000;

export async function play(
  options: PlayOptions,
  deps: { clock?: Clock; progress?: (done: number) => void; signal?: AbortSignal },
): Promise<Played> {
  const { clock = systemClock, signal } = deps;
  const grpc = new GrpcClient({ address: options.address, tls: options.tls });
  await assertServed(grpc, options, signal);
  const session = `play-${Math.floor(clock.wall()).toString(36)}`;
  const client = new EditorClient(
    { session, workspace: "play", deadlineMs: options.deadlineMs ?? 0, maxTokens: 32, stream: true, reconnectMs: 250 },
    { clock, connect: () => grpc.duplex(CompletionService.method.session, { metadata: options.metadata ?? {} }) },
  );
  try {
    let asked = 0;
    let keys = 0;
    async function* events(): AsyncGenerator<TraceEvent> {
      for await (const event of options.trace.events) {
        keys += 1;
        yield { ...event, tMs: event.tMs / options.speed };
      }
    }
    const counted = {
      open: client.open.bind(client),
      edit: client.edit.bind(client),
      react: client.react.bind(client),
      close: client.close.bind(client),
      trigger: (...args: Parameters<EditorClient["trigger"]>) => {
        deps.progress?.(++asked);
        return client.trigger(...args);
      },
    };
    const typist = new Typist({ trace: { ...options.trace, events: events() } }, { clock, random: seeded(1), client: counted });
    await typist.play(signal);
    const until = clock.now() + answersWithinMs;
    while (client.pending > 0 && clock.now() < until) await clock.sleep(5, signal);
    if (typist.records.length > 0 && typist.records.every((record) => record.outcome === "lost"))
      throw new SlipstreamError("unavailable", `no router at ${options.address}; "npx slipstream up" starts one on this machine`);
    return summed(typist, client, asked, keys);
  } finally {
    client.close();
    grpc.close();
  }
}

/** Before a key is typed: no trace is typed into nothing, or by somebody who may not. */
async function assertServed(grpc: GrpcClient, { address, metadata = {} }: PlayOptions, signal?: AbortSignal): Promise<void> {
  try {
    const given = { deadlineMs: greetsWithinMs, metadata, ...(signal && { signal }) };
    await grpc.unary(CompletionService.method.report, create(ReportRequestSchema), given);
  } catch (thrown) {
    grpc.close();
    const error = SlipstreamError.from(thrown);
    if (error.code !== "unavailable" && error.code !== "deadline_exceeded") throw error;
    throw new SlipstreamError("unavailable", `no router at ${address}; "npx slipstream up" starts one on this machine`, {
      cause: error,
    });
  }
}

function summed(typist: Typist, client: EditorClient, triggers: number, keys: number): Played {
  const { records } = typist;
  const outcomes: Record<string, number> = {};
  for (const { outcome } of records) outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
  const generated = records.filter((record) => record.usage.promptTokens > 0);
  const first = records.flatMap((record) => (record.textUtf16 > 0 && record.firstTextMs !== undefined ? [record.firstTextMs] : []));
  const round = (value: number) => (Number.isNaN(value) ? 0 : Math.round(value * 10) / 10);
  const spread = (values: readonly number[]): Spread => ({ mean: round(mean(values)), p95: round(percentile(values, 0.95)) });
  const recomputed = (of: typeof records) => spread(of.map((record) => record.usage.recomputedTokens));
  const orNull = (value: number) => (Number.isNaN(value) ? null : round(value));
  return {
    keys,
    triggers,
    answered: records.length,
    exactly_one_outcome: records.length === triggers && client.violations.length === 0 && outcomes["lost"] === undefined,
    violations: client.violations,
    outcomes,
    answered_without_generation_share:
      records.filter((record) => withoutGeneration.has(record.outcome)).length / Math.max(1, triggers),
    recomputed_tokens_per_key: recomputed(records),
    recomputed_tokens_per_generation: recomputed(generated),
    first_text_ms: { p50: orNull(percentile(first, 0.5)), p95: orNull(percentile(first, 0.95)) },
    prompt_tokens_mean: round(mean(generated.map((record) => record.usage.promptTokens))),
  };
}
