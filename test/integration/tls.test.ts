// Real handshakes: what TLS between editors, routers and workers lets through and what it refuses, and that renewed files are
// used without a restart and without a failed completion.
import { generateKeyPairSync } from "node:crypto";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ClientTls } from "../../lib/tls/client.ts";
import type { RunningRouter } from "../../router/main.ts";
import { Authority, type Issued, MountedSecret } from "../support/certificates.ts";
import { folderOf, keyFile } from "../support/keys.ts";
import { complete, files, get, TestProcess, tls } from "../support/secured.ts";

const folder = folderOf("tls");
const { path: keysFile, keys } = keyFile("acme", "@admin");
const bearer = { authorization: `Bearer ${keys.acme.text}` };
const day = 86_400_000;

let authority: Authority;
let stranger: Authority;
let router: MountedSecret;
let worker: MountedSecret;
let mine: Issued;
const processes: TestProcess[] = [];
let running: RunningRouter;
let mutual: RunningRouter;

const started = (name: string) => {
  const process = new TestProcess(name);
  processes.push(process);
  return process;
};

beforeAll(async () => {
  [authority, stranger] = await Promise.all([Authority.create(), Authority.create("Stranger")]);
  mine = await authority.issue({ name: "editor" });
  router = new MountedSecret(join(folder, "router"), files(await authority.issue({ name: "router" }), authority.cert));
  worker = new MountedSecret(join(folder, "worker"), files(await authority.issue({ name: "worker" }), authority.cert));
  const { port } = await started("worker").worker({
    SLIPSTREAM_WORKER_TLS_CERT: worker.path("tls.crt"),
    SLIPSTREAM_WORKER_TLS_KEY: worker.path("tls.key"),
    SLIPSTREAM_WORKER_TLS_CLIENT_CA: worker.path("ca.crt"),
  });
  const env = {
    SLIPSTREAM_ROUTER_TLS_CERT: router.path("tls.crt"),
    SLIPSTREAM_ROUTER_TLS_KEY: router.path("tls.key"),
    SLIPSTREAM_ROUTER_WORKERS: `127.0.0.1:${port}`,
    SLIPSTREAM_ROUTER_LINK_CA: router.path("ca.crt"),
    SLIPSTREAM_ROUTER_LINK_CERT: router.path("tls.crt"),
    SLIPSTREAM_ROUTER_LINK_KEY: router.path("tls.key"),
  };
  running = await started("router").router({ ...env, SLIPSTREAM_ROUTER_KEYS_FILE: keysFile });
  mutual = await started("mutual").router({ ...env, SLIPSTREAM_ROUTER_TLS_CLIENT_CA: router.path("ca.crt") });
  await Promise.all([running.ready, mutual.ready]);
});
afterAll(async () => {
  for (const process of processes) await process.end();
});

test("an editor completes over TLS with its key, through a link with mutual TLS", async () => {
  expect(await complete(running.ports.grpc, tls(authority.cert), bearer)).toBe("completed");
  expect(await complete(running.ports.grpc, tls(authority.cert), { "x-api-key": keys.acme.text })).toBe("completed");
});

test("an editor with a certificate needs no key where certificates are asked for", async () => {
  expect(await complete(mutual.ports.grpc, tls(authority.cert, mine))).toBe("completed");
});

test("HTTP speaks the same TLS and takes the same keys", async () => {
  expect(await get(running.ports.http, "/v1/models", authority.cert, { "api-key": keys.acme.text })).toMatch(/^200: .*list/);
  expect(await get(mutual.ports.http, "/v1/models", authority.cert, {}, mine)).toMatch(/^200: /);
});

describe("refused in words", () => {
  const grpcTo =
    (port: () => number, secure: () => ClientTls | undefined | Promise<ClientTls>, metadata: Record<string, string> = bearer) =>
    async () =>
      complete(port(), await secure(), metadata);
  const toRunning = () => running.ports.grpc;
  const toMutual = () => mutual.ports.grpc;
  const expired = () => authority.issue({ fromMs: -10 * day, forMs: 9 * day });
  const rows: readonly (readonly [string, () => Promise<string>, RegExp])[] = [
    ["a client that speaks no TLS", grpcTo(toRunning, () => undefined), /^unavailable: .*in the clear: it may want TLS/],
    ["a client that believes another authority", grpcTo(toRunning, () => tls(stranger.cert)), /^unavailable: .*not believed here/],
    ["a client that believes what Node carries", grpcTo(toRunning, () => tls(undefined)), /^unavailable: .*not believed here/],
    [
      "a client that expects another name",
      grpcTo(toRunning, () => tls(authority.cert, undefined, "router.example")),
      /another name/,
    ],
    ["a client without a certificate", grpcTo(toMutual, () => tls(authority.cert)), /client certificate/],
    [
      "a client with a stranger's certificate",
      grpcTo(toMutual, async () => tls(authority.cert, await stranger.issue())),
      /client certificate/,
    ],
    ["a client whose certificate ended", grpcTo(toMutual, async () => tls(authority.cert, await expired())), /client certificate/],
    [
      "a client whose certificate has not begun",
      grpcTo(toMutual, async () => tls(authority.cert, await authority.issue({ fromMs: day }))),
      /client certificate/,
    ],
    ["a client in the clear where certificates are asked for", grpcTo(toMutual, () => undefined), /in the clear/],
    [
      "a call without a key",
      grpcTo(toRunning, () => tls(authority.cert), {}),
      /^unauthenticated: authorization: an API key is required/,
    ],
    [
      "a call with an unknown key",
      grpcTo(toRunning, () => tls(authority.cert), { authorization: `Bearer slp_${"0".repeat(12)}_${"0".repeat(48)}` }),
      /^unauthenticated: .*unknown API key/,
    ],
    [
      "a call with an administrator's key",
      grpcTo(toRunning, () => tls(authority.cert), { "api-key": keys["@admin"].text }),
      /^permission_denied: .*admin port/,
    ],
    ["a certificate in a key's place", grpcTo(toRunning, () => tls(authority.cert, mine), {}), /^unauthenticated: /],
    ["HTTP by another authority", () => get(running.ports.http, "/", stranger.cert), /^error: unable to verify/],
    ["HTTP without a certificate where one is asked for", () => get(mutual.ports.http, "/", authority.cert), /^error: /],
    ["HTTP without a key", () => get(running.ports.http, "/v1/models", authority.cert), /^401: .*"code":"unauthenticated"/],
    ["the status page without a key", () => get(running.ports.http, "/", authority.cert), /^401: /],
    [
      "HTTP with another scheme",
      () => get(running.ports.http, "/v1/models", authority.cert, { authorization: "Basic eDp5" }),
      /^401: .*is not \\"Bearer KEY\\"/,
    ],
    [
      "HTTP with an administrator's key",
      () => get(running.ports.http, "/v1/models", authority.cert, { "x-api-key": keys["@admin"].text }),
      /^403: /,
    ],
    [
      "HTTP in the clear",
      async () =>
        fetch(`http://127.0.0.1:${running.ports.http}/`).then(String, (error: Error) => `error: ${(error.cause as Error).message}`),
      /^error: (other side closed|.*socket|.*hang up)/,
    ],
  ];
  test.each(rows)("%s", async (_, act, says) => {
    const said = await act();
    expect(said).toMatch(says);
    expect(said).not.toMatch(/[0-9a-f]{48}/);
  });
});

describe("a process does not start", () => {
  let certificate: Issued;
  let other: Issued;
  let encryptedKey: string;
  beforeAll(async () => {
    [certificate, other] = await Promise.all([authority.issue(), authority.issue()]);
    encryptedKey = generateKeyPairSync("ec", {
      namedCurve: "P-256",
      privateKeyEncoding: { type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "x" },
      publicKeyEncoding: { type: "spki", format: "pem" },
    }).privateKey;
  });
  let mounts = 0;
  /** Settings for a router with these files. */
  const withFiles = (given: Record<string, string>, more: Record<string, string> = {}) => {
    const mount = new MountedSecret(join(folder, `bad${++mounts}`), { ...files(certificate, authority.cert), ...given });
    return { SLIPSTREAM_ROUTER_TLS_CERT: mount.path("tls.crt"), SLIPSTREAM_ROUTER_TLS_KEY: mount.path("tls.key"), ...more };
  };
  const away = { SLIPSTREAM_ROUTER_GRPC_ADDRESS: "0.0.0.0:0" };
  const rows: readonly (readonly [string, () => Record<string, string>, RegExp])[] = [
    [
      "with a certificate without its key",
      () => ({ SLIPSTREAM_ROUTER_TLS_CERT: router.path("tls.crt") }),
      /TLS_CERT is set without SLIPSTREAM_ROUTER_TLS_KEY/,
    ],
    ["with a key without its certificate", () => ({ SLIPSTREAM_ROUTER_TLS_KEY: router.path("tls.key") }), /TLS_KEY is set without/],
    ["with authorities alone", () => ({ SLIPSTREAM_ROUTER_TLS_CLIENT_CA: router.path("ca.crt") }), /TLS_CLIENT_CA is set without/],
    [
      "with a link's certificate without its key",
      () => ({ SLIPSTREAM_ROUTER_LINK_CERT: router.path("tls.crt") }),
      /LINK_CERT is set without/,
    ],
    ["with a link's server name alone", () => ({ SLIPSTREAM_ROUTER_LINK_SERVER_NAME: "w" }), /LINK_SERVER_NAME is set without/],
    [
      "with a file that is not there",
      () => withFiles({}, { SLIPSTREAM_ROUTER_TLS_KEY: join(folder, "none.key") }),
      /none\.key: there is no such file/,
    ],
    ["with a folder for a file", () => withFiles({}, { SLIPSTREAM_ROUTER_TLS_KEY: folder }), /is not a file/],
    ["with a key of another certificate", () => withFiles({ "tls.key": other.key }), /is not the key of the certificate/],
    ["with an encrypted key", () => withFiles({ "tls.key": encryptedKey }), /the key is encrypted/],
    ["with something else in the certificate's place", () => withFiles({ "tls.crt": "hello" }), /tls\.crt: holds no certificate/],
    [
      "with a key file that holds a key",
      () => ({
        SLIPSTREAM_ROUTER_KEYS_FILE: join(
          new MountedSecret(join(folder, `bad${++mounts}`), { k: `acme ${keys.acme.text}` }).folder,
          "k",
        ),
      }),
      /line 1: holds a key itself/,
    ],
    [
      "with a key file that is not there",
      () => ({ SLIPSTREAM_ROUTER_KEYS_FILE: join(folder, "none.txt") }),
      /none\.txt: there is no such file/,
    ],
    ["open to others with nothing", () => away, /GRPC_ADDRESS=0\.0\.0\.0:0: .*without TLS and without being asked/],
    ["open to others with TLS alone", () => withFiles({}, away), /reach it without being asked who they are/],
    ["open to others with keys alone", () => ({ ...away, SLIPSTREAM_ROUTER_KEYS_FILE: keysFile }), /reach it without TLS;/],
    ["with HTTP open to others", () => ({ SLIPSTREAM_ROUTER_HTTP_ADDRESS: "[::]:0" }), /HTTP_ADDRESS=\[::\]:0/],
    [
      "with an admin port open to others",
      () => ({ SLIPSTREAM_ROUTER_ADMIN_ADDRESS: "0.0.0.0:0" }),
      /ADMIN_ADDRESS=0\.0\.0\.0:0.*administrator's key/,
    ],
    [
      "with workers elsewhere in the clear",
      () => ({ SLIPSTREAM_ROUTER_WORKERS: "gpu-1.example:7421" }),
      /code would travel in the clear to what is found at gpu-1\.example:7421/,
    ],
    [
      "with workers looked up elsewhere in the clear",
      () => ({ SLIPSTREAM_ROUTER_WORKERS_DNS: "workers.example:7421" }),
      /WORKERS_DNS: code would travel in the clear/,
    ],
    [
      "with workers announced elsewhere in the clear",
      () => ({ SLIPSTREAM_NATS_SERVERS: "nats.example:4222" }),
      /NATS_SERVERS: code would travel in the clear/,
    ],
  ];
  test.each(rows)("%s", async (_, env, says) => {
    const process = new TestProcess("router");
    await expect(process.router(env())).rejects.toMatchObject({ code: "config", message: expect.stringMatching(says) });
    await process.end();
  });

  test("but does, and says so, where it is told to be open", async () => {
    const process = new TestProcess("router");
    await process.router({ ...away, SLIPSTREAM_ROUTER_INSECURE: "true" });
    expect(process.lines.join("\n")).toContain("as --insecure allows");
    await process.end();
  });

  test("as a worker that other machines reach without mutual TLS", async () => {
    const process = new TestProcess("worker");
    const env = { SLIPSTREAM_WORKER_TLS_CERT: worker.path("tls.crt"), SLIPSTREAM_WORKER_TLS_KEY: worker.path("tls.key") };
    await expect(process.worker({ ...env, SLIPSTREAM_WORKER_ADDRESS: "0.0.0.0:0" })).rejects.toMatchObject({
      message: expect.stringMatching(/WORKER_ADDRESS=0\.0\.0\.0:0: .*without being asked.*TLS_CLIENT_CA/),
    });
    await process.end();
  });
});
