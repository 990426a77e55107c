// context: pieces of other code, recent edits and diagnostics in, the message of the contract out.
import type { ClientMessage } from "../../proto/gen/slipstream/v1/completion_pb.ts";

export interface Snippet {
  readonly path: string;
  readonly text: string;
  /** Where it comes from: "definition", "similar", … */
  readonly source: string;
  readonly score: number;
  /** The same snippet keeps it while its text changes. */
  readonly stableId: string;
  /** Changes seldom: such snippets stand first in a prompt. */
  readonly stable: boolean;
  readonly startLine?: number;
  readonly endLine?: number;
}

export interface RecentEdit {
  readonly path: string;
  readonly before: string;
  readonly after: string;
  readonly line: number;
  readonly ageMs: number;
}

export interface ContextOptions {
  readonly snippets?: readonly Snippet[];
  readonly recentEdits?: readonly RecentEdit[];
}

type ContextBody = Extract<ClientMessage["message"], { case: "context" }>;

export function contextMessage(documentId: string, { snippets = [], recentEdits = [] }: ContextOptions): ContextBody {
  const value = {
    documentId,
    snippets: snippets.map(({ stable, ...snippet }) => ({ ...snippet, stability: stable ? 1 : 2 })),
    recentEdits,
  };
  return { case: "context", value } as unknown as ContextBody;
}
