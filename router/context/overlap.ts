// overlap: does a chunk say anything that does not stand there already? Lines are compared without their indentation; blank
// ones and lone brackets stand everywhere and count for nothing. Pure.

/** More of its lines known than this, and a chunk is left out. */
const shareMax = 0.6;
const lineUtf16Min = 4;

export function linesOf(text: string): string[] {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line.length >= lineUtf16Min);
}

/** True where the chunk is worth its place; its lines are then known. */
export function addsTo(known: Set<string>, chunk: string): boolean {
  const lines = linesOf(chunk);
  // A chunk of short lines alone is told by its whole.
  const told = lines.length > 0 ? lines : [chunk.trim()];
  if (told[0] === "") return false;
  if (told.filter((line) => known.has(line)).length > told.length * shareMax) return false;
  for (const line of told) known.add(line);
  return true;
}
