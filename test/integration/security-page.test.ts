// docs/operations/security.md, its commands as written, in order, in a folder with an issuer's files.
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { packageRoot } from "../../lib/package-root.ts";
import { Authority } from "../support/certificates.ts";
import { type Running, shell, start } from "../support/command.ts";
import { defaultPorts } from "../support/default-ports.ts";
import { folderOf } from "../support/keys.ts";
import { files } from "../support/secured.ts";

const folder = folderOf("security");
const page = readFileSync(join(packageRoot(), "docs/operations/security.md"), "utf8");
/** The blocks of a language under a heading. */
const blocks = (heading: string, language: string) => {
  const section = page.split(/^## /m).find((part) => part.startsWith(`${heading}\n`)) ?? "";
  return [...section.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, "g"))].map((block) => (block[1] ?? "").trim());
};
const overQuota: unknown = expect.stringMatching(/quota of 0\.5 triggers/);
const here = (command: string) => `cd ${folder} && ${command}`;
const running: Running[] = [];
const turnMs = 240_000;
let ports: AsyncDisposable;

beforeAll(async () => {
  ports = await defaultPorts();
  mkdirSync(join(folder, "node_modules/.bin"), { recursive: true });
  symlinkSync(join(packageRoot(), "bin/slipstream.js"), join(folder, "node_modules/.bin/slipstream"));
  const authority = await Authority.create();
  for (const [name, text] of Object.entries(files(await authority.issue(), authority.cert)))
    writeFileSync(join(folder, name), text);
  writeFileSync(join(folder, "policy.yaml"), blocks("Tenants: models and quotas", "yaml")[0] ?? "");
}, turnMs);
afterAll(async () => {
  for (const process of running.reverse()) await process.end("SIGTERM");
  await ports?.[Symbol.asyncDispose]();
});

test("keys are made, a worker and a router started with TLS, and a tenant completes", { timeout: 120_000 }, async () => {
  const [keys = ""] = blocks("Keys", "sh");
  expect(await shell(here(keys))).toMatchObject({ code: 0, err: "" });
  const [worker = "", router = "", use = "", ...more] = blocks("A router with TLS and keys", "sh");
  expect(more).toEqual([]);
  running.push(await start("bash", ["-c", here(worker)], /"listening"/));
  running.push(await start("bash", ["-c", here(router)], /worker joined/));
  for (const line of use.split("\n")) {
    const { code, out, err } = await shell(here(line));
    expect({ line, code, err: code === 0 ? "" : err }).toEqual({ line, code: 0, err: "" });
    expect(line.startsWith("printf") || out !== "" || err !== "", line).toBe(true);
  }
  const beta = use.split("\n")[1]?.replace("acme.key", "beta.key") ?? "";
  // All at once: one after the other they may be slow enough for any quota.
  const asked = await Promise.all(Array.from({ length: 6 }, () => shell(here(beta))));
  expect(asked.map(({ code }) => code)).toContain(0);
  for (const { code, err } of asked) if (code !== 0) expect({ code, err }).toMatchObject({ code: 75, err: overQuota });
  expect(asked.map(({ code }) => code)).toContain(75);
  expect(await shell(here(beta.replace("--token @beta.key", "")))).toMatchObject({
    code: 77,
    err: expect.stringMatching(/API key is required/),
  });
  expect(await shell(here(beta.replace("--ca ca.crt", "")))).toMatchObject({
    code: 69,
    err: expect.stringMatching(/may want TLS/),
  });
});
