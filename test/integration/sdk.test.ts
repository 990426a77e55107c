// The SDK as its users have it: the tarball unpacked in an empty folder, with its two dependencies beside it, and its example run
// against a real `slipstream up`.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { root, run } from "../../tools/child.ts";
import { pack, smallPackages } from "../../tools/pack.ts";
import { anyPorts, portsOf, type Running, start } from "../support/command.ts";

let up: Running;
let folder: string;
let installed: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "slipstream-sdk-"));
  const sdk = smallPackages.find(({ name }) => name === "@slipstream/sdk");
  if (!sdk) throw new Error("no SDK is packed");
  const tarball = await pack(sdk, folder);
  installed = join(folder, "node_modules/@slipstream/sdk");
  mkdirSync(installed, { recursive: true });
  const unpacked = await run(["tar", "xzf", tarball, "-C", installed, "--strip-components=1"]);
  expect(unpacked.code, unpacked.output).toBe(0);
  for (const scope of ["@grpc", "@bufbuild"]) symlinkSync(join(root, "node_modules", scope), join(folder, "node_modules", scope));
  up = await start(process.execPath, ["bin/slipstream.js", "up", "--engine", "simulated", ...anyPorts], /Ctrl-C/);
});
afterAll(async () => {
  await up?.end();
  rmSync(folder, { recursive: true, force: true });
});

test("the example completes, streams and accepts, and the process ends by itself", async () => {
  const example = join(folder, "complete.mjs");
  const text = readFileSync(join(root, "editor/sdk/examples/complete.mjs"), "utf8");
  await run(["cp", join(root, "editor/sdk/examples/complete.mjs"), example]);
  const { code, output, stdout } = await run([process.execPath, example, `127.0.0.1:${portsOf(up.out()).grpc}`]);
  expect(code, output).toBe(0);
  expect(stdout).toMatch(/\S[\s\S]*\n(generated|cached|joined|typed_ahead) in [\d.]+ ms by \S+/);
  expect(output).toMatch(/connection: ready[\s\S]*connection: closed/);
  expect(text.split("\n").length).toBeLessThan(40);
});

test("without a router the example says so instead of waiting for ever", async () => {
  const { code, stdout } = await run([process.execPath, join(folder, "complete.mjs"), "127.0.0.1:1"]);
  expect([code, stdout]).toEqual([0, expect.stringContaining("nothing: offline")]);
});

test("it holds what it reaches and nothing of the product's own processes", () => {
  const files = readdirSync(join(installed, "lib"), { recursive: true, encoding: "utf8" });
  expect(files.filter((file) => /^(router|workers|operator|cli)\b/.test(file))).toEqual([]);
  const manifest = JSON.parse(readFileSync(join(installed, "package.json"), "utf8")) as { dependencies: object };
  expect(Object.keys(manifest.dependencies).sort()).toEqual(["@bufbuild/protobuf", "@grpc/grpc-js"]);
});
