// shapes: a message in, what it is made of out: names of its fields and kinds of their values. Two servers speak alike when the
// shapes of their answers are alike in every field that the one has and the other is read for.

export type Shape = string | readonly Shape[] | { readonly [key: string]: Shape };

export function shapeOf(value: unknown): Shape {
  if (value === null) return "null";
  if (Array.isArray(value)) return value.length === 0 ? "[]" : [shapeOf(value[0])];
  if (typeof value !== "object") return typeof value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, shapeOf(each)]));
}

/** Fields of `ours` that `theirs` has not, or has otherwise. A null stands for anything. */
export function differences(ours: Shape, theirs: Shape | undefined, at = ""): string[] {
  if (theirs === undefined) return [`${at}: they have none`];
  if (ours === "null" || theirs === "null" || ours === "[]" || theirs === "[]") return [];
  if (Array.isArray(ours) && Array.isArray(theirs)) return differences(ours[0] as Shape, theirs[0] as Shape, `${at}[]`);
  if (typeof ours === "object" && typeof theirs === "object" && !Array.isArray(ours) && !Array.isArray(theirs)) {
    const [mine, other] = [ours as Record<string, Shape>, theirs as Record<string, Shape>];
    return Object.keys(mine).flatMap((key) => differences(mine[key] as Shape, other[key], `${at}.${key}`));
  }
  return JSON.stringify(ours) === JSON.stringify(theirs)
    ? []
    : [`${at}: ${JSON.stringify(ours)}, theirs ${JSON.stringify(theirs)}`];
}
