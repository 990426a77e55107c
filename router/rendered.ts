// rendered: the nouns between a trigger and the text that a model is sent: the context chosen for it, the model as the fleet
// knows it, and the prompt in that model's form. completion.ts gives them on.
import type { Snippet } from "./trigger.ts";

/** A part of a prompt that is encoded apart, so that its tokens never depend on its neighbours. */
export type Segment = { readonly text: string } | { readonly special: string };

/** Context chosen for one trigger, in the order it stands in the prompt. */
export interface Context {
  readonly snippets: readonly Snippet[];
}

/** A rendered prompt for one model. */
export interface Prompt {
  readonly model: string;
  /** The pool that may serve it; absent: any with the model. */
  readonly pool?: string;
  readonly segments: readonly Segment[];
  readonly bytes: number;
  /** Digest of everything that decides the text: scope, model, segments, sampling. Key of the result cache. */
  readonly key: string;
  /** Chained digests of the 64-byte blocks, 8 bytes each, one after another. */
  readonly blocks: Uint8Array;
  /** Strings at which the engine stops, the family's own included. */
  readonly stop: readonly string[];
}

/** What the fleet knows of one model it serves. */
export interface ServedModel {
  readonly name: string;
  /** Where it was asked for by a pool's name: no other may serve it. */
  readonly pool?: string;
  /** Name of a family, or "" where the tokens must tell. */
  readonly fimFamily: string;
  readonly fim: {
    readonly prefix: string;
    readonly suffix: string;
    readonly middle: string;
    readonly fileSeparator: string;
    readonly repository: string;
  };
  /** Other special tokens that every one of its workers takes; absent: none says so. */
  readonly specials?: readonly string[];
  readonly contextTokens: number;
  readonly bytesPerToken: number;
  /** Tokens of a KV block of its engine; absent: none says. */
  readonly blockTokens?: number;
  readonly chatTemplate: boolean;
  /** What every one of its workers takes in a Submit; absent: none says. */
  readonly promptBytesMax?: number;
  readonly maxTokensMax?: number;
  /** Best of its workers; 0: not measured yet. */
  readonly prefillTokensPerSecond: number;
}
