// environment: system packages and a list of wheels in, a Python that can import them all out. The system's packages come
// first because a light, CPU-only torch is among them; what they lack goes into a virtual environment over them.
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root, run } from "./child.ts";
import { command } from "./command.ts";
import { installPackages } from "./system-packages.ts";
import type { Source } from "./tool-table.ts";

export type PythonSource = Source & { readonly kind: "python" };

/** Returns the launcher, written in `unpacked`; the environment itself is at `place`, where the launcher looks for it. */
export async function makeEnvironment(
  source: PythonSource,
  place: string,
  unpacked: string,
  say: (line: string) => void,
): Promise<string> {
  const { python, packages, modules } = source;
  if ((await run([python, "-c", modules.map((name) => `import ${name}`).join("\n")])).code !== 0)
    await installPackages(packages, say);
  rmSync(place, { recursive: true, force: true });
  await command([python, "-m", "venv", "--system-site-packages", "--without-pip", place], `${python} could not make ${place}`);
  const interpreter = join(place, "bin", "python3");
  const pip = ["python3", "-m", "pip", "--python", interpreter, "install", "--quiet", "--disable-pip-version-check"];
  const list = join(root, source.requirements);
  await command([...pip, "--no-deps", "--require-hashes", "-r", list], `pip could not install ${source.requirements}`);
  if (source.finish) {
    say(`running ${source.finish}`);
    await command([interpreter, join(root, source.finish)], `${source.finish} failed`);
  }
  const launcher = join(unpacked, "launcher");
  writeFileSync(launcher, `#!/bin/sh\nexec '${interpreter}' "$@"\n`);
  return launcher;
}
