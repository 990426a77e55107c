// sources: what is typed in a measurement: source files of this package, long enough to type a while in.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { SlipstreamError } from "../../lib/errors.ts";
import { packageRoot } from "../../lib/package-root.ts";
import type { Source } from "../../sim/trace/generate.ts";
import { replay } from "../../sim/trace/replay.ts";
import type { Trace } from "../../sim/trace/trace.ts";

/** Enough to type a while in; and so much that windows of it move. */
const typedUtf16Min = 4_000;
const longUtf16Min = 7_000;
const sourcesMax = 60;

export const ownSources = (): Source[] => sources(typedUtf16Min);
export const longSources = (): Source[] => sources(longUtf16Min);

function sources(utf16Min: number): Source[] {
  const root = packageRoot();
  const folders = ["router", "workers", "sim", "lib", "cli"].map((folder) => join(root, folder)).filter((path) => existsSync(path));
  const from = folders.length > 0 ? folders : [join(root, "dist")];
  const found: Source[] = [];
  const walk = (folder: string) => {
    for (const entry of readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) walk(path);
      else if (/\.(ts|js)$/.test(entry.name) && found.length < sourcesMax) {
        const text = readFileSync(path, "utf8");
        if (text.length >= utf16Min) found.push({ path, language: "typescript", text });
      }
    }
  };
  for (const folder of from) walk(folder);
  if (found.length === 0) throw new SlipstreamError("not_found", "no source files to type");
  return found;
}

/** What is typed: of traces the documents as they are at their ends, else this package's own files. */
export function typedSources(traces: readonly Trace[] | undefined): Source[] {
  if (!traces) return ownSources();
  return traces.flatMap((trace) => {
    const texts = replay(trace);
    return trace.documents.map(({ id, path, language }) => ({ path, language, text: texts.get(id) ?? "" }));
  });
}
