// stamp: proto/gen/stamp.json says from which sources, by which programs, the committed generated files came. Comparing it
// takes milliseconds and no tool, so that every check can tell a .proto changed without `npm run generate`, and a
// generated file changed by hand.
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./child.ts";
import { contractFiles, filesIn, pluginVersion } from "./contracts.ts";
import { tool } from "./tool-table.ts";

export const stampPath = "proto/gen/stamp.json";

export interface Stamp {
  readonly programs: Readonly<Record<string, string>>;
  /** sha256 by path from the root. */
  readonly sources: Readonly<Record<string, string>>;
  readonly generated: Readonly<Record<string, string>>;
}

export function currentStamp(base = root): Stamp {
  const contracts = ["proto/slipstream", "proto/third_party"].flatMap((folder) => filesIn(base, folder, ".proto"));
  const settings = ["proto", "proto/third_party"].flatMap((folder) => [`${folder}/buf.yaml`, `${folder}/buf.gen.yaml`]);
  const sources = [...contracts, ...settings];
  const texts = sources.map((path) => [path, existsSync(join(base, path)) ? readFileSync(join(base, path), "utf8") : ""]);
  return {
    programs: { buf: tool("buf").version, "protoc-gen-es": pluginVersion() },
    sources: digests(Object.fromEntries(texts)),
    generated: digests(contractFiles(base)),
  };
}

export function readStamp(base = root): Stamp | undefined {
  const path = join(base, stampPath);
  return existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as Stamp) : undefined;
}

/** What differs, a line each. */
export function differences(stamp: Stamp | undefined, now: Stamp): string[] {
  if (!stamp) return [`${stampPath} is missing`];
  const compare = (was: Readonly<Record<string, string>>, is: Readonly<Record<string, string>>, says: (name: string) => string) =>
    [...new Set([...Object.keys(was), ...Object.keys(is)])].filter((name) => was[name] !== is[name]).map(says);
  return [
    ...compare(stamp.programs, now.programs, (name) => `${name} has another version than the one that generated`),
    ...compare(stamp.sources, now.sources, (path) => `${path} has changed since the files were generated`),
    ...compare(stamp.generated, now.generated, (path) => `${path} is not as it was generated`),
  ];
}

function digests(texts: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(texts).map(([path, text]) => [path, createHash("sha256").update(text).digest("hex")]));
}
