// stop-strings: what ends a generation in, the strings that its engine is told to end at out.
import type { Generation } from "../generation.ts";

/** What ends the text here ends it in the engine: then it counts its tokens, and says them. */
export function stops({ sampling, stopAtNewline }: Pick<Generation, "sampling" | "stopAtNewline">): readonly string[] {
  return stopAtNewline ? [...sampling.stop, "\n"] : sampling.stop;
}
