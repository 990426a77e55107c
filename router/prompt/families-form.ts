// families-form: the parts of a prompt in, the family's form around them out, segment by segment.
import type { Segment, ServedModel } from "../completion.ts";
import type { Family } from "./families.ts";
import type { Parts } from "./parts.ts";

export function formed(parts: Parts, model: ServedModel, family: Family): Segment[] {
  const { fim } = model;
  const texts = (list: readonly string[]): Segment[] => list.map((text) => ({ text }));
  const context = texts(parts.chunks.map(({ text }) => text));
  const { head, tail, suffix } = parts;
  const segments: Segment[] =
    family.order === "suffix_first"
      ? [{ special: fim.suffix }, { text: suffix }, { special: fim.prefix }, ...context, ...texts(head), { text: tail }]
      : // What is being typed is the beginning of the middle: then neither prefix nor suffix changes with a key (decision 0014).
        [
          ...[{ special: fim.prefix }, ...context, ...texts(head)],
          ...[{ special: fim.suffix }, { text: suffix }, { special: fim.middle }, { text: tail }],
        ];
  return segments.filter((segment) => "special" in segment || segment.text !== "");
}
