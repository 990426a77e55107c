// version: which program measured, as a short digest of everything built that a figure depends on: what was kept by another one is told
// apart from what this one found.
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../../lib/package-root.ts";

const folders = ["lib", "proto", "router", "workers", "sim", "bench/keys", "bench/peers"] as const;

export function programVersion(built = join(packageRoot(), "dist")): string {
  const hash = createHash("sha256");
  for (const folder of folders.filter((each) => existsSync(join(built, each))))
    for (const name of (readdirSync(join(built, folder), { recursive: true }) as string[]).sort())
      if (name.endsWith(".js")) hash.update(`${folder}/${name}\n`).update(readFileSync(join(built, folder, name)));
  return hash.digest("hex").slice(0, 12);
}
