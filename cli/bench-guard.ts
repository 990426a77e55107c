// bench-guard: `slipstream bench guard` (npm run bench:guard): has this tree become worse than it was?
import { benchGuard, type GuardReport, seedsMax } from "../bench/guard/guard.ts";
import { type Ablation, ablations } from "../bench/keys/switches.ts";
import type { Command } from "./command.ts";
import { interruption, oneOf, options, refuseWords, whole } from "./options.ts";

const names = Object.keys(ablations) as [Ablation, ...Ablation[]];

const help = `Usage: slipstream bench guard [OPTIONS]      (npm run bench:guard)

Short runs of the whole system under the virtual clock against bench/guard/expected.json, seed by seed: what is counted there moves with
the code alone. Processor time is told in multiples of a fixed piece of work. Ends with 1 when a figure is worse beyond its bound
and beyond noise. docs/operations/load-lab.md says what is guarded. About a minute.

Options:
  --seeds N          (default 4, at most ${seedsMax})
  --ablate NAME      with one mechanism off, to see it fail: ${names.slice(0, 4).join(", ")}, …
  --update           make the expectation anew from this tree
  --json             one JSON object instead of a table

Examples:
  slipstream bench guard
  slipstream bench guard --ablate sliding_window
  slipstream bench guard --update --seeds ${seedsMax}
`;

export const benchGuardCommand: Command = async (args, io) => {
  const { values, positionals } = options(args, {
    json: { type: "boolean", default: false },
    update: { type: "boolean", default: false },
    seeds: { type: "string" },
    ablate: { type: "string" },
  });
  if (values.help) {
    io.out(help);
    return 0;
  }
  refuseWords(positionals);
  const made = {
    seeds: whole("seeds", values.seeds ?? (values.update ? String(seedsMax) : "4"), 2, seedsMax),
    ablation: values.ablate === undefined ? undefined : oneOf("ablate", values.ablate, names),
    update: values.update,
  };
  const report = await benchGuard(made, { say: io.complain, signal: interruption(io) });
  io.out(values.json ? `${JSON.stringify(report)}\n` : told(report));
  return report.worse > 0 ? 1 : 0;
};

/** The last line is what CI adds up. */
function told({ seeds, rows, worse }: GuardReport): string {
  const figure = (value: number) => String(Number(value.toPrecision(4)));
  const lines = rows.map(({ name, now, before, ratio, low, high, worse: failed, better, worseMax }) => {
    const verdict = failed ? "WORSE" : better ? "better" : "ok";
    return `${name.padEnd(26)} ${figure(before).padStart(9)} ${figure(now).padStart(9)}  ×${ratio.toFixed(3)} (${low.toFixed(2)} to ${high.toFixed(2)})  bound ${(100 * worseMax).toFixed(0)} %  ${verdict}`;
  });
  return `${"".padEnd(26)} ${"expected".padStart(9)} ${"now".padStart(9)}  ratio over ${seeds} seeds (95 %)\n${lines.join("\n")}\n${rows.length - worse} passed, ${worse} failed\n`;
}
