// apply: is there anything to apply? The desired object carries a digest of itself as an annotation: where the live one has the same
// digest, and still everything that is desired, nothing is sent. What was desired once and is not any more changes the digest.
import { createHash } from "node:crypto";
import type { Json, KubeObject } from "../objects.ts";

const appliedAnnotation = "slipstream.dev/applied";

/** The object as it is sent. */
export function marked(object: KubeObject): KubeObject {
  const annotations = { ...object.metadata.annotations, [appliedAnnotation]: digestOf(object) };
  return { ...object, metadata: { ...object.metadata, annotations } };
}

function digestOf(value: unknown): string {
  return createHash("sha256")
    .update(JSON.stringify(sorted(value)))
    .digest("hex")
    .slice(0, 16);
}

function sorted(value: Json): Json {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((key) => [key, sorted(value[key])]),
  );
}

/** Would applying `wanted` over `live` change nothing? */
export function isApplied(wanted: KubeObject, live: KubeObject): boolean {
  return live.metadata.annotations?.[appliedAnnotation] === digestOf(wanted) && holds(wanted, live);
}

/** Everything of `wanted` stands in `live`, which may have more: what others own, and defaults. */
export function holds(wanted: Json, live: Json): boolean {
  if (Array.isArray(wanted))
    return Array.isArray(live) && live.length >= wanted.length && wanted.every((item, at) => found(item, live, at));
  if (typeof wanted === "object" && wanted !== null)
    return Object.entries(wanted).every(
      ([key, value]) =>
        // Empty and absent are one in Kubernetes.
        value === undefined || holds(value, live?.[key]) || (live?.[key] === undefined && isEmpty(value)),
    );
  return wanted === live || isSameQuantity(wanted, live);
}

/** Lists of named things are sets: others may stand between ours. */
function found(item: Json, live: readonly Json[], at: number): boolean {
  const named = typeof item === "object" && item !== null && (item.name ?? item.type ?? item.uid) !== undefined;
  return named ? live.some((other) => holds(item, other)) : holds(item, live[at]);
}

const isEmpty = (value: Json): boolean =>
  value === false ||
  value === 0 ||
  value === "" ||
  (typeof value === "object" && value !== null && Object.keys(value).length === 0);

/** The apiserver writes "1000m" as "1", and 1 of a limit as "1". */
function isSameQuantity(wanted: Json, live: Json): boolean {
  const [a, b] = [quantity(wanted), quantity(live)];
  return a !== undefined && a === b;
}

const units: Readonly<Record<string, number>> = {
  ...{ "": 1, m: 1e-3, k: 1e3, M: 1e6, G: 1e9, T: 1e12, Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40 },
};

function quantity(value: Json): number | undefined {
  const match = /^([0-9]+(?:\.[0-9]+)?)(m|k|M|G|T|Ki|Mi|Gi|Ti)?$/.exec(String(value));
  return match ? Number(match[1]) * (units[match[2] ?? ""] ?? 1) : undefined;
}
