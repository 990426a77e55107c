// read: an object as the apiserver gives it in, its checked spec or the sentences that say what is wrong out. The apiserver has
// checked it before; under another CRD, or none, it has not.
import type { z } from "zod";

export type Read<T> =
  | { readonly spec: T; readonly problems: readonly [] }
  | { readonly spec: undefined; readonly problems: readonly string[] };

const problemsMax = 10;

export function readSpec<T extends z.ZodType>(schema: T, spec: unknown): Read<z.output<T>> {
  const parsed = schema.safeParse(spec ?? {});
  if (parsed.success) return { spec: parsed.data, problems: [] };
  const problems = parsed.error.issues.map(({ path, message, code }) =>
    // A rule between fields names them itself.
    code === "custom" ? message : `${["spec", ...path].join(".")}: ${message}`,
  );
  return { spec: undefined, problems: problems.slice(0, problemsMax) };
}
