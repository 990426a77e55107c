// invalid-objects: the table of custom resources with one thing wrong each, and what a person reads then: by our own rules, and from a
// real apiserver. By kind, a file each.
import { invalidCaches } from "./invalid-caches.ts";
import { invalidPools } from "./invalid-pools.ts";
import type { Invalid } from "./invalid-row.ts";
import { invalidServices } from "./invalid-services.ts";
import { invalidSpeculation } from "./invalid-speculation.ts";
import { invalidTensorrt } from "./invalid-tensorrt.ts";

export const invalidObjects: readonly Invalid[] = [
  ...invalidPools,
  ...invalidSpeculation,
  ...invalidTensorrt,
  ...invalidServices,
  ...invalidCaches,
];
