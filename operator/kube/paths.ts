// paths: where an object of a kind is in the API.
import type { Kind } from "../objects.ts";

export function pathOf({ apiVersion, plural, namespaced }: Kind, namespace?: string, name?: string, part?: string): string {
  const base = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const inside = namespaced && namespace !== undefined ? `/namespaces/${encodeURIComponent(namespace)}` : "";
  const own = name === undefined ? "" : `/${encodeURIComponent(name)}`;
  return `${base}${inside}/${plural}${own}${part === undefined ? "" : `/${part}`}`;
}

export function query(words: Readonly<Record<string, string | undefined>>): string {
  const given = Object.entries(words).filter((word): word is [string, string] => word[1] !== undefined);
  return given.length === 0 ? "" : `?${new URLSearchParams(given).toString()}`;
}
