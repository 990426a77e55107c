import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { FakeClock } from "../../lib/clock.fake.ts";
import { findTarget } from "./target.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "slipstream-kubeconfig-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const config = (users: string, context = "current-context: one\n") => {
  const path = join(folder, "config");
  writeFileSync(
    path,
    `apiVersion: v1
kind: Config
${context}contexts:
- { name: one, context: { cluster: c, user: u, namespace: code } }
- { name: two, context: { cluster: c, user: gone } }
clusters:
- { name: c, cluster: { server: "https://10.0.0.1:6443/", certificate-authority: ca.crt, tls-server-name: kubernetes } }
users:
${users}`,
  );
  writeFileSync(join(folder, "ca.crt"), "AUTHORITY");
  return path;
};
const clock = new FakeClock();

test("a kubeconfig is read: files beside it, data in it, the context's namespace", async () => {
  const key = Buffer.from("KEY").toString("base64");
  const path = config(
    `- { name: u, user: { client-certificate-data: ${Buffer.from("CERT").toString("base64")}, client-key-data: ${key} } }\n`,
  );
  const target = findTarget({ path, context: "", env: {} }, clock);
  expect([target.server, target.namespace]).toEqual(["https://10.0.0.1:6443", "code"]);
  expect(await target.tls()).toEqual({ ca: "AUTHORITY", cert: "CERT", key: "KEY", serverName: "kubernetes" });
  expect(await target.token()).toBeUndefined();
});

test("a token from a file is read again, so that a renewed one counts", async () => {
  const path = config("- { name: u, user: { tokenFile: token } }\n");
  writeFileSync(join(folder, "token"), "one\n");
  const target = findTarget({ path, context: "", env: {} }, clock);
  expect(await target.token()).toBe("one");
  writeFileSync(join(folder, "token"), "two\n");
  expect(await target.token()).toBe("two");
});

test("a program that gives credentials is run once until they end, and its failure names it", async () => {
  const script = join(folder, "login");
  writeFileSync(
    script,
    `#!/bin/sh\necho "$LOGIN" >> ${folder}/runs\necho '{"status":{"token":"'$(wc -l < ${folder}/runs | tr -d ' ')'","expirationTimestamp":"2023-11-15T00:00:00Z"}}'\n`,
    { mode: 0o755 },
  );
  const own = new FakeClock();
  const exec = (command: string) =>
    findTarget(
      {
        path: config(`- { name: u, user: { exec: { command: "${command}", apiVersion: client.authentication.k8s.io/v1 } } }\n`),
        context: "",
        env: { LOGIN: "me", PATH: process.env["PATH"] },
      },
      own,
    );
  const target = exec(script);
  expect([await target.token(), await target.token()]).toEqual(["1", "1"]);
  await own.advance(2 * 3_600_000);
  expect(await target.token()).toBe("2");
  expect(readFileSync(join(folder, "runs"), "utf8"), "it has the environment that was given").toBe("me\nme\n");
  await expect(exec(join(folder, "none")).token()).rejects.toThrow(/gave no credential/);
});

test.each([
  ["no such file", () => ({ path: join(folder, "none"), context: "" }), /there is no such file/],
  ["no current context", () => ({ path: config("- { name: u, user: {} }\n", ""), context: "" }), /has no current-context/],
  ["an unknown context", () => ({ path: config("- { name: u, user: {} }\n"), context: "three" }), /contexts has no "three"/],
  ["an unknown user", () => ({ path: config("- { name: u, user: {} }\n"), context: "two" }), /users has no "gone"/],
])("%s is said", (_, given, says) => {
  expect(() => findTarget({ ...given(), env: {} }, clock)).toThrow(says);
});
