// bench-keys: `slipstream bench keys`: what keystrokes cost through a real router with simulated workers.
import { benchKeys } from "../bench/keys/keys.ts";
import { type Ablation, ablations } from "../bench/keys/switches.ts";
import { SlipstreamError } from "../lib/errors.ts";
import { profileEnds, profileNames } from "../workers/engine/simulated/profiles.ts";
import type { Command } from "./command.ts";
import { milliseconds, oneOf, options } from "./options.ts";

const help = `Usage: slipstream bench keys [OPTIONS]
`;

export const benchKeysCommand: Command = async (args, io) => {
  const { values } = options(args, {
    json: { type: "boolean", default: false },
    profile: { type: "string", default: "l40s-7b-eagle3" },
    end: { type: "string", default: "mid" },
    load: { type: "string", default: "0.85" },
    seed: { type: "string", default: "1" },
    duration: { type: "string", default: "30s" },
    workers: { type: "string", default: "4" },
    slots: { type: "string", default: "4" },
    agreement: { type: "string", default: "0.3" },
    ablate: { type: "string", default: Object.keys(ablations).join(",") },
    "chunk-ms": { type: "string" },
    "cpu-prof": { type: "string" },
  });
  if (values.help) {
    io.out(help);
    return 0;
  }
  const interrupted = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    io.on(signal, () => interrupted.abort(new SlipstreamError("cancelled", "interrupted")));
  const report = await benchKeys(
    {
      profile: oneOf("profile", values.profile, profileNames),
      profileEnd: oneOf("end", values.end, profileEnds),
      load: Number(values.load),
      seed: Number(values.seed),
      seconds: milliseconds("duration", values.duration, 3_600_000) / 1_000,
      workers: Number(values.workers),
      slots: Number(values.slots),
      agreement: Number(values.agreement),
      ablations: values.ablate === "none" ? [] : (values.ablate.split(",") as Ablation[]),
      ...(values["chunk-ms"] ? { chunkMs: Number(values["chunk-ms"]) } : {}),
      ...(values["cpu-prof"] ? { profileCpu: values["cpu-prof"] } : {}),
    },
    { say: io.complain, signal: interrupted.signal },
  );
  io.out(`${JSON.stringify(report, null, values.json ? 0 : 2)}\n`);
  return 0;
};
