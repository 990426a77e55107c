// kv-message: what an engine says of its KV blocks, in words that all of them share.

export type KvMessage =
  | {
      readonly kind: "stored";
      readonly hashes: readonly string[];
      /** The block before the first; undefined: they begin a prompt. */
      readonly parent: string | undefined;
      readonly tokens: readonly number[];
      readonly blockTokens: number;
      readonly adapter: string;
      readonly salt: string;
    }
  | { readonly kind: "removed"; readonly hashes: readonly string[] }
  /** Into the accelerator's memory, or out of it and kept elsewhere: what is not near is not what a step can use at once. */
  | { readonly kind: "moved"; readonly hashes: readonly string[]; readonly near: boolean }
  | { readonly kind: "cleared" };
