// packages: a folder with a manifest and its lockfile in, the packages installed and a Node beside them out. The lockfile holds
// each package's digest; scripts of packages never run.
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./child.ts";
import { command } from "./command.ts";

/** Returns the launcher, written in `unpacked`; the packages themselves are at `place`. */
export async function makePackages(folder: string, place: string, unpacked: string, say: (line: string) => void): Promise<string> {
  rmSync(place, { recursive: true, force: true });
  mkdirSync(place, { recursive: true });
  for (const name of ["package.json", "package-lock.json"]) copyFileSync(join(root, folder, name), join(place, name));
  say(`installing the packages of ${folder}`);
  const install = ["npm", "ci", "--prefix", place, "--ignore-scripts", "--no-audit", "--no-fund", "--silent"];
  await command(install, `npm could not install the packages of ${folder}`);
  const launcher = join(unpacked, "launcher");
  writeFileSync(launcher, `#!/bin/sh\nexec node "$@"\n`);
  return launcher;
}
