// bench-vllm: `slipstream bench vllm`: a real vLLM behind the agent, on this machine's processor.
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { benchVllm, partsOfOne, type VllmReport, vllmParts } from "../bench/vllm/vllm.ts";
import { SlipstreamError } from "../lib/errors.ts";
import type { Command } from "./command.ts";
import { interruption, listOf, milliseconds, options, refuseWords, whole } from "./options.ts";

const help = `Usage: slipstream bench vllm --python PROGRAM | --url URL [OPTIONS]

Starts real vLLM servers with the built-in model in float32 on this machine's processor, and measures them behind the agent; or measures
one that runs already, with its GPU and its model (${partsOfOne.join(", ")}), which nobody else should use meanwhile:
  stops    from a Cancel until the engine's own count of requests is back, by the agent (by closing, and by the request's id)
           and by closing a connection of one's own, in turn; on an idle engine and on one with every seat taken
  aborts   from a Cancel until the agent has told the engine to stop: with nothing else, with every seat taken, and behind five new
           prompts that came with it in one read
  cost     what the agent adds to a generation over a plain client of the engine, in turn
  tenants  whether a tenant finds another's prefix in the cache
  typing   people type through a whole router on an engine with too little KV memory: what each key makes it compute, and how
           often it had cached what was expected
  kill     two engines under load, one of them killed
  faults   random faults: cancels, deadlines, lost links, connections cut and filled with garbage, answers kept back, the engine
           frozen and killed, its events cut; what they end as, and that nothing is left of them. Ends with 1 when something is

Options:
  --python PROGRAM  the Python that has vLLM ("npm run tools -- vllm" brings one and says where it is)
  --url URL         the vLLM that runs already, http://HOST:PORT
  --seats N         generations that it runs at once, --max-num-seqs (default 8)
  --models FOLDER   where the models are, made when it is empty (default: a new folder)
  --parts LIST      (default ${vllmParts.join(",")}; with --url ${partsOfOne.join(",")})
  --rounds N        stops, and five times as many aborts (default 60)
  --pairs N         cost (default 200)
  --sessions N      typing (default 12)
  --keys N          typing, each session's (default 150)
  --blocks N        typing, of the engine's KV memory, of 32 tokens each; a prompt of the built-in model has some twenty
                    (default 320)
  --duration TIME   kill (default 15s)
  --faults N        faults (default 240)
  --kills N         faults, of them so many kills and as many freezes for good (default 2)
  --json            one JSON object instead of a page
`;

const [all, ofOne] = [vllmParts.join(","), partsOfOne.join(",")];

export const benchVllmCommand: Command = async (args, io) => {
  const { values, positionals } = options(args, {
    python: { type: "string" },
    url: { type: "string" },
    seats: { type: "string", default: "8" },
    models: { type: "string" },
    parts: { type: "string" },
    rounds: { type: "string", default: "60" },
    pairs: { type: "string", default: "200" },
    sessions: { type: "string", default: "12" },
    keys: { type: "string", default: "150" },
    blocks: { type: "string", default: "320" },
    duration: { type: "string", default: "15s" },
    faults: { type: "string", default: "240" },
    kills: { type: "string", default: "2" },
    json: { type: "boolean", default: false },
  });
  if (values.help) {
    io.out(help);
    return 0;
  }
  refuseWords(positionals);
  const { python = "", url } = values;
  if ((python === "") === (url === undefined))
    throw new SlipstreamError(
      "invalid_request",
      'either --python ("npm run tools -- vllm" brings one and says where it is) or --url is wanted',
    );
  const made = {
    ...{ python, ...(url !== undefined && { url }), seats: whole("seats", values.seats, 2, 1_000) },
    models: values.models ?? (url === undefined ? mkdtempSync(join(tmpdir(), "slipstream-vllm-models-")) : ""),
    parts: url === undefined ? listOf("parts", values.parts ?? all, vllmParts) : listOf("parts", values.parts ?? ofOne, partsOfOne),
    rounds: whole("rounds", values.rounds, 1, 10_000),
    pairs: whole("pairs", values.pairs, 1, 10_000),
    sessions: whole("sessions", values.sessions, 1, 200),
    keys: whole("keys", values.keys, 1, 2_000),
    blocks: whole("blocks", values.blocks, 64, 100_000),
    faults: whole("faults", values.faults, 10, 100_000),
    kills: whole("kills", values.kills, 0, 100),
    seconds: milliseconds("duration", values.duration, 600_000) / 1_000,
    env: io.env,
  };
  const report = await benchVllm(made, { say: io.complain, signal: interruption(io) });
  io.out(values.json ? `${JSON.stringify(report)}\n` : pageOf(report));
  return report.faults && left(report.faults).length > 0 ? 1 : 0;
};

/** What should not be left of faults, a sentence each. */
function left({ repeated, left: rest, credits }: NonNullable<VllmReport["faults"]>): string[] {
  const { running, engine, waiting, connections, grown_mib: grown } = rest;
  return [
    ...(repeated > 0 ? [`${repeated} generations ended twice`] : []),
    ...(running + engine + waiting > 0 ? [`${running} run in the agent, ${engine} in the engine, ${waiting} have no end`] : []),
    ...(credits.before === credits.after ? [] : [`credits ${credits.after}, before ${credits.before}`]),
    ...(connections > connectionsMax ? [`${connections} connections`] : []),
    ...(grown > grownMibMax ? [`${grown.toFixed(1)} MiB of memory`] : []),
  ];
}

/** Kept open for the next ones: twice the slots, and some. */
const connectionsMax = 20;
/** The heap's own movement over a few hundred generations. */
const grownMibMax = 20;

const ms = (value: number) => `${value.toFixed(value < 10 ? 2 : 1)} ms`;
const share = (part: number, all: number) => `${((100 * part) / Math.max(1, all)).toFixed(1)} %`;

function pageOf({ stops = [], aborts = [], cost, tenants, typing, kill, faults }: VllmReport): string {
  const lines = stops.map(({ engine, by, stops: count, back_ms: back, issued_ms: issued, abort_ms: abort }) => {
    const own =
      issued && abort
        ? `; the engine told ${ms(issued.p50)} (p99 ${ms(issued.p99)}) after the Cancel, its end known ${ms(abort.p50)} (p99 ${ms(abort.p99)}) after it`
        : "";
    return `stops    ${engine.padEnd(10)} by ${by.padEnd(12)} ${count} times: the engine's count is back after ${ms(back.p50)} (p99 ${ms(back.p99)})${own}`;
  });
  for (const { engine, cancels, issued_ms: issued, own_ms: own } of aborts)
    lines.push(
      `aborts   ${engine.padEnd(10)} ${cancels} times: the engine told ${ms(issued.p50)} (p90 ${ms(issued.p90)}, p99 ${ms(issued.p99)}, most ${ms(issued.most)}) after the Cancel, of which it had the processor for ${ms(own.p50)} (p90 ${ms(own.p90)}, p99 ${ms(own.p99)}, most ${ms(own.most)})`,
    );
  if (cost) {
    const { direct, agent, pairs, added_first_ms: added, added_cpu_ms: cpu } = cost;
    lines.push(
      `cost     ${pairs} pairs: first text ${ms(direct.first_ms.p50)} (p99 ${ms(direct.first_ms.p99)}) direct, ${ms(agent.first_ms.p50)} (p99 ${ms(agent.first_ms.p99)}) through the agent: +${ms(added.p50)} (p99 +${ms(added.p99)}); processor +${ms(cpu)} a generation (${ms(direct.cpu_ms)} direct)`,
    );
  }
  if (tenants)
    lines.push(
      `tenants  of ${tenants.prompt} prompt tokens ${tenants.own} cached for their own tenant, ${tenants.other} for another`,
    );
  if (typing) {
    const { keys, generations, failed, recomputed_tokens: tokens, prompt_tokens_mean: prompt, agent, router } = typing;
    const { blocks, evicted_blocks: evicted } = typing;
    lines.push(
      `typing   with ${blocks} KV blocks, of which the engine gave up ${evicted} for others meanwhile`,
      `         ${keys} keys, ${generations} asked of the engine, ${failed} failed; prompt tokens ${prompt.toFixed(0)}, computed a key: mean ${tokens.mean.toFixed(1)}, p50 ${tokens.p50.toFixed(0)}, p95 ${tokens.p95.toFixed(0)}`,
      `         cached as the agent expected: ${share(agent.equal, agent.prompts)} of ${agent.prompts} prompts, within a block ${share(agent.within_a_block, agent.prompts)}; as the router did, within a block of the engine's: ${JSON.stringify(router)}`,
    );
  }
  if (faults) {
    const bad = left(faults);
    lines.push(
      `faults   ${faults.all} in ${faults.generations} generations: ${JSON.stringify(faults.faults)}`,
      `         which ended as ${JSON.stringify(faults.ends)}`,
      `         left: ${bad.length === 0 ? "nothing" : bad.join("; ")}; the heap grew by ${faults.left.grown_mib.toFixed(1)} MiB, ${faults.left.connections} connections are open`,
    );
  }
  if (kill)
    lines.push(
      `kill     ${kill.completions} completions, ${kill.after_kill} after one of two engines was killed: ${kill.failed} failed, ${kill.expired} expired; p95 ${ms(kill.p95_ms.before)} before, ${ms(kill.p95_ms.after)} after`,
    );
  return `${lines.join("\n")}\n`;
}
