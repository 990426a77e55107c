// The commands against a router over TLS, as a person types them: certificates, keys and what is said when they are wrong.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { RunningRouter } from "../../router/main.ts";
import { Authority, MountedSecret } from "../support/certificates.ts";
import { slipstream } from "../support/command.ts";
import { folderOf, keyFile } from "../support/keys.ts";
import { files, TestProcess } from "../support/secured.ts";

const folder = folderOf("commands");
const { path: keysFile, keys } = keyFile("acme", "@admin");
const [router, worker] = [new TestProcess("router"), new TestProcess("worker")];
let running: RunningRouter;
let ca: string;
let clear: RunningRouter;

beforeAll(async () => {
  const authority = await Authority.create();
  const mount = new MountedSecret(join(folder, "tls"), files(await authority.issue({ hosts: ["router.example"] }), authority.cert));
  ca = mount.path("ca.crt");
  writeFileSync(join(folder, "stranger.crt"), (await Authority.create("Stranger")).cert);
  writeFileSync(join(folder, "acme.key"), `${keys.acme.text}\n`);
  const { port } = await worker.worker({});
  const env = { SLIPSTREAM_ROUTER_WORKERS: `127.0.0.1:${port}` };
  running = await router.router({
    ...env,
    SLIPSTREAM_ROUTER_TLS_CERT: mount.path("tls.crt"),
    SLIPSTREAM_ROUTER_TLS_KEY: mount.path("tls.key"),
    SLIPSTREAM_ROUTER_KEYS_FILE: keysFile,
    // As far as the settings go other machines reach it; where there is a firewall they do not.
    SLIPSTREAM_ROUTER_ADMIN_ADDRESS: "0.0.0.0:0",
  });
  clear = await router.router(env);
  await Promise.all([running.ready, clear.ready]);
});
afterAll(async () => {
  await router.end();
  await worker.end();
});

const at = (port: number) => ["--address", `127.0.0.1:${port}`];
const complete = (...args: string[]) =>
  slipstream(["complete", "docs/examples/basket.ts:17:19", ...at(running.ports.grpc), ...args]);
const name = ["--server-name", "router.example"];

test("complete speaks TLS to a name, with a key from a file, by options or by the environment", async () => {
  const asked = await complete("--ca", ca, ...name, "--token", `@${join(folder, "acme.key")}`);
  expect([asked.code, asked.err]).toEqual([0, expect.stringContaining("explain:")]);
  const env = { SLIPSTREAM_CA: ca, SLIPSTREAM_SERVER_NAME: "router.example", SLIPSTREAM_TOKEN: keys.acme.text };
  const ran = await slipstream(["complete", "docs/examples/basket.ts:17:19", ...at(running.ports.grpc)], { env });
  expect([ran.code, ran.err]).toEqual([0, expect.not.stringContaining("Warning")]);
});

test("status and explain ask an administrator's key of a port that other machines reach", async () => {
  const admin = [...at(running.ports.admin), "--ca", ca, ...name];
  const told = await slipstream(["status", ...admin, "--token", keys["@admin"].text]);
  expect([told.code, told.err]).toEqual([0, ""]);
  expect(told.out).toMatch(/^keys: as read \d+ s ago\ntls: as read \d+ s ago$/m);
  const listed = await slipstream(["explain", "--last", "2", ...admin, "--token", keys["@admin"].text]);
  expect(listed.code, listed.err).toBe(0);
  for (const token of [[], ["--token", keys.acme.text]]) {
    const refused = await slipstream(["status", ...admin, ...token]);
    expect([refused.code, refused.err]).toEqual([77, expect.stringContaining("wants an administrator's key")]);
  }
});

describe("a mistake is one sentence and an exit code", () => {
  const rows: readonly (readonly [string, () => ReturnType<typeof complete>, number, RegExp])[] = [
    [
      "no TLS to a TLS port",
      () => complete(),
      69,
      /something answers at 127\.0\.0\.1:\d+, but .* may want TLS \(--ca FILE, or --tls\)/,
    ],
    [
      "TLS to a port without",
      () => slipstream(["complete", "docs/examples/basket.ts:17:19", ...at(clear.ports.grpc), "--ca", ca]),
      69,
      /does not speak TLS/,
    ],
    ["another authority", () => complete("--ca", join(folder, "stranger.crt"), ...name), 69, /authority that is not believed here/],
    ["what Node carries", () => complete("--tls"), 69, /not believed here/],
    ["another name", () => complete("--ca", ca), 69, /for another name/],
    ["no key", () => complete("--ca", ca, ...name), 77, /an API key is required/],
    ["a wrong key", () => complete("--ca", ca, ...name, "--token", "sesame"), 77, /unknown API key/],
    [
      "a key to another machine in the clear",
      () =>
        slipstream(["complete", "docs/examples/basket.ts:17:19", "--address", "router.example:7411", "--token", keys.acme.text]),
      64,
      /would travel to router\.example:7411 in the clear/,
    ],
    ["a certificate without its key", () => complete("--cert", ca), 64, /--cert and --key belong together/],
    ["a file that is not there", () => complete("--ca", join(folder, "none.crt")), 64, /none\.crt: cannot be read/],
    ["a file that holds no certificate", () => complete("--ca", join(folder, "acme.key")), 64, /acme\.key: holds no certificate/],
    ["nobody there", () => slipstream(["status", ...at(1), "--tls"]), 69, /no router's admin port at 127\.0\.0\.1:1/],
    ["the status in the clear", () => slipstream(["status", ...at(running.ports.admin)]), 69, /may want TLS/],
  ];
  test.each(rows)("%s", async (_, act, code, says) => {
    const ran = await act();
    expect(ran.err).toMatch(says);
    expect(ran.code).toBe(code);
    expect(ran.err).not.toMatch(/^\s+at |[0-9a-f]{48}/m);
  });
});
