// sets: the committed sets of references, one JSON object a line, in and out of their file.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { SlipstreamError } from "../../lib/errors.ts";
import { evaluationFolder } from "./sources.ts";
import { type SpanReference, spanReference } from "./span.ts";

export const builtinSetPath = () => join(evaluationFolder(), "builtin.ndjson");

export function readSet(path: string): readonly SpanReference[] {
  try {
    return readFileSync(path, "utf8")
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => spanReference.parse(JSON.parse(line)));
  } catch (cause) {
    throw new SlipstreamError("invalid_request", `${path} is no set of references as "slipstream eval make" writes it`, { cause });
  }
}

export const formatSet = (references: readonly SpanReference[]) =>
  references.map((reference) => `${JSON.stringify(reference)}\n`).join("");
