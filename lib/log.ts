// log: pino JSON on stderr. One line a trigger at its end (router feedback), one a change of state elsewhere. Code text
// never enters a log: whatever is named like code is removed, should a line carry it by mistake.
import pino, { type Logger } from "pino";

/** fatal: the process ends · error: someone must act · warn: degraded, heals itself · info: state changes · debug: one line a trigger. */
export const levels = ["fatal", "error", "warn", "info", "debug", "silent"] as const;
export type Log = Pick<Logger, "fatal" | "error" | "warn" | "info" | "debug"> & { child(fields: Record<string, unknown>): Log };

const codeFields = ["prefix", "suffix", "text", "prompt", "segments", "snippets", "insertText", "content", "messages"];

export function createLog(
  options: { process: string; level: (typeof levels)[number] },
  stream?: { write(line: string): void },
): Log {
  return pino(
    {
      level: options.level,
      base: { process: options.process },
      redact: { paths: codeFields.flatMap((field) => [field, `*.${field}`, `*.*.${field}`]), remove: true },
      timestamp: pino.stdTimeFunctions.isoTime,
    },
    stream ?? pino.destination({ dest: 2, sync: false }),
  );
}

/** For tests and tools that want no lines. */
export const silentLog: Log = pino({ level: "silent" });
