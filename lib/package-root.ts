// package-root: the folder of this package's package.json, the same from the sources (under vitest) and from dist.
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { SlipstreamError } from "./errors.ts";

export function packageRoot(from: string = import.meta.url): string {
  let folder = dirname(fileURLToPath(from));
  while (!existsSync(join(folder, "package.json"))) {
    const parent = dirname(folder);
    if (parent === folder) throw new SlipstreamError("internal", `no package.json above ${fileURLToPath(from)}`);
    folder = parent;
  }
  return folder;
}
