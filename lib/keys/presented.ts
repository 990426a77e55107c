// presented: the API key that a call brings, in whichever header its client knows.
import { SlipstreamError } from "../errors.ts";

/** A header or a metadata entry by its lower-case name. */
export type Header = (name: string) => string | undefined;

/** Placeholders without a key, which some clients send by habit, say nothing. */
export function presentedKey(header: Header): string {
  const authorization = header("authorization")?.trim() ?? "";
  if (authorization !== "" && !/^Bearer$/i.test(authorization)) {
    const key = /^Bearer +(\S+)$/i.exec(authorization)?.[1];
    if (key === undefined) throw unauthenticated('is not "Bearer KEY"');
    return key;
  }
  const key = header("x-api-key")?.trim() || header("api-key")?.trim();
  if (!key) throw unauthenticated('an API key is required: "authorization: Bearer KEY", "x-api-key" or "api-key"');
  return key;
}

export function unauthenticated(problem: string): SlipstreamError {
  return new SlipstreamError("unauthenticated", `authorization: ${problem}`, { field: "authorization" });
}
