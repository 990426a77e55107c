// digest: names for prompts. A block is 64 bytes of rendered prompt; its digest chains over all before it, so equal digests
// mean equal prefixes. The tenant's salt seeds the chain: nothing is ever shared across tenants. A prompt that begins as an
// earlier one keeps that one's digests: a key hashes what it changed, and what stands after it.
import { hash } from "node:crypto";
import type { Segment } from "../completion.ts";

const blockBytes = 64;
const digestBytes = 8;
/** Texts are compared this much at once, and the first difference found within it. */
const strideBytes = 1_024;

/** A prompt as bytes, with the chained digests of its whole 64-byte blocks, 8 bytes each. */
export interface Rendered {
  readonly bytes: Buffer;
  readonly digests: Uint8Array;
  /** Of them, those that were not known from before. */
  readonly hashed: number;
}

/** `before`: an earlier prompt of the same tenant; what it has in common is taken from it. */
export function digested(bytes: Buffer, salt: string, before?: Rendered): Rendered {
  const blocks = Math.floor(bytes.length / blockBytes);
  const known = before ? Math.min(blocks, Math.floor(commonBytes(before.bytes, bytes) / blockBytes)) : 0;
  const digests = Buffer.alloc(blocks * digestBytes);
  if (before) digests.set(before.digests.subarray(0, known * digestBytes));
  let chain =
    known > 0
      ? digests.subarray((known - 1) * digestBytes, known * digestBytes)
      : hash("sha256", salt, "buffer").subarray(0, digestBytes);
  const link = Buffer.alloc(digestBytes + blockBytes);
  for (let i = known; i < blocks; i++) {
    link.set(chain);
    link.set(bytes.subarray(i * blockBytes, (i + 1) * blockBytes), digestBytes);
    chain = hash("sha256", link, "buffer").subarray(0, digestBytes);
    digests.set(chain, i * digestBytes);
  }
  return { bytes, digests, hashed: blocks - known };
}

/** How many bytes two prompts begin with alike. */
export function commonBytes(a: Buffer, b: Buffer): number {
  const length = Math.min(a.length, b.length);
  let at = 0;
  while (at + strideBytes <= length && a.compare(b, at, at + strideBytes, at, at + strideBytes) === 0) at += strideBytes;
  while (at < length && a[at] === b[at]) at += 1;
  return at;
}

/** One name for everything that decides a generation's text. */
export function promptKey(parts: readonly string[], segments: readonly Segment[]): string {
  let text = "";
  for (const part of parts) text += `${part.length}:${part}`;
  for (const segment of segments) {
    const [kind, value] = "special" in segment ? ["s", segment.special] : ["t", segment.text];
    text += `${kind}${value.length}:${value}`;
  }
  return hash("sha256", text, "base64url");
}

/** Segments as one text: special tokens by their text. */
export function renderedText(segments: readonly Segment[]): string {
  return segments.map((segment) => ("special" in segment ? segment.special : segment.text)).join("");
}
