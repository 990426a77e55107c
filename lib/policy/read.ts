// policy/read: the text of a policy document, JSON or YAML, in; a PolicyDocument out, checked whole, or one `config` error that
// names every field with a problem. Pure.
import { parseDocument } from "yaml";
import type { z } from "zod";
import { SlipstreamError } from "../errors.ts";
import { type PolicyDocument, policySchema } from "./schema.ts";

/** A ConfigMap holds no more. */
export const policyBytesMax = 1 << 20;
/** A document that is wrong in every line would fill the log. */
const problemsMax = 50;

/** `from` names the source in the error: the path of a file. */
export function readPolicy(text: string, from: string): PolicyDocument {
  const parsed = policySchema.safeParse(parse(text, from));
  if (parsed.success) return parsed.data;
  throw problems(from, parsed.error.issues.map(sentence));
}

function parse(text: string, from: string): unknown {
  if (text.length > policyBytesMax) throw problems(from, [`is larger than ${policyBytesMax} bytes`]);
  // A rendered document is JSON, which is read forty times faster so.
  if (text.trimStart().startsWith("{")) {
    try {
      return JSON.parse(text);
    } catch {
      // YAML may begin with a brace too; its reader also says where the mistake is.
    }
  }
  const document = parseDocument(text, { prettyErrors: true, version: "1.2" });
  if (document.errors.length > 0)
    throw problems(
      from,
      document.errors.map((error) => error.message.split("\n")[0] ?? ""),
    );
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (thrown) {
    throw problems(from, [thrown instanceof Error ? thrown.message : "cannot be read"]);
  }
}

function sentence(issue: z.core.$ZodIssue): string {
  const path = issue.path.reduce<string>(
    (at, part) => (typeof part === "number" ? `${at}[${part}]` : at === "" ? String(part) : `${at}.${String(part)}`),
    "",
  );
  // zod says of a record's key only that it is wrong; the key's own issues say how.
  const message = issue.code === "invalid_key" ? issue.issues.map((inner) => inner.message).join("; ") : issue.message;
  return path === "" ? message : `${path}: ${message}`;
}

function problems(from: string, all: readonly string[]): SlipstreamError {
  const shown = all.slice(0, problemsMax);
  const rest = all.length > shown.length ? [`and ${all.length - shown.length} more`] : [];
  return new SlipstreamError(
    "config",
    `${from} has ${all.length === 1 ? "a problem" : `${all.length} problems`}:\n  ${[...shown, ...rest].join("\n  ")}`,
  );
}
