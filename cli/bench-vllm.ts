// bench-vllm: `slipstream bench vllm`: a real vLLM behind the agent, on this machine's processor.
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { benchVllm, type VllmReport, vllmParts } from "../bench/vllm/vllm.ts";
import type { Command } from "./command.ts";
import { interruption, listOf, milliseconds, options, refuseWords, whole } from "./options.ts";

const help = `Usage: slipstream bench vllm --python PROGRAM [OPTIONS]

Starts real vLLM servers with the built-in model in float32 on this machine's processor, and measures them behind the agent:
  stops    from a Cancel until the engine's own count of requests is back, by the agent and by closing a connection of one's
           own, in turn; on an idle engine and on one with every seat taken
  cost     what the agent adds to a generation over a plain client of the engine, in turn
  tenants  whether a tenant finds another's prefix in the cache
  typing   people type through a whole router on an engine with too little KV memory: what each key makes it compute, and how
           often it had cached what was expected
  kill     two engines under load, one of them killed

Options:
  --python PROGRAM  the Python that has vLLM ("npm run tools -- vllm" brings one and says where it is)
  --models FOLDER   where the models are, made when it is empty (default: a new folder)
  --parts LIST      (default ${vllmParts.join(",")})
  --rounds N        stops (default 60)
  --pairs N         cost (default 200)
  --sessions N      typing (default 12)
  --keys N          typing, each session's (default 150)
  --duration TIME   kill (default 15s)
  --json            one JSON object instead of a page
`;

export const benchVllmCommand: Command = async (args, io) => {
  const { values, positionals } = options(args, {
    python: { type: "string" },
    models: { type: "string" },
    parts: { type: "string", default: vllmParts.join(",") },
    rounds: { type: "string", default: "60" },
    pairs: { type: "string", default: "200" },
    sessions: { type: "string", default: "12" },
    keys: { type: "string", default: "150" },
    duration: { type: "string", default: "15s" },
    json: { type: "boolean", default: false },
  });
  if (values.help) {
    io.out(help);
    return 0;
  }
  refuseWords(positionals);
  if (values.python === undefined) {
    io.complain('slipstream bench vllm: --python is wanted; "npm run tools -- vllm" brings one and says where it is');
    return 64;
  }
  const made = {
    python: values.python,
    models: values.models ?? mkdtempSync(join(tmpdir(), "slipstream-vllm-models-")),
    parts: listOf("parts", values.parts, vllmParts),
    rounds: whole("rounds", values.rounds, 1, 10_000),
    pairs: whole("pairs", values.pairs, 1, 10_000),
    sessions: whole("sessions", values.sessions, 1, 200),
    keys: whole("keys", values.keys, 1, 2_000),
    seconds: milliseconds("duration", values.duration, 600_000) / 1_000,
    env: io.env,
  };
  const report = await benchVllm(made, { say: io.complain, signal: interruption(io) });
  io.out(values.json ? `${JSON.stringify(report)}\n` : pageOf(report));
  return 0;
};

const ms = (value: number) => `${value.toFixed(value < 10 ? 2 : 1)} ms`;
const share = (part: number, all: number) => `${((100 * part) / Math.max(1, all)).toFixed(1)} %`;

function pageOf({ stops = [], cost, tenants, typing, kill }: VllmReport): string {
  const lines = stops.map(
    ({ engine, by, stops: count, back_ms: back, abort_ms: abort }) =>
      `stops    ${engine.padEnd(10)} by ${by.padEnd(7)} ${count} times: the engine's count is back after ${ms(back.p50)} (p99 ${ms(back.p99)})${abort ? `; connection closed ${ms(abort.p50)} (p99 ${ms(abort.p99)}) after the Cancel` : ""}`,
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
    lines.push(
      `typing   ${keys} keys, ${generations} asked of the engine, ${failed} failed; prompt tokens ${prompt.toFixed(0)}, computed a key: mean ${tokens.mean.toFixed(1)}, p50 ${tokens.p50.toFixed(0)}, p95 ${tokens.p95.toFixed(0)}`,
      `         cached as the agent expected: ${share(agent.equal, agent.prompts)} of ${agent.prompts} prompts, within a block ${share(agent.within_a_block, agent.prompts)}; as the router did, within 16 tokens: ${JSON.stringify(router)}`,
    );
  }
  if (kill)
    lines.push(
      `kill     ${kill.completions} completions, ${kill.after_kill} after one of two engines was killed: ${kill.failed} failed, ${kill.expired} expired; p95 ${ms(kill.p95_ms.before)} before, ${ms(kill.p95_ms.after)} after`,
    );
  return `${lines.join("\n")}\n`;
}
