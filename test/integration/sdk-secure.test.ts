// The SDK, and the language server over it, before a real router with TLS and keys: what gets in, what is refused in words, a key that
// is renewed, an edit that was lost on the way, and a router that was away.
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Rpc } from "../../editor/lsp/rpc.ts";
import { type ConnectOptions, connect, type Session, type State } from "../../editor/sdk/sdk.ts";
import { packageRoot } from "../../lib/package-root.ts";
import type { RunningRouter } from "../../router/main.ts";
import { Authority, type Issued, MountedSecret } from "../support/certificates.ts";
import { folderOf, keyFile } from "../support/keys.ts";
import { files, TestProcess } from "../support/secured.ts";

const folder = folderOf("sdk-secure");
const { path: keysFile, keys } = keyFile("acme");
const processes: TestProcess[] = [];
let authority: Authority;
let stranger: Authority;
let mine: Issued;
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
  const router = new MountedSecret(join(folder, "router"), files(await authority.issue({ name: "router" }), authority.cert));
  writeFileSync(join(folder, "ca.pem"), authority.cert);
  const { port } = await started("worker").worker({});
  const env = {
    SLIPSTREAM_ROUTER_TLS_CERT: router.path("tls.crt"),
    SLIPSTREAM_ROUTER_TLS_KEY: router.path("tls.key"),
    SLIPSTREAM_ROUTER_WORKERS: `127.0.0.1:${port}`,
  };
  running = await started("router").router({ ...env, SLIPSTREAM_ROUTER_KEYS_FILE: keysFile });
  mutual = await started("mutual").router({ ...env, SLIPSTREAM_ROUTER_TLS_CLIENT_CA: router.path("ca.crt") });
  await Promise.all([running.ready, mutual.ready]);
});
afterAll(async () => {
  for (const process of processes) await process.end();
});

const file = { id: "add.ts", path: "src/add.ts", language: "typescript", text: "function add(a, b) {\n  return \n}\n" };
const offset = file.text.indexOf("\n}");

/** What became of one trigger, or why there is no connection. */
async function asked(options: Partial<ConnectOptions>, to: RunningRouter): Promise<string> {
  let offline = "";
  const became = (state: State) => {
    if (state.is === "offline") offline = state.why.message;
  };
  let session: Session;
  try {
    const address = `127.0.0.1:${to.ports.grpc}`;
    session = connect({ address, client: { name: "test", version: "1" }, ...options }, { state: became });
  } catch (thrown) {
    return `thrown: ${(thrown as Error).message}`;
  }
  try {
    const answer = await session.ask(session.open(file), { offset, kind: "invoked", deadlineMs: 5_000 }).answer;
    return answer.type === "completion" ? "completed" : `${answer.reason}: ${offline || answer.detail}`;
  } finally {
    session.close();
  }
}

describe("the SDK", () => {
  const secure = (): Partial<ConnectOptions> => ({ tls: { ca: authority.cert }, token: keys.acme.text });
  const toRunning = () => running;
  const toMutual = () => mutual;
  const other = (tls: ConnectOptions["tls"]) => () => ({ ...secure(), tls: tls as true });
  type Row = readonly [name: string, options: () => Partial<ConnectOptions>, to: () => RunningRouter, said: RegExp];
  const rows: readonly Row[] = [
    ["over TLS with a key", secure, toRunning, /^completed$/],
    ["with a key that a function gives", () => ({ ...secure(), token: () => keys.acme.text }), toRunning, /^completed$/],
    ["by a certificate of its own", () => ({ tls: { ca: authority.cert, ...mine } }), toMutual, /^completed$/],
    [
      "that is told the name in the certificate",
      () => other({ ca: authority.cert, serverName: "localhost" })(),
      toRunning,
      /^completed$/,
    ],
    ["in the clear", () => ({ token: keys.acme.text }), toRunning, /^offline: .*in the clear: it may want TLS/],
    ["that believes another authority", () => other({ ca: stranger.cert })(), toRunning, /^offline: .*not believed here/],
    [
      "that expects another name",
      () => other({ ca: authority.cert, serverName: "a.example" })(),
      toRunning,
      /^offline: .*another name/,
    ],
    ["without a key", () => ({ tls: { ca: authority.cert } }), toRunning, /^offline: .*an API key is required/],
    [
      "with a key that nobody gave",
      () => ({ ...secure(), token: `slp_${"0".repeat(12)}_${"0".repeat(48)}` }),
      toRunning,
      /unknown API key/,
    ],
    ["without a certificate where one is asked for", () => ({ tls: { ca: authority.cert } }), toMutual, /client certificate/],
    [
      "whose key would travel in the clear",
      () => ({ address: "router.example:7411", token: "k" }),
      toRunning,
      /^thrown: token: it would travel/,
    ],
    [
      "with half of a certificate",
      () => ({ tls: { ca: authority.cert, cert: mine.cert } }),
      toRunning,
      /^thrown: tls: cert and key/,
    ],
  ];
  test.each(rows)("%s", async (_, options, to, said) => {
    expect(await asked(options(), to())).toMatch(said);
  });
});

test("the language server gets in by the same settings, and says why where it does not", async () => {
  const address = `127.0.0.1:${running.ports.grpc}`;
  const words = ["bin/slipstream.js", "lsp", "--no-start", "--address", address, "--ca", join(folder, "ca.pem")];
  const child = spawn(process.execPath, words, { cwd: packageRoot(), stdio: ["pipe", "pipe", "inherit"] });
  const said: string[] = [];
  const rpc = new Rpc((bytes) => void child.stdin.write(bytes), {
    request: () => null,
    notification: (_, params) => void said.push(String(params["message"])),
    bad: () => {},
  });
  child.stdout.on("data", (chunk: Buffer) => rpc.push(chunk));
  await rpc.request("initialize", { rootUri: null, capabilities: {} });
  await expect.poll(() => said.join(), { timeout: 20_000 }).toContain("an API key is required");
  rpc.notify("workspace/didChangeConfiguration", { settings: { slipstream: { token: keys.acme.text } } });
  await expect.poll(() => said.join(), { timeout: 20_000 }).toContain(`connected to ${address}`);
  const configure = (slipstream: object) => rpc.notify("workspace/didChangeConfiguration", { settings: { slipstream } });
  configure({ ca: join(folder, "none.pem") });
  await expect.poll(() => said.join(), { timeout: 20_000 }).toMatch(/ca: the file .*none\.pem cannot be read: ENOENT/);
  said.length = 0;
  configure({ ca: join(folder, "ca.pem") });
  await expect.poll(() => said.join(), { timeout: 20_000 }).toContain(`connected to ${address}`);
  const uri = "file:///add.ts";
  rpc.notify("textDocument/didOpen", { textDocument: { uri, languageId: "typescript", version: 1, text: file.text } });
  const wish = { textDocument: { uri }, position: { line: 1, character: 9 }, context: { triggerKind: 1 } };
  expect(await rpc.request("textDocument/inlineCompletion", wish)).toMatchObject({ items: [{ insertText: expect.any(String) }] });
  const over = new Promise((resolve) => child.once("close", resolve));
  await rpc.request("shutdown", {});
  rpc.notify("exit", {});
  expect(await over).toBe(0);
});
