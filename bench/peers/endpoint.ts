// endpoint: where an editor that speaks HTTP sends its requests: a worker itself, or a router before several. Chunks of text as
// they come; aborting the signal closes the request, which is how such a client cancels.

export interface Ask {
  readonly prompt: string;
  readonly maxTokens: number;
  readonly stop: readonly string[];
  /** What a router may hold a session by. */
  readonly session: string;
}

export interface Chunk {
  /** Of the generation, the same in all its chunks: "worker id". */
  readonly id: string;
  readonly text: string;
}

export interface Endpoint {
  /** Resolves when all was said; rejects when the request fails, or the signal ends it. */
  complete(ask: Ask, signal: AbortSignal, say: (chunk: Chunk) => void): Promise<void>;
  close(): void;
}
