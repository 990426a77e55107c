// digest: names for prompts. A block is 64 bytes of rendered prompt; its digest chains over all before it, so equal digests
// mean equal prefixes. The tenant's salt seeds the chain: nothing is ever shared across tenants.
import { createHash } from "node:crypto";
import type { Segment } from "../completion.ts";

const blockBytes = 64;
const digestBytes = 8;

/** Chained digests of the whole 64-byte blocks of the rendered prompt, 8 bytes each. */
export function blockDigests(segments: readonly Segment[], salt: string): Uint8Array {
  const rendered = Buffer.from(renderedText(segments));
  const blocks = Math.floor(rendered.length / blockBytes);
  const digests = Buffer.alloc(blocks * digestBytes);
  let chain: Buffer = createHash("sha256").update(salt).digest().subarray(0, digestBytes);
  for (let i = 0; i < blocks; i++) {
    chain = createHash("sha256")
      .update(chain)
      .update(rendered.subarray(i * blockBytes, (i + 1) * blockBytes))
      .digest()
      .subarray(0, digestBytes);
    chain.copy(digests, i * digestBytes);
  }
  return digests;
}

/** One name for everything that decides a generation's text. */
export function promptKey(parts: readonly string[], segments: readonly Segment[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(`${part.length}:${part}`);
  for (const segment of segments) {
    const [kind, text] = "special" in segment ? ["s", segment.special] : ["t", segment.text];
    hash.update(`${kind}${text.length}:${text}`);
  }
  return hash.digest("base64url");
}

/** Segments as one text: special tokens by their text. */
export function renderedText(segments: readonly Segment[]): string {
  return segments.map((segment) => ("special" in segment ? segment.special : segment.text)).join("");
}
