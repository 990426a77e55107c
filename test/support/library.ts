// library: a client library from the tools folder, loaded as its users load it: by the entry that its manifest names for `import`.
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";

interface Manifest {
  readonly version: string;
  readonly exports: { readonly ".": { readonly import?: string; readonly default?: string } };
}

/** `launcher`: of the tool that holds it. */
export async function library<T>(launcher: string, name: string): Promise<T> {
  const folder = join(dirname(launcher), "environment", "node_modules", name);
  const { exports } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest;
  const entry = exports["."].import ?? exports["."].default;
  if (entry === undefined) throw new Error(`${name} has no entry`);
  return (await import(pathToFileURL(join(folder, entry)).href)) as T;
}
