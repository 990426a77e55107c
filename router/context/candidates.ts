// candidates: what each source found in, one ranking out: reciprocal ranks of the lists a chunk is in (the client's own score, words shared
// with the cursor's lines, how lately its document was used) are added, because scores of different sources are no common measure. Pure.
import type { Rope } from "../../lib/structures/rope.ts";
import type { Snippet } from "../completion.ts";
import type { OpenDocument } from "../cursor-text.ts";
import { words } from "./pieces.ts";

export interface Candidate {
  readonly snippet: Snippet;
  /** The open document it was read from, and as it was then; absent: sent by the client, or of the same document. */
  readonly read?: { readonly document: string; readonly text: WeakRef<Rope> };
}

interface Found {
  readonly given: readonly Snippet[];
  /** The one used last first. */
  readonly others: readonly {
    readonly open: OpenDocument;
    readonly pieces: readonly { readonly text: string; readonly score: number }[];
  }[];
  readonly own: readonly Snippet[];
  /** Words of the cursor's lines. */
  readonly here: ReadonlySet<string>;
}

/** Of reciprocal rank fusion, as usual: a first place is worth little more than a third. */
const flatness = 60;

export function ranked({ given, others, own, here }: Found): readonly Candidate[] {
  const read = others.flatMap(({ open, pieces }) =>
    pieces.map(
      ({ text, score }): Candidate => ({
        snippet: { path: open.path, text, score, stable: true },
        read: { document: open.document, text: new WeakRef(open.text) },
      }),
    ),
  );
  const sent = given.map((snippet): Candidate => ({ snippet }));
  const inDocument = own.map((snippet): Candidate => ({ snippet }));
  const likeness = new Map<Candidate, number>();
  for (const one of sent) likeness.set(one, likenessOf(one.snippet.text, here));
  for (const one of [...read, ...inDocument]) likeness.set(one, one.snippet.score);
  const byLikeness = [...likeness.keys()].sort((a, b) => (likeness.get(b) ?? 0) - (likeness.get(a) ?? 0));
  const byClient = [...sent].sort((a, b) => b.snippet.score - a.snippet.score);
  const points = new Map<Candidate, number>();
  for (const list of [byClient, byLikeness, read])
    for (const [rank, one] of list.entries()) points.set(one, (points.get(one) ?? 0) + 1 / (flatness + rank));
  // A client knows its project: what it sends stands in two lists.
  return [...points.keys()].sort((a, b) => (points.get(b) ?? 0) - (points.get(a) ?? 0));
}

function likenessOf(text: string, here: ReadonlySet<string>): number {
  const own = words(text);
  let both = 0;
  for (const word of own) if (here.has(word)) both += 1;
  return both / Math.max(1, own.size + here.size - both);
}
