// place: FILE:LINE:COL, 1-based; columns count UTF-16 units and the cursor is before the column, as editors show it.
import { readFileSync, statSync } from "node:fs";
import { SlipstreamError } from "../lib/errors.ts";
import { languageOf } from "../lib/languages.ts";

export interface Place {
  readonly path: string;
  readonly language: string;
  readonly prefix: string;
  readonly suffix: string;
}

const fileBytesMax = 64 << 20;

const bad = (message: string, code: "invalid_request" | "not_found" = "invalid_request") =>
  new SlipstreamError(code, message, { field: "FILE:LINE:COL" });

export function placeOf(argument: string): Place {
  const match = /^(.+):(\d+):(\d+)$/s.exec(argument);
  if (!match) throw bad(`"${argument}" is not FILE:LINE:COL`);
  const [path, line, column] = [match[1] as string, Number(match[2]), Number(match[3])];
  const text = read(path);
  if (line < 1 || column < 1) throw bad("line and column start at 1");
  const lines = text.split("\n");
  const here = lines[line - 1];
  if (here === undefined) throw bad(`${path} has ${lines.length} lines, not ${line}`);
  const width = here.replace(/\r$/, "").length;
  if (column > width + 1) throw bad(`line ${line} of ${path} has ${width} columns: the last place for the cursor is ${width + 1}`);
  const at = lines.slice(0, line - 1).reduce((sum, before) => sum + before.length + 1, 0) + column - 1;
  return { path, language: languageOf(path), prefix: text.slice(0, at), suffix: text.slice(at) };
}

function read(path: string): string {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat) throw bad(`${path}: no such file`, "not_found");
  if (!stat.isFile()) throw bad(`${path} is not a file`);
  if (stat.size > fileBytesMax) throw bad(`${path} is larger than ${fileBytesMax >> 20} MiB`);
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(readFileSync(path));
  } catch {
    throw bad(`${path} cannot be read as UTF-8 text`);
  }
}
