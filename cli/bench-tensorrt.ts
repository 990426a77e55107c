// bench-tensorrt: `slipstream bench tensorrt`: how soon a TensorRT-LLM stops, by wire, before its stand-in; or what it is worth to tell it
// which cached blocks may go.
import { benchHints, type HintsReport } from "../bench/tensorrt/hints.ts";
import { benchTensorRt, profileNames, type TensorRtReport } from "../bench/tensorrt/tensorrt.ts";
import { SlipstreamError } from "../lib/errors.ts";
import type { Command } from "./command.ts";
import { interruption, oneOf, options, refuseWords, whole } from "./options.ts";
import { progressOn } from "./progress.ts";

const help = `Usage: slipstream bench tensorrt [OPTIONS]

From a Cancel's arrival at the agent (what a newer key causes) until the engine is told to stop, until it has ended the generation, and
the tokens that it computed meanwhile for nobody: over TensorRT-LLM's gRPC and over its HTTP server, which looks for clients that left
once a second. Before the stand-in of both (sim/tensorrt) in this process, at the step times of a GPU profile: what the wires cost,
not what a GPU does.

Options:
  --cancels N      over gRPC (default 300)
  --http N         over HTTP, up to a second each (default 30); 0: none
  --others N       generations that run beside it the whole time (default 0)
  --profile NAME   ${profileNames.join(", ")}
                   (default h100-7b-eagle3)
  --hints          instead: what it is worth to tell it which cached blocks may go: people who write code, under a clock of its own,
                   their prompts through the stand-in's cache at several sizes
  --people N       of --hints (default 12)
  --seconds N      of --hints (default 180)
  --seed N         of --hints (default 1)
  --json           one JSON object instead of a page

Examples:
  slipstream bench tensorrt
  slipstream bench tensorrt --cancels 1000 --http 0 --others 8
  slipstream bench tensorrt --hints
  slipstream bench tensorrt --profile l40s-7b-eagle3 --json
`;

const ofStops = ["cancels", "http", "others", "profile"] as const;
const ofHints = ["people", "seconds", "seed"] as const;

export const benchTensorRtCommand: Command = async (args, io) => {
  const { values, positionals } = options(args, {
    cancels: { type: "string" },
    http: { type: "string" },
    others: { type: "string" },
    profile: { type: "string" },
    hints: { type: "boolean", default: false },
    people: { type: "string" },
    seconds: { type: "string" },
    seed: { type: "string" },
    json: { type: "boolean", default: false },
  });
  if (values.help) {
    io.out(help);
    return 0;
  }
  refuseWords(positionals);
  const how = values.hints ? "without" : "with";
  const stray = (values.hints ? ofStops : ofHints).find((name) => values[name] !== undefined);
  if (stray)
    throw new SlipstreamError("invalid_request", `--${stray} goes ${how} --hints; --help shows the options`, { field: stray });
  const running = { signal: interruption(io), progress: progressOn(io) };
  if (values.hints) {
    const made = {
      people: whole("people", values.people ?? "12", 1, 1_000),
      seconds: whole("seconds", values.seconds ?? "180", 1, 7_200),
      seed: whole("seed", values.seed ?? "1", 1, 1_000_000),
    };
    const told = await benchHints({ ...made, ...running });
    io.out(values.json ? `${JSON.stringify(told, null, 2)}\n` : hintsDrawn(told));
    return 0;
  }
  const made = {
    profile: oneOf("profile", values.profile ?? "h100-7b-eagle3", profileNames),
    cancels: { grpc: whole("cancels", values.cancels ?? "300", 1, 100_000), http: whole("http", values.http ?? "30", 0, 1_000) },
    others: whole("others", values.others ?? "0", 0, 60),
  };
  const report = await benchTensorRt({ ...made, ...running });
  io.out(values.json ? `${JSON.stringify(report, null, 2)}\n` : drawn(report));
  return 0;
};

function drawn({ profile, step_ms: step, others, stops }: TensorRtReport): string {
  const ms = (value: number) => `${value.toFixed(1)} ms`;
  const rows = stops.map(
    ({ wire, cancels, told_ms: told, ended_ms: ended, wasted_tokens: wasted }) =>
      `${wire.padEnd(5)} ${String(cancels).padStart(5)} cancels: told after ${ms(told.p50)} (p99 ${ms(told.p99)}, most ${ms(told.most)}), ended after ${ms(ended.p50)} (p99 ${ms(ended.p99)}, most ${ms(ended.most)}); ${wasted.toFixed(1)} tokens for nobody a cancel`,
  );
  const about = `stand-in at the steps of ${profile} (${ms(step)} with ${others} beside it)`;
  return `${[about, ...rows].join("\n")}\n`;
}

function hintsDrawn({ people, seconds, seed, prompts, rows }: HintsReport): string {
  const share = (part: number) => `${(100 * part).toFixed(1)} %`;
  const lines = rows.map(
    ({ layout, blocks, size, found, gave_up: gaveUp, told }) =>
      `${layout.padEnd(12)} ${String(blocks).padStart(6)} blocks (${size.toFixed(1)}): found ${share(found.none)} without hints, ${share(found.agent)} with those of the agent, ${share(found.all)} with all; ${gaveUp} blocks given up without, ${told} named by the agent`,
  );
  const about = `${people} people for ${seconds} s, seed ${seed}: ${prompts} prompts; size: in blocks of the last prompt of every document`;
  return `${[about, ...lines].join("\n")}\n`;
}
