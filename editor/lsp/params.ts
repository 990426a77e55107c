// params: fields of the protocol's messages, taken out with a sentence that names what is missing or of another kind.
import type { Position, Range } from "./lines.ts";
import { invalidParams } from "./rpc.ts";

type Fields = Readonly<Record<string, unknown>>;

export function fields(of: unknown, name: string): Fields {
  if (typeof of !== "object" || of === null) throw invalidParams(`${name}: missing`);
  return of as Fields;
}

export function text(of: unknown, name: string): string {
  if (typeof of !== "string") throw invalidParams(`${name}: not a string`);
  return of;
}

export function position(of: unknown, name: string): Position {
  const { line, character } = fields(of, name);
  for (const [each, value] of [
    ["line", line],
    ["character", character],
  ] as const)
    if (!Number.isInteger(value) || (value as number) < 0) throw invalidParams(`${name}.${each}: not a whole number`);
  return { line: line as number, character: character as number };
}

export function range(of: unknown, name: string): Range {
  const { start, end } = fields(of, name);
  return { start: position(start, `${name}.start`), end: position(end, `${name}.end`) };
}

export const uriOf = (params: Fields) => text(fields(params["textDocument"], "textDocument")["uri"], "textDocument.uri");
