// headline: developers a GPU by side in, what our router is worth beside the best peer of each editor out. Pure. A peer that does
// not serve one developer in time has no ratio: it is said so.
import type { Band } from "./answers.ts";
import { type EditorName, editorNames } from "./editors.ts";
import type { Side } from "./sides.ts";

export interface Headline {
  readonly editor: EditorName;
  readonly best_peer: string;
  readonly ours: number;
  readonly peer: number;
  /** null: the best peer serves nobody in time. */
  readonly ratio: number | null;
  readonly goal: number;
}

const goals: Readonly<Record<EditorName, number>> = { naive: 20, careful: 6, expert: 1.5 };

export function headlines(developers: ReadonlyMap<Side, Pick<Band, "developers_per_gpu">>): Headline[] {
  const all = [...developers].map(([side, { developers_per_gpu: of }]) => ({ ...side, of }));
  const mine = all.find(({ name }) => name === "slipstream");
  if (!mine) return [];
  return editorNames.flatMap((editor) => {
    const [best] = all.filter((each) => each.editor === editor).sort((a, b) => b.of - a.of);
    if (!best) return [];
    const ratio = best.of === 0 ? null : Math.round((mine.of / best.of) * 100) / 100;
    return [{ editor, best_peer: best.name, ours: mine.of, peer: best.of, ratio, goal: goals[editor] }];
  });
}

export function sentenceOf({ editor, best_peer: name, ours, peer, ratio, goal }: Headline): string {
  if (ours === 0) return `${editor}: ours serves nobody in time; ${name} ${peer} developers a GPU`;
  if (ratio === null) return `${editor}: ours ${ours} developers a GPU, no peer serves even one in time (goal ${goal}×)`;
  return `${editor}: ours ${ours} developers a GPU, the best peer (${name}) ${peer}: ${ratio}× (goal ${goal}×${ratio < goal ? ", missed" : ""})`;
}
