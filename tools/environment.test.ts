import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { makeEnvironment, type PythonSource } from "./environment.ts";

// A python, a pip and an apt-get that note what they were asked. The python has its modules once apt-get has run.
let folder = "";
let python = "";

function client(name: string, script: string): string {
  const path = join(folder, "clients", name);
  writeFileSync(path, `#!/bin/sh\necho "${name} $*" >> ${folder}/calls\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "slipstream-environment-"));
  mkdirSync(join(folder, "clients"));
  const environment = `mkdir -p "$5/bin"; printf '#!/bin/sh\\necho "it runs: $1"\\n' > "$5/bin/python3"; chmod +x "$5/bin/python3"`;
  python = client("its-python", `case "$1" in -c) test -e ${folder}/torch;; *) ${environment};; esac`);
  client("python3", "true");
  client("apt-get", `case "$1" in update) touch ${folder}/listed;; *) test -e ${folder}/listed && touch ${folder}/torch;; esac`);
  client("sudo", 'shift; "$@"');
  vi.stubEnv("PATH", `${join(folder, "clients")}:${process.env["PATH"]}`);
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

const source = (): PythonSource => ({
  kind: "python",
  python,
  packages: ["python3-torch"],
  modules: ["torch"],
  requirements: "r.txt",
});
const make = () => makeEnvironment(source(), join(folder, "place"), folder, () => undefined);
const calls = () => readFileSync(join(folder, "calls"), "utf8");

test("the launcher runs the environment's own python", async () => {
  writeFileSync(join(folder, "torch"), "");
  const launcher = await make();
  expect(execFileSync("sh", [launcher, "-m"], { encoding: "utf8" })).toContain("it runs");
  expect(calls()).toMatch(/python3 -m pip --python .*place\/bin\/python3 install .*--require-hashes -r .*r\.txt/);
});

test("the system's packages are left alone when their modules are there", async () => {
  writeFileSync(join(folder, "torch"), "");
  await make();
  expect(calls()).not.toContain("apt-get");
});

test("the system's packages are listed before a second attempt", async () => {
  await make();
  expect(calls().match(/^apt-get \w+/gm)).toEqual(["apt-get install", "apt-get update", "apt-get install"]);
});

test("a machine without the packages is told by name", async () => {
  client("apt-get", "exit 100");
  await expect(make()).rejects.toThrow("apt-get could not install python3-torch");
  expect(existsSync(join(folder, "place"))).toBe(false);
});

test("a last step is run by the environment's own python", async () => {
  writeFileSync(join(folder, "torch"), "");
  const said: string[] = [];
  await makeEnvironment({ ...source(), finish: "tools/finish.py" }, join(folder, "place"), folder, (line) => said.push(line));
  expect(said).toEqual(["running tools/finish.py"]);
});
