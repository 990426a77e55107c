// advice: what a vLLM was found to be in, sentences out: what it lacks for Slipstream, and the flag that gives it. Pure.

import type { Advice } from "../advice.ts";
import type { ProbedGrpc } from "./grpc/probe.ts";
import type { Probed } from "./probe.ts";

type Row<P> = Advice & { readonly unless: (probed: P) => boolean };

const kvEventsFlag = `--kv-events-config '{"enable_kv_cache_events":true,"publisher":"zmq","endpoint":"tcp://*:5557","replay_endpoint":"tcp://*:5558"}'`;

const rows: readonly Row<Probed>[] = [
  {
    unless: ({ priority }) => priority,
    ...{ weight: "lacks", what: "lanes have no order inside the engine: inline work waits behind batch work" },
    flag: "--scheduling-policy priority",
  },
  {
    unless: ({ kvSources }) => kvSources.length > 0,
    ...{ weight: "lacks", what: "the engine does not tell which KV blocks it holds: routers only guess what is reused" },
    flag: kvEventsFlag,
  },
  {
    unless: ({ kvSources }) =>
      kvSources.every(({ endpoint }) => !endpoint.startsWith("tcp://") || /[*]|::|0\.0\.0\.0/.test(endpoint)),
    ...{ weight: "lacks", what: "the KV events' endpoint names one address: the engine connects to it instead of listening" },
    flag: `"endpoint":"tcp://*:5557" in --kv-events-config`,
  },
  {
    unless: ({ kvSources }) => kvSources.every(({ replay }) => replay !== undefined),
    ...{ weight: "slower", what: "missed KV events cannot be asked for again: after a gap everything is taken as gone" },
    flag: `"replay_endpoint" in --kv-events-config`,
  },
  {
    unless: ({ cachedTokens }) => cachedTokens,
    ...{ weight: "lacks", what: "the engine does not say how much of a prompt it had: reuse is not measured" },
    flag: "--enable-prompt-tokens-details",
  },
  {
    unless: ({ cacheSalt }) => cacheSalt,
    ...{ weight: "lacks", what: "cache_salt is refused: tenants would share cached prefixes" },
    flag: "a vLLM of 0.9 or later",
  },
  {
    unless: ({ metrics }) => metrics,
    ...{ weight: "slower", what: "no metrics: KV use and acceptance are unknown" },
    flag: "no --disable-log-stats",
  },
  {
    unless: ({ counters }) => counters === undefined || counters.speculation !== undefined,
    ...{ weight: "slower", what: "nothing is drafted: completions of code usually gain by it" },
    flag: `--speculative-config '{"method":"ngram","num_speculative_tokens":4,"prompt_lookup_max":4}'`,
  },
];

const grpcRows: readonly Row<ProbedGrpc>[] = [
  {
    unless: () => false,
    ...{ weight: "lacks", what: "its gRPC keeps no lanes and no tenants apart: serve one lane and one tenant from it" },
    flag: "no flag gives it; vLLM over HTTP has both",
  },
  {
    unless: ({ vocabulary }) => vocabulary,
    ...{ weight: "lacks", what: "text comes as tokens, and the model's vocabulary is not on this machine" },
    flag: "SLIPSTREAM_WORKER_TOKENIZER=/path/of/the/model",
  },
  {
    unless: ({ kvEvents }) => kvEvents,
    ...{ weight: "lacks", what: "the engine does not tell which KV blocks it holds: routers only guess what is reused" },
    flag: kvEventsFlag,
  },
];

export function adviceFor(probed: Probed): Advice[] {
  return without(rows, probed);
}

export function adviceForGrpc(probed: ProbedGrpc): Advice[] {
  return without(grpcRows, probed);
}

function without<P>(all: readonly Row<P>[], probed: P): Advice[] {
  return all.filter(({ unless }) => !unless(probed)).map(({ weight, what, flag }) => ({ weight, what, flag }));
}
