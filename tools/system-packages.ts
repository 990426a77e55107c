// system-packages: names of the system's own packages in, installed out; and a program of one of them, called where it is.
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "./child.ts";
import { command } from "./command.ts";
import type { Source } from "./tool-table.ts";

export async function installPackages(packages: readonly string[], say: (line: string) => void): Promise<void> {
  const privileged = process.getuid?.() === 0 ? [] : ["sudo", "-n"];
  const install = [...privileged, "apt-get", "install", "--yes", "--no-install-recommends", ...packages];
  say(`installing the system's ${packages.join(", ")} (a minute or two)`);
  // A machine that has never listed its packages knows none.
  if ((await run(install)).code === 0) return;
  await run([...privileged, "apt-get", "update"]);
  await command(install, `apt-get could not install ${packages.join(", ")} (Debian or Ubuntu is needed)`);
}

/** Returns a launcher in `unpacked`: the program stays where its package put it. */
export async function systemProgram(
  { packages, program }: Source & { readonly kind: "system" },
  unpacked: string,
  say: (line: string) => void,
): Promise<string> {
  if (!existsSync(program)) await installPackages(packages, say);
  if (!existsSync(program)) throw new Error(`${packages.join(", ")} brought no ${program}`);
  const launcher = join(unpacked, "launcher");
  writeFileSync(launcher, `#!/bin/sh\nexec '${program}' "$@"\n`);
  return launcher;
}
