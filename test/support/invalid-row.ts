// invalid-row: a custom resource with one thing wrong, and what a person reads then.
import type { Loose } from "./cluster-objects.ts";

export interface Invalid {
  readonly what: string;
  readonly object: Loose;
  /** Said by both; or by ours alone, where the apiserver has its own words. */
  readonly says: string;
  readonly apiserver?: string;
}

export const row = (what: string, object: Loose, says: string, apiserver?: string): Invalid => ({
  what,
  object,
  says,
  ...(apiserver === undefined ? {} : { apiserver }),
});
