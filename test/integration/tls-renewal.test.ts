// Files that are renewed while a router serves: new handshakes use what they say now, connections that stand live on, no
// completion fails, and what cannot be used changes nothing and is said.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { connect as tlsConnect } from "node:tls";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { afterEach, beforeEach, expect, test } from "vitest";
import { GrpcClient } from "../../lib/grpc/client.ts";
import { createKey } from "../../lib/keys/key.ts";
import { keyLine } from "../../lib/keys/key-ring.ts";
import { systemRandom } from "../../lib/random.ts";
import { ClientMessageSchema, CompletionService } from "../../proto/gen/slipstream/v1/completion_pb.ts";
import type { RunningRouter } from "../../router/main.ts";
import { Authority, type Issued, MountedSecret } from "../support/certificates.ts";
import { folderOf } from "../support/keys.ts";
import { complete, ended, files, TestProcess, tls } from "../support/secured.ts";
import { until } from "../support/until.ts";

const folder = folderOf("renewal");
const keysFile = join(folder, "keys.txt");
const first = createKey(systemRandom());
const metadata = { "x-api-key": first.text };

let authority: Authority;
let secret: MountedSecret;
let links: MountedSecret;
let router: RunningRouter;
let processes: TestProcess[];
let tests = 0;
let workerPort = 0;

beforeEach(async () => {
  authority = await Authority.create();
  writeFileSync(keysFile, keyLine("acme", first));
  tests += 1;
  secret = new MountedSecret(join(folder, `router${tests}`), files(await authority.issue({ name: "first" }), authority.cert));
  links = new MountedSecret(join(folder, `links${tests}`), files(await authority.issue({ name: "links" }), authority.cert));
  processes = [new TestProcess("worker"), new TestProcess("router")];
  const worker = await processes[0]?.worker({
    SLIPSTREAM_WORKER_TLS_CERT: links.path("tls.crt"),
    SLIPSTREAM_WORKER_TLS_KEY: links.path("tls.key"),
    SLIPSTREAM_WORKER_TLS_CLIENT_CA: links.path("ca.crt"),
  });
  workerPort = worker?.port ?? 0;
  router = (await processes[1]?.router({
    SLIPSTREAM_ROUTER_TLS_CERT: secret.path("tls.crt"),
    SLIPSTREAM_ROUTER_TLS_KEY: secret.path("tls.key"),
    SLIPSTREAM_ROUTER_TLS_CLIENT_CA: secret.path("ca.crt"),
    SLIPSTREAM_ROUTER_KEYS_FILE: keysFile,
    SLIPSTREAM_ROUTER_WORKERS: `127.0.0.1:${worker?.port}`,
    SLIPSTREAM_ROUTER_LINK_CA: links.path("ca.crt"),
    SLIPSTREAM_ROUTER_LINK_CERT: links.path("tls.crt"),
    SLIPSTREAM_ROUTER_LINK_KEY: links.path("tls.key"),
  })) as RunningRouter;
  await router.ready;
});
afterEach(async () => {
  for (const process of processes.reverse()) await process.end();
});

/** Name in the certificate that a port shows in a new handshake. */
function shown(port: number, own: Issued): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = tlsConnect({ port, host: "127.0.0.1", ca: authority.cert, ...own, ALPNProtocols: ["h2", "http/1.1"] }, () => {
      resolve(String(socket.getPeerCertificate().subject.CN));
      socket.destroy();
    }).on("error", reject);
  });
}

const problems = async () =>
  (await router.status()).files.flatMap(({ files: what, problem }) => (problem === null ? [] : [`${what}: ${problem}`]));
const gauge = async (name: string, what: string) =>
  (await router.registry.getSingleMetric(`slipstream_router_${name}`)?.get())?.values.find(({ labels }) => labels["files"] === what)
    ?.value;

test("certificates of router and links renewed under traffic: no completion fails, new handshakes see the new ones", async () => {
  const own = await authority.issue({ name: "editor" });
  const secure = tls(authority.cert, own);
  const standing = new GrpcClient({ address: `127.0.0.1:${router.ports.grpc}`, tls: secure });
  const said: string[] = [];
  let over = false;
  const traffic = [
    (async () => {
      while (!over) said.push(await ended(standing, metadata));
    })(),
    (async () => {
      while (!over) said.push(await complete(router.ports.grpc, secure, metadata));
    })(),
  ];
  for (let i = 1; i <= 4; i++) {
    secret.swap(files(await authority.issue({ name: `renewed ${i}` }), authority.cert));
    links.swap(files(await authority.issue({ name: `links ${i}` }), authority.cert));
    for (const port of [router.ports.grpc, router.ports.http])
      await until("the new certificate is shown", async () => (await shown(port, own)) === `renewed ${i}`);
    const before = said.length;
    await until("both kinds of traffic went on", async () => said.length >= before + 4);
  }
  over = true;
  await Promise.all(traffic);
  standing.close();
  expect(said.filter((word) => word !== "completed")).toEqual([]);
});

test("a renewal that cannot serve changes nothing, and is said until it is mended", async () => {
  const own = await authority.issue();
  const serves = () => complete(router.ports.grpc, tls(authority.cert, own), metadata);
  const good = await authority.issue({ name: "good" });
  const bad = [
    files({ ...good, key: (await authority.issue()).key }, authority.cert),
    files({ ...good, cert: "" }, authority.cert),
    files(await authority.issue({ fromMs: -2 * 86_400_000, forMs: 86_400_000 }), authority.cert),
    files(good, "no authority"),
  ];
  for (const each of bad) {
    const before = (await problems()).join();
    secret.swap(each);
    await until("it is said", async () => !["", before].includes((await problems()).join()));
    expect(await gauge("files_stale", "tls")).toBe(1);
    expect(await shown(router.ports.grpc, own)).toBe("first");
    expect(await serves()).toBe("completed");
  }
  expect(processes[1]?.lines.filter((line) => line.includes("cannot be used"))).toHaveLength(bad.length);
  secret.swap(files(good, authority.cert));
  await until("the good one is shown", async () => (await shown(router.ports.grpc, own)) === "good");
  expect(await problems()).toEqual([]);
  expect(await gauge("files_stale", "tls")).toBe(0);
  expect(await gauge("certificate_expiry_seconds", "tls")).toBeGreaterThan(1_700_000_000);
});

test("an authority that is taken away lets nobody new in; who is in stays", async () => {
  const other = await Authority.create("Other");
  const [old, next] = [await authority.issue(), await other.issue()];
  const standing = new GrpcClient({ address: `127.0.0.1:${router.ports.grpc}`, tls: tls(authority.cert, old) });
  expect(await ended(standing, metadata)).toBe("completed");
  expect(await complete(router.ports.grpc, tls(authority.cert, next), metadata)).toMatch(/^unavailable: .*client certificate/);
  secret.swap(files(await authority.issue({ name: "second" }), other.cert));
  await until(
    "the new authority is believed",
    async () => (await complete(router.ports.grpc, tls(authority.cert, next), metadata)) === "completed",
  );
  expect(await complete(router.ports.grpc, tls(authority.cert, old), metadata)).toMatch(/^unavailable: .*client certificate/);
  expect(await ended(standing, metadata)).toBe("completed");
  standing.close();
});

test("a tenant changes its key while the router runs", async () => {
  const secure = tls(authority.cert, await authority.issue());
  const second = createKey(systemRandom());
  const by = ({ text }: { text: string }) => complete(router.ports.grpc, secure, { "api-key": text });
  expect(await by(second)).toMatch(/^unauthenticated/);
  writeFileSync(keysFile, `${keyLine("acme", first)}\n${keyLine("acme", second)}\n`);
  await until("both keys are good", async () => (await by(second)) === "completed");
  expect(await by(first)).toBe("completed");
  writeFileSync(keysFile, `acme ${second.text}\n`);
  await until("a mistake is said", async () =>
    (await problems()).some((problem) => problem.startsWith("keys: ") && problem.includes("line 1")),
  );
  expect([await by(first), await by(second)]).toEqual(["completed", "completed"]);
  const client = new GrpcClient({ address: `127.0.0.1:${router.ports.grpc}`, tls: secure });
  const session = client.duplex(CompletionService.method.session, { metadata });
  const say = (message: MessageInitShape<typeof ClientMessageSchema>["message"]) =>
    session.send(create(ClientMessageSchema, { message } as MessageInitShape<typeof ClientMessageSchema>));
  const heard: unknown[] = [];
  const over = (async () => {
    try {
      for await (const { message } of session.frames) heard.push(message.case);
    } catch (thrown) {
      return thrown;
    }
    return undefined;
  })();
  say({ case: "hello", value: { protocol: "1", client: "test", sessionId: "s1" } });
  say({ case: "documentOpen", value: { documentId: "d1", path: "a.ts", version: 1n, text: "a" } });
  await until("the session is welcomed", () => heard.includes("welcome"));
  writeFileSync(keysFile, keyLine("acme", second));
  await until("the first key is gone", async () => (await by(first)).startsWith("unauthenticated"));
  expect(await by(second)).toBe("completed");
  say({ case: "documentClose", value: { documentId: "d1" } });
  expect(await over).toMatchObject({ code: "unauthenticated", message: expect.stringMatching(/not valid any more/) });
  client.close();
  expect(processes[1]?.lines.join("\n")).not.toMatch(/[0-9a-f]{48}/);
});

test("a worker takes no router that it does not believe, and a router no worker", async () => {
  const stranger = await Authority.create("Stranger");
  const theirs = await stranger.issue();
  const strangers = new MountedSecret(join(folder, `strangers${tests}`), files(theirs, stranger.cert));
  const mixed = new MountedSecret(join(folder, `mixed${tests}`), files(theirs, authority.cert));
  const env = (mount: MountedSecret) => ({
    SLIPSTREAM_ROUTER_LINK_CA: mount.path("ca.crt"),
    SLIPSTREAM_ROUTER_LINK_CERT: mount.path("tls.crt"),
    SLIPSTREAM_ROUTER_LINK_KEY: mount.path("tls.key"),
  });
  const named = { ...env(links), SLIPSTREAM_ROUTER_LINK_SERVER_NAME: "worker.example" };
  const cases = [
    [{}, /it may want TLS/],
    [env(strangers), /authority that is not believed/],
    [env(mixed), /client certificate/],
    [named, /for another name/],
  ] as const;
  for (const [given, says] of cases) {
    const process = new TestProcess("other");
    const other = await process.router({ SLIPSTREAM_ROUTER_WORKERS: `127.0.0.1:${workerPort}`, ...given });
    await until("why the link is down is logged", () =>
      process.lines.some((line) => line.includes("link to worker is down") && says.test(line)),
    );
    expect(other.router.missing()).toEqual(["worker"]);
    await process.end();
  }
});
