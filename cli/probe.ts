// probe: `slipstream worker --probe URL`: what an engine is and can do, and what to change for Slipstream, drawn for a person.
import { systemClock } from "../lib/clock.ts";
import { type EngineReport, probeEngine, probeOptions } from "../workers/wire-probe.ts";
import type { Io } from "./command.ts";
import { interruption } from "./options.ts";

/** 0: nothing that Slipstream lacks; 1: something. */
export async function probe(url: string, json: boolean, io: Io): Promise<number> {
  const report = await probeEngine(probeOptions(url, io.env), { clock: systemClock, signal: interruption(io) });
  io.out(json ? `${JSON.stringify(report)}\n` : drawn(report));
  return report.advice.some(({ weight }) => weight === "lacks") ? 1 : 0;
}

function drawn({ engine, server, version, models, can, advice }: EngineReport): string {
  const value = (each: boolean | number | string) => (typeof each === "boolean" ? (each ? "yes" : "no") : String(each));
  const lines = [
    `${server} ${version}; serve from it with --engine ${engine}`,
    ...models.map(({ name, contextTokens }) => `  model ${name}, context ${contextTokens ?? "unknown"}`),
    "",
    ...Object.entries(can).map(([what, each]) => `  ${what.padEnd(28)} ${value(each)}`),
    "",
    ...(advice.length === 0 ? ["Nothing to change."] : ["To change for Slipstream:"]),
    ...advice.flatMap(({ weight, what, flag }) => [`  ${weight === "lacks" ? "!" : "-"} ${what}`, `      ${flag}`]),
  ];
  return `${lines.join("\n")}\n`;
}
