// tokenized: segments in, their tokens out, each segment encoded apart as in a prompt, but whole: nothing is taken back or left out.
import { invalid } from "../../lib/errors.ts";
import type { Segment } from "../generation.ts";

interface Vocabulary {
  encodeText(text: string): readonly number[];
  specialToken(text: string): number | undefined;
}

export function tokensOf(segments: readonly Segment[], vocabulary: Vocabulary): number[] {
  return segments.flatMap((segment, index) => {
    if ("text" in segment) return [...vocabulary.encodeText(segment.text)];
    const token = vocabulary.specialToken(segment.special);
    if (token === undefined) throw invalid(`segments[${index}].special`, "is no special token of this model");
    return [token];
  });
}
