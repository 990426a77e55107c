// keys: API keys for tenants and the file by which a router knows them, gone when the test file is over.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { createKey, type Key } from "../../lib/keys/key.ts";
import { keyLine } from "../../lib/keys/key-ring.ts";
import { systemRandom } from "../../lib/random.ts";

/** A folder of the test file's own. */
export function folderOf(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `slipstream-${name}-`));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export function keyFile<const T extends string>(...tenants: readonly T[]): { path: string; keys: Record<T, Key> } {
  const path = join(folderOf("keys"), "keys.txt");
  const keys = tenants.map((tenant) => [tenant, createKey(systemRandom())] as const);
  writeFileSync(path, keys.map(([tenant, key]) => `${keyLine(tenant, key)}\n`).join(""));
  return { path, keys: Object.fromEntries(keys) as Record<T, Key> };
}
