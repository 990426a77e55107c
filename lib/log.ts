// log: pino JSON on stderr. One line a trigger at its end (router feedback), one a change of state elsewhere. Code text
// never enters a log: whatever is named like code is removed at any depth, should a line carry it by mistake, and API keys
// lose their secret.
import pino, { type Logger } from "pino";
import { withoutSecrets } from "./keys/key.ts";

/** fatal: the process ends · error: someone must act · warn: degraded, heals itself · info: state changes · debug: one line a trigger. */
export const levels = ["fatal", "error", "warn", "info", "debug", "silent"] as const;
export type Log = Pick<Logger, "fatal" | "error" | "warn" | "info" | "debug"> & { child(fields: Record<string, unknown>): Log };

const codeFields = new Set(["prefix", "suffix", "text", "prompt", "segments", "snippets", "insertText", "content", "messages"]);

/** A line is for reading: what lies deeper or further back than this is left out. */
const depthMax = 6;
const itemsMax = 100;

export function createLog(
  options: { process: string; level: (typeof levels)[number] },
  stream?: { write(line: string): void },
): Log {
  const logger = pino(
    {
      level: options.level,
      base: { process: options.process },
      formatters: { log: cleanFields },
      timestamp: pino.stdTimeFunctions.isoTime,
    },
    stream ?? pino.destination({ dest: 2, sync: false }),
  );
  return cleaned(logger);
}

/** pino passes the fields of a line to its formatter, but not those of a child. */
function cleaned(logger: Logger): Log {
  return {
    fatal: logger.fatal.bind(logger),
    error: logger.error.bind(logger),
    warn: logger.warn.bind(logger),
    info: logger.info.bind(logger),
    debug: logger.debug.bind(logger),
    child: (fields) => cleaned(logger.child(cleanFields(fields))),
  };
}

function cleanFields(fields: Record<string, unknown>, depth = 0): Record<string, unknown> {
  const kept = Object.entries(fields).filter(([name]) => !codeFields.has(name));
  return Object.fromEntries(kept.map(([name, value]) => [name, clean(value, depth + 1)]));
}

function clean(value: unknown, depth: number): unknown {
  if (typeof value === "string") return withoutSecrets(value);
  if (typeof value !== "object" || value === null) return value;
  if (depth > depthMax) return "[deeper]";
  if (value instanceof Error) return cleanFields(pino.stdSerializers.err(value) as unknown as Record<string, unknown>, depth);
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (Array.isArray(value)) return value.slice(0, itemsMax).map((item) => clean(item, depth + 1));
  if ("toJSON" in value && typeof value.toJSON === "function") return clean(value.toJSON(), depth + 1);
  return cleanFields(value as Record<string, unknown>, depth);
}

/** For tests and tools that want no lines. */
export const silentLog: Log = cleaned(pino({ level: "silent" }));
