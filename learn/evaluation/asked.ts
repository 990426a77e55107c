// asked: a set by its name in, the holes to ask for out, and those whose code is not on this machine, said and not dropped.
import type { Parsers } from "./parser.ts";
import { judge, readSituations } from "./playground.ts";
import type { Asked } from "./running.ts";
import { readSet } from "./sets.ts";
import { holeOf } from "./sources.ts";

export interface AskedSet {
  readonly asked: readonly Asked[];
  readonly missing: readonly { readonly package: string; readonly why: "missing" | "differs" }[];
}

export function spanSet(path: string, folder: string): AskedSet {
  const holes = readSet(path).map((reference) => ({ reference, hole: holeOf(reference, folder) }));
  return {
    asked: holes.flatMap(({ reference, hole }) =>
      typeof hole === "string" ? [] : [{ hole, kind: reference.kind, package: reference.package }],
    ),
    missing: holes.flatMap(({ reference, hole }) => (typeof hole === "string" ? [{ package: reference.package, why: hole }] : [])),
  };
}

export function playgroundSet(parsers: Parsers): AskedSet {
  const asked = readSituations().map((situation) => ({
    hole: situation.hole,
    package: situation.id,
    judge: (text: string) => judge(situation, text, parsers),
  }));
  return { asked, missing: [] };
}

/** Names of the packages that are not here. */
export const absent = ({ missing }: AskedSet): readonly string[] => [
  ...new Set(missing.map(({ package: name, why }) => (why === "differs" ? `${name} (other code than was chosen from)` : name))),
];

/** Every so many, so that a part of a set is spread as the whole is. */
export function spread<T>(items: readonly T[], count: number): readonly T[] {
  if (count >= items.length) return items;
  return Array.from({ length: count }, (_, i) => items[Math.floor((i * items.length) / count)] as T);
}
