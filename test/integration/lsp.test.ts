// The language server as an editor has it: `slipstream lsp` in a process of its own, over its pipes, in front of a real
// `slipstream up`.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Rpc } from "../../editor/lsp/rpc.ts";
import { packageRoot } from "../../lib/package-root.ts";
import { anyPorts, portsOf, type Running, start } from "../support/command.ts";

interface Item {
  readonly insertText: string;
  readonly range: object;
  readonly command: { readonly command: string; readonly arguments: readonly unknown[] };
}

let up: Running;
let folder: string;
let child: ChildProcess;
let rpc: Rpc;
let uri: string;
const told: { method: string; params: Record<string, unknown> }[] = [];
const text = "export function add(a: number, b: number) {\n  return \n}\n";

beforeAll(async () => {
  up = await start(process.execPath, ["bin/slipstream.js", "up", "--engine", "simulated", ...anyPorts], /Ctrl-C/);
  folder = mkdtempSync(join(tmpdir(), "slipstream-lsp-"));
  writeFileSync(join(folder, "add.ts"), text);
  uri = pathToFileURL(join(folder, "add.ts")).href;
  const args = ["bin/slipstream.js", "lsp", "--no-start", "--address", `127.0.0.1:${portsOf(up.out()).grpc}`];
  child = spawn(process.execPath, args, { cwd: packageRoot(), stdio: ["pipe", "pipe", "inherit"] });
  rpc = new Rpc((bytes) => void child.stdin?.write(bytes), {
    request: () => null,
    notification: (method, params) => void told.push({ method, params }),
    bad: () => {},
  });
  child.stdout?.on("data", (chunk: Buffer) => rpc.push(chunk));
});
afterAll(async () => {
  child?.kill("SIGKILL");
  await up?.end();
  rmSync(folder, { recursive: true, force: true });
});

const ask = (position: object, more: object = {}, signal?: AbortSignal) =>
  rpc.request(
    "textDocument/inlineCompletion",
    { textDocument: { uri }, position, context: { triggerKind: 1 }, ...more },
    signal,
  ) as Promise<{ items: Item[] }>;
const status = async () => (await (await fetch(`http://127.0.0.1:${portsOf(up.out()).admin}/metrics`)).text()).split("\n");
const counted = async (pattern: RegExp) =>
  (await status()).filter((line) => pattern.test(line)).reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);

test("before initialize nothing else is answered", async () => {
  await expect(ask({ line: 0, character: 0 })).rejects.toMatchObject({ code: -32_002 });
});

test("it says what it does, and that it is connected", async () => {
  const workspaceFolders = [{ uri: pathToFileURL(folder).href, name: "w" }];
  const answer = await rpc.request("initialize", { processId: null, rootUri: null, capabilities: {}, workspaceFolders });
  expect(answer).toMatchObject({ capabilities: { inlineCompletionProvider: true, textDocumentSync: { change: 2 } } });
  rpc.notify("initialized", {});
  await expect.poll(() => told.map(({ params }) => params["message"]).join(), { timeout: 20_000 }).toContain("connected to");
});

test("typed code is completed, shown, taken by a word and then whole, and the router hears of each", async () => {
  rpc.notify("textDocument/didOpen", { textDocument: { uri, languageId: "typescript", version: 1, text } });
  const range = { start: { line: 1, character: 9 }, end: { line: 1, character: 9 } };
  rpc.notify("textDocument/didChange", { textDocument: { uri, version: 2 }, contentChanges: [{ range, text: "a" }] });
  const { items } = await ask({ line: 1, character: 10 });
  const [item] = items;
  expect(item?.insertText).not.toBe("");
  expect(item?.range).toMatchObject({ start: { line: 1 } });
  rpc.notify("textDocument/didShowCompletion", { item });
  rpc.notify("textDocument/didPartiallyAcceptCompletion", { item, acceptedLength: 1 });
  expect(await rpc.request("workspace/executeCommand", item?.command as object)).toBe(null);
  await expect.poll(() => counted(/feedback_total\{.*(shown|partial|accepted)/), { timeout: 10_000 }).toBeGreaterThanOrEqual(3);
});

test("a cancelled request ends as cancelled, here and at the router", async () => {
  const before = await counted(/outcome="cancelled"/);
  const gone = new AbortController();
  const range = { start: { line: 0, character: 0 }, end: { line: 0, character: 0 } };
  rpc.notify("textDocument/didChange", { textDocument: { uri, version: 3 }, contentChanges: [{ range, text: "// x\n" }] });
  const answer = ask({ line: 2, character: 10 }, {}, gone.signal);
  gone.abort();
  await expect(answer).rejects.toMatchObject({ code: -32_800 });
  await expect.poll(() => counted(/outcome="cancelled"/), { timeout: 10_000 }).toBeGreaterThan(before);
});

test.each([
  ["a line that is not there", { line: 99, character: 0 }, {}, /position.line/],
  ["a position that is none", { line: "a" }, {}, /position.line: not a whole number/],
  ["a document that is not open", { line: 0, character: 0 }, { textDocument: { uri: "file:///gone.ts" } }, /not open/],
  ["no document", { line: 0, character: 0 }, { textDocument: null }, /textDocument: missing/],
])("%s is refused by its name", async (_, position, more, message) => {
  await expect(ask(position, more)).rejects.toMatchObject({ code: -32_602, message: expect.stringMatching(message) });
});

test("an unknown method, a broken frame and a wrong setting are told, and it goes on", async () => {
  await expect(rpc.request("textDocument/hover", {})).rejects.toMatchObject({ code: -32_601 });
  child.stdin?.write("Content-Length: x\r\n\r\n{}");
  rpc.notify("workspace/didChangeConfiguration", { settings: { slipstream: { adress: "x", deadlineMs: -1 } } });
  await expect
    .poll(() => told.map(({ params }) => params["message"]).join(), { timeout: 10_000 })
    .toMatch(/Content-Length[\s\S]*adress: no such[\s\S]*deadlineMs: not a whole/);
  expect((await ask({ line: 2, character: 10 })).items.length).toBeGreaterThanOrEqual(0);
});

test("shutdown and exit end it with 0", async () => {
  expect(await rpc.request("shutdown", {})).toBe(null);
  const ended = new Promise((resolve) => child.once("close", resolve));
  rpc.notify("exit", {});
  expect(await ended).toBe(0);
});
