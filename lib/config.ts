// config: an env record against one table of settings; every problem at once, nothing read anywhere else. A setting has
// a name, a zod schema, a default and a sentence; docs/reference/config.md is generated from the tables.
import { z } from "zod";
import { SlipstreamError } from "./errors.ts";

export interface Setting<T> {
  readonly env: string;
  readonly schema: z.ZodType<T, string>;
  /** As it would stand in the environment. */
  readonly fallback: string;
  readonly help: string;
}
export type SettingTable = Readonly<Record<string, Setting<unknown>>>;
export type Config<T extends SettingTable> = Readonly<{ [K in keyof T]: T[K] extends Setting<infer V> ? V : never }>;
export type Env = Readonly<Record<string, string | undefined>>;

export function setting<T>(env: string, schema: z.ZodType<T, string>, fallback: string, help: string): Setting<T> {
  return { env, schema, fallback, help };
}

/** A whole number within bounds. */
export const integer = (min: number, max: number) =>
  z
    .string()
    .regex(/^-?\d+$/, "is not a whole number")
    .transform(Number)
    .pipe(z.number().min(min, `must be at least ${min}`).max(max, `must be at most ${max}`));

/** A share between 0 and 1. */
export const ratio = z
  .string()
  .regex(/^\d+(\.\d+)?$/, "is not a number between 0 and 1")
  .transform(Number)
  .pipe(z.number().max(1, "must be at most 1"));

/** "250ms", "5s", "2m" or plain milliseconds → milliseconds. */
export const duration = (minMs: number, maxMs: number) =>
  z
    .string()
    .regex(/^\d+(\.\d+)?(ms|s|m|h)?$/, 'is not a duration like "250ms", "5s" or "2m"')
    .transform((text) => Number.parseFloat(text) * ({ ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }[text.replace(/[\d.]+/, "")] ?? 1))
    .pipe(z.number().min(minMs, `must be at least ${minMs} ms`).max(maxMs, `must be at most ${maxMs} ms`));

/** "64KiB", "2MiB" or plain bytes → bytes. */
export const bytes = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d+(KiB|MiB|GiB)?$/, 'is not a size like "64KiB" or "2MiB"')
    .transform((text) => Number.parseInt(text, 10) * ({ KiB: 1 << 10, MiB: 1 << 20, GiB: 1 << 30 }[text.replace(/\d+/, "")] ?? 1))
    .pipe(z.number().min(min, `must be at least ${min} bytes`).max(max, `must be at most ${max} bytes`));

/** "host:port"; IPv6 in brackets. Port 0 asks for any free one. */
export const address = z
  .string()
  .regex(/^(\[[0-9a-fA-F:]+\]|[^\s:[\]]+):\d{1,5}$/, { error: 'is not "host:port"', abort: true })
  .refine((text) => Number(text.slice(text.lastIndexOf(":") + 1)) <= 65_535, "has a port above 65535");

/** "host:port" or nothing. */
export const optionalAddress = z.union([z.literal(""), address], 'is not "host:port"');

/** Comma-separated addresses, may be empty. */
export const addressList = z
  .string()
  .transform((text) => text.split(",").flatMap((part) => (part.trim() === "" ? [] : [part.trim()])))
  .pipe(z.array(address));

/** Comma-separated "host:port" or SRV names like "_grpc._tcp.name", may be empty. */
export const nameList = z
  .string()
  .transform((text) => text.split(",").flatMap((part) => (part.trim() === "" ? [] : [part.trim()])))
  .pipe(z.array(z.union([address, z.string().regex(/^_[^\s:]+$/)], 'is not "host:port", nor a name like "_grpc._tcp.workers"')));

/** Comma-separated host names, may be empty. */
export const hostList = z
  .string()
  .transform((text) => text.split(",").flatMap((part) => (part.trim() === "" ? [] : [part.trim().toLowerCase()])))
  .pipe(z.array(z.string().regex(/^[a-z0-9.:-]+$/, "is not a list of host names")));

/** Comma-separated origins of web pages as browsers write them ("https://ide.example:8443"), may be empty. */
export const originList = z
  .string()
  .transform((text) => text.split(",").flatMap((part) => (part.trim() === "" ? [] : [part.trim().toLowerCase()])))
  .pipe(
    z.array(z.string().regex(/^[a-z][a-z0-9+.-]*:\/\/[a-z0-9.:[\]-]+$/, 'is not a list of origins like "https://ide.example"')),
  );

/** "0.4", or "name=0.4,other=0.3": a share between 0 and 1 by name; a number without a name stands for all others ("*"). */
export const shares = z
  .string()
  .transform((text) => text.split(",").flatMap((part) => (part.trim() === "" ? [] : [part.trim()])))
  .pipe(z.array(z.string().regex(/^([^=\s]+=)?(0(\.\d+)?|1(\.0+)?)$/, "is not a list of numbers between 0 and 1, or name=number")))
  .transform(
    (parts): Readonly<Record<string, number>> =>
      Object.fromEntries(
        parts.map((part) => {
          const at = part.lastIndexOf("=");
          return [at < 0 ? "*" : part.slice(0, at), Number(part.slice(at + 1))];
        }),
      ),
  );

export const text = z.string();
export const flag = z.enum(["true", "false"], 'must be "true" or "false"').transform((word) => word === "true");
export const choice = <const T extends readonly [string, ...string[]]>(...words: T) =>
  z.enum(words, `must be one of ${words.join(", ")}`) as unknown as z.ZodType<T[number], string>;

/** "ignore": whoever rendered the environment may be of a later release; "refuse": a name that is not known is a mistake of a person. */
const unknownSetting = "SLIPSTREAM_UNKNOWN_SETTINGS";

/** Names that begin with `prefix` and are no settings of `table`: to be told in the log where they are no problem. */
export function unknownSettings(table: SettingTable, env: Env, prefix: string): string[] {
  const known = new Set(Object.values(table).map((row) => row.env));
  return Object.keys(env).filter((name) => name.startsWith(prefix) && !known.has(name));
}

/** Reads every setting of `table`; throws one `config` error that lists all problems. Unknown names with `prefix` are problems too. */
export function readConfig<const T extends SettingTable>(table: T, env: Env, prefix: string): Config<T> {
  const problems: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [key, row] of Object.entries(table)) {
    const given = env[row.env];
    const parsed = row.schema.safeParse(given ?? row.fallback);
    if (parsed.success) values[key] = parsed.data;
    else
      problems.push(`${row.env}=${JSON.stringify(given ?? row.fallback)}: ${parsed.error.issues.map((i) => i.message).join("; ")}`);
  }
  const unknown = env[unknownSetting] ?? "refuse";
  if (unknown === "refuse") problems.push(...unknownSettings(table, env, prefix).map((name) => `${name}: no such setting`));
  else if (unknown !== "ignore") problems.push(`${unknownSetting}=${JSON.stringify(unknown)}: must be one of refuse, ignore`);
  if (problems.length > 0)
    throw new SlipstreamError(
      "config",
      `The configuration has ${problems.length === 1 ? "a problem" : `${problems.length} problems`}:\n  ${problems.join("\n  ")}`,
    );
  return Object.freeze(values) as Config<T>;
}
