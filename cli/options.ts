// options: command lines taken apart by node's own parser; a mistake becomes one sentence and exit code 64.
import { type ParseArgsConfig, parseArgs } from "node:util";
import { SlipstreamError } from "../lib/errors.ts";
import type { Io } from "./command.ts";

export function options<T extends NonNullable<ParseArgsConfig["options"]>>(args: readonly string[], table: T) {
  try {
    return parseArgs({
      args: [...args],
      options: { ...table, help: { type: "boolean", short: "h" } } as const,
      allowPositionals: true,
    });
  } catch (thrown) {
    const message = thrown instanceof Error ? (thrown.message.split(". ")[0] ?? "") : String(thrown);
    throw new SlipstreamError("invalid_request", `${message}; --help shows the options`, { cause: thrown });
  }
}

/** "250ms", "5s" or plain milliseconds. */
export function milliseconds(option: string, text: string, maxMs: number): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s)?$/.exec(text);
  const ms = match ? Number(match[1]) * (match[2] === "s" ? 1_000 : 1) : Number.NaN;
  if (!(ms >= 1 && ms <= maxMs))
    throw new SlipstreamError("invalid_request", `--${option}: "${text}" is not a time between 1ms and ${maxMs / 1000}s`, {
      field: option,
    });
  return ms;
}

export function oneOf<const T extends readonly string[]>(option: string, text: string, words: T): T[number] {
  if (!words.includes(text))
    throw new SlipstreamError("invalid_request", `--${option}: "${text}" is none of ${words.join(", ")}`, { field: option });
  return text;
}

/** "a,b": each one of the words. */
export function listOf<const T extends readonly string[]>(option: string, text: string, words: T): T[number][] {
  return text.split(",").map((word) => oneOf(option, word, words));
}

export function number(option: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (text.trim() === "" || !(value >= min && value <= max))
    throw new SlipstreamError("invalid_request", `--${option}: "${text}" is not a number between ${min} and ${max}`, {
      field: option,
    });
  return value;
}

export function whole(option: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < min || value > max)
    throw new SlipstreamError("invalid_request", `--${option}: "${text}" is not a whole number between ${min} and ${max}`, {
      field: option,
    });
  return value;
}

/** Of a command that takes options alone. */
export function refuseWords([word]: readonly string[]): void {
  if (word !== undefined) throw new SlipstreamError("invalid_request", `"${word}" is not an option; --help shows them`);
}

/** Aborts when the person interrupts, or the machine ends the process. */
export function interruption(io: Pick<Io, "on">): AbortSignal {
  const interrupted = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    io.on(signal, () => interrupted.abort(new SlipstreamError("cancelled", "interrupted")));
  return interrupted.signal;
}
