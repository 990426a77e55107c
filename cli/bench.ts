// bench: `slipstream bench NAME`: figures of this machine, with what they mean.
import { join } from "node:path";
import { benchCancel, type Cancelled } from "../bench/cancel.ts";
import { systemClock } from "../lib/clock.ts";
import { SlipstreamError } from "../lib/errors.ts";
import { silentLog } from "../lib/log.ts";
import { packageRoot } from "../lib/package-root.ts";
import { seeded } from "../lib/random.ts";
import { EmbeddedEngine } from "../workers/engine/embedded/embedded.ts";
import { SimulatedEngine } from "../workers/engine/simulated/simulated.ts";
import type { Command } from "./command.ts";
import { options } from "./options.ts";

const help = `Usage: slipstream bench cancel [--cancels N] [--json]

cancel    from a Cancel to the engine's stop, in prefill and in decode, on the embedded engine and on the
          simulated one (an H100 with a 7B model, by estimate)

Options:
  --cancels N   of each kind (default 200)
  --json        one JSON object instead of a table

Examples:
  slipstream bench cancel
  slipstream bench cancel --cancels 1000 --json
`;

export const bench: Command = async (args, io) => {
  const { values, positionals } = options(args, {
    cancels: { type: "string", default: "200" },
    json: { type: "boolean", default: false },
  });
  if (values.help) {
    io.out(help);
    return 0;
  }
  if (positionals.length !== 1 || positionals[0] !== "cancel")
    throw new SlipstreamError("invalid_request", "there is: cancel; --help says more");
  const cancels = Number(values.cancels);
  if (!Number.isInteger(cancels) || cancels < 1 || cancels > 100_000)
    throw new SlipstreamError("invalid_request", `--cancels: "${values.cancels}" is not a number between 1 and 100000`, {
      field: "cancels",
    });
  const interrupted = new AbortController();
  io.on("SIGINT", () => interrupted.abort());
  const report: Cancelled[] = [];
  const deps = { clock: systemClock, log: silentLog };
  for (const start of [
    () => EmbeddedEngine.start({ modelPath: join(packageRoot(), "models/slipstream-fim-4m-q8_0.gguf") }, deps),
    async () =>
      new SimulatedEngine(
        { profile: "h100-7b-eagle3", profileEnd: "mid", seed: 1, slots: 8 },
        { clock: systemClock, random: seeded(1) },
      ),
  ]) {
    const engine = await start();
    try {
      report.push(...(await benchCancel(engine, { cancels, signal: interrupted.signal })));
    } finally {
      await engine.close();
    }
  }
  if (values.json) io.out(`${JSON.stringify({ cancels: report })}\n`);
  else {
    io.out("engine     phase    cancels  stopped after p50     p99     max (ms)\n");
    for (const { engine, phase, cancels: counted, stopped_ms: ms } of report)
      io.out(
        `${engine.padEnd(11)}${phase.padEnd(9)}${String(counted).padStart(7)}  ${ms.p50.toFixed(2).padStart(17)} ${ms.p99.toFixed(2).padStart(7)} ${ms.max.toFixed(2).padStart(7)}\n`,
      );
  }
  return 0;
};
