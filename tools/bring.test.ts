import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { bring } from "./bring.ts";
import type { Tool } from "./tool-table.ts";
import { findTool, programPath, toolsFolder } from "./toolbox.ts";

// A client of the registry that copies a prepared archive and notes that it was called.
let folder = "";
let digest = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "slipstream-bring-"));
  const clients = join(folder, "clients");
  mkdirSync(join(folder, "package", "bin"), { recursive: true });
  mkdirSync(clients);
  writeFileSync(join(folder, "package", "bin", "buf"), '#!/bin/sh\n[ "$1" = --version ] && echo 1.74.0\n');
  chmodSync(join(folder, "package", "bin", "buf"), 0o755);
  execFileSync("tar", ["-czf", join(folder, "prepared.tgz"), "-C", folder, "package/bin/buf"]);
  digest = createHash("sha256")
    .update(readFileSync(join(folder, "prepared.tgz")))
    .digest("hex");
  writeFileSync(join(clients, "npm"), `#!/bin/sh\necho called >> ${folder}/calls\ncp ${folder}/prepared.tgz "$4/a.tgz"\n`);
  chmodSync(join(clients, "npm"), 0o755);
  vi.stubEnv("PATH", `${clients}:${process.env["PATH"]}`);
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

function wanted(sha256 = digest): Tool {
  const source = { kind: "npm", program: "package/bin/buf", archives: { "linux-x64": { package: "a", sha256 } } } as const;
  return { version: "1.74.0", for: "tests", scripts: [], probe: ["--version"], source };
}

const options = (sha256?: string) => ({ folder: join(folder, "tools"), platform: "linux-x64", wanted: wanted(sha256) });
const calls = () => (existsSync(join(folder, "calls")) ? readFileSync(join(folder, "calls"), "utf8").split("\n").length - 1 : 0);

test("a tool is downloaded once, verified, and found afterwards", async () => {
  const path = await bring("buf", options());
  expect(path).toBe(programPath("buf", join(folder, "tools")));
  expect(await bring("buf", options())).toBe(path);
  expect(findTool("buf", join(folder, "tools"))).toEqual({ path });
  expect(calls()).toBe(1);
  expect(readdirSync(join(folder, "tools", "work"))).toEqual([]);
});

test("an archive with another digest is refused by name and not kept", async () => {
  await expect(bring("buf", options("0".repeat(64)))).rejects.toThrow(`a.tgz has sha256 ${digest}, pinned is 000`);
  expect(findTool("buf", join(folder, "tools")).path).toBeUndefined();
  expect(readdirSync(join(folder, "tools", "work", "buf-1.74.0"))).toEqual([]);
});

test("a half archive of an interrupted run is replaced, a whole one is used again", async () => {
  const work = join(folder, "tools", "work", "buf-1.74.0");
  mkdirSync(work, { recursive: true });
  writeFileSync(join(work, "a.tgz"), readFileSync(join(folder, "prepared.tgz")).subarray(0, 40));
  await bring("buf", options());
  expect(calls()).toBe(1);
  rmSync(join(folder, "tools", "buf"), { recursive: true });
  mkdirSync(work, { recursive: true });
  writeFileSync(join(work, "a.tgz"), readFileSync(join(folder, "prepared.tgz")));
  await bring("buf", options());
  expect(calls()).toBe(1);
});

test("a platform without a pinned build is named", async () => {
  await expect(bring("buf", { ...options(), platform: "sunos-x64" })).rejects.toThrow(
    "no build for sunos-x64 is pinned (there is one for linux-x64)",
  );
});

test("a client that fails is said with its last words", async () => {
  writeFileSync(join(folder, "clients", "npm"), "#!/bin/sh\necho no network >&2\nexit 1\n");
  await expect(bring("buf", options())).rejects.toThrow("npm could not download a@1.74.0: no network");
});

test("a program that does not run here is not put in place", async () => {
  await expect(bring("buf", { ...options(), wanted: { ...wanted(), probe: ["--else"] } })).rejects.toThrow(
    "buf does not run on this machine",
  );
  expect(findTool("buf", join(folder, "tools")).path).toBeUndefined();
});

test("a missing tool is answered by the command that brings it", () => {
  expect(findTool("k6", join(folder, "tools"))).toMatchObject({
    path: undefined,
    missing: expect.stringContaining("npm run tools -- k6"),
  });
});

test.each([
  [{ SLIPSTREAM_TOOLS_DIR: "/a", XDG_CACHE_HOME: "/b" }, "/a"],
  [{ XDG_CACHE_HOME: "/b" }, "/b/slipstream/tools"],
])("with %o the tools folder is %s", (env, path) => {
  expect(toolsFolder(env)).toBe(path);
});
