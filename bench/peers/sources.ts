// sources: what everybody types: long source files of packages that this one depends on, so that they are there wherever it is
// installed, and long enough that windows of them slide.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { SlipstreamError } from "../../lib/errors.ts";
import { packageRoot } from "../../lib/package-root.ts";
import type { Source } from "../../sim/trace/generate.ts";

const folders = ["@grpc/grpc-js/src", "fastify/lib", "zod/src/v4/core", "zod/src/v4/classic"] as const;
const [utf16Min, utf16Max] = [12_000, 60_000];
const sourcesMax = 40;

/** Paths as they are named in a report: within node_modules. */
export function peerSources(): Source[] {
  const root = join(packageRoot(), "node_modules");
  const found: Source[] = [];
  for (const folder of folders.filter((each) => existsSync(join(root, each))))
    for (const name of readdirSync(join(root, folder)).sort()) {
      if (!/\.(ts|js)$/.test(name) || /\.d\.ts$|\.test\./.test(name) || found.length === sourcesMax) continue;
      const text = readFileSync(join(root, folder, name), "utf8");
      if (text.length < utf16Min || text.length > utf16Max) continue;
      found.push({ path: join(folder, name), language: name.endsWith(".js") ? "javascript" : "typescript", text });
    }
  if (found.length === 0) throw new SlipstreamError("not_found", `no source files to type in ${folders.join(", ")}`);
  return found;
}

/** Of these, where they lie. */
export const sourcePaths = (sources: readonly Source[]): string[] =>
  sources.map(({ path }) => join(packageRoot(), "node_modules", path));
