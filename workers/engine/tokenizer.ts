// tokenizer: what an engine behind a wire must know of its model's vocabulary: a text's tokens, whether a text is one special
// token, and how many bytes of prompt a token stands for. Either read from the model's own tokenizer.json (file-tokenizer.ts) or
// asked of the engine and remembered (vllm/asked-tokenizer.ts).

export interface EngineTokenizer {
  readonly kind: "file" | "asked";
  /** Afterwards `encodeText` and `specialToken` answer for these texts. Throws what the engine says against it. */
  know(texts: readonly string[], signal: AbortSignal): Promise<void>;
  /** Never parses a text for special tokens. */
  encodeText(text: string): readonly number[];
  specialToken(text: string): number | undefined;
  bytesOf(token: number): number;
}

/** Code of a token's text: byte-level vocabularies spell each byte as one character. */
const visible = (byte: number) => (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;

/** The characters that stand for bytes in a byte-level vocabulary, by byte. */
const byteCharacters: readonly string[] = (() => {
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(visible(byte) ? byte : next++));
})();

const characterBytes = new Map(byteCharacters.map((character, byte) => [character, byte]));

/** The bytes that a byte-level token spells; undefined when it is no such token. */
export function spelledBytes(token: string): number[] | undefined {
  const bytes = Array.from(token, (character) => characterBytes.get(character) ?? -1);
  return bytes.includes(-1) ? undefined : bytes;
}

/** The text behind a token as a vocabulary writes it: byte-level, or with "▁" for a blank and "<0x0A>" for a byte. */
export function bytesBehind(token: string, byteLevel: boolean): Uint8Array {
  if (byteLevel) return Uint8Array.from(spelledBytes(token) ?? Buffer.from(token));
  const byte = /^<0x([0-9A-Fa-f]{2})>$/.exec(token)?.[1];
  return byte === undefined ? Buffer.from(token.replaceAll("▁", " ")) : Uint8Array.of(Number.parseInt(byte, 16));
}
