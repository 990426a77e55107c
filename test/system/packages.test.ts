// The small packages as their users get them: packed, installed by npm in an empty folder, and used there in front of a real
// `slipstream up`; and the extension for VS Code, unpacked and started with an editor of the test's own.
import { type ChildProcess, spawn } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Rpc } from "../../editor/lsp/rpc.ts";
import { root, run } from "../../tools/child.ts";
import { pack, smallPackages } from "../../tools/pack.ts";
import { packVscode } from "../../tools/pack-vscode.ts";
import { findTool } from "../../tools/toolbox.ts";
import { anyPorts, portsOf, type Running, start } from "../support/command.ts";
import { FakeVscode } from "../support/fake-vscode.ts";

let up: Running;
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "slipstream-packages-"));
  up = await start(process.execPath, ["bin/slipstream.js", "up", "--engine", "simulated", ...anyPorts], /Ctrl-C/);
});
afterAll(async () => {
  await up?.end();
  rmSync(folder, { recursive: true, force: true });
});

const address = () => `127.0.0.1:${portsOf(up.out()).grpc}`;
const counted = async (pattern: RegExp) =>
  (await (await fetch(`http://127.0.0.1:${portsOf(up.out()).admin}/metrics`)).text())
    .split("\n")
    .filter((line) => pattern.test(line))
    .reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
const text = "export function add(a: number, b: number) {\n  return \n}\n";
const said = (what: string, path: string) => console.info(`${what}: ${(statSync(path).size / 1_024).toFixed(1)} KiB`);

/** Packed and installed in an empty folder, which is returned. */
async function installed(name: string): Promise<string> {
  const each = smallPackages.find((one) => one.name === name);
  if (!each) throw new Error(`no ${name} is packed`);
  const empty = join(folder, name.replace(/\W/g, ""));
  mkdirSync(empty);
  const tarball = await pack(each, folder);
  said(name, tarball);
  expect(statSync(tarball).size).toBeLessThan(150 << 10);
  const words = ["npm", "install", "--prefer-offline", "--ignore-scripts", "--no-audit", "--no-fund", tarball];
  const { code, output } = await run(words, { cwd: empty });
  expect(code, output).toBe(0);
  return empty;
}

function needsLittle(empty: string): void {
  const names = readdirSync(join(empty, "node_modules"));
  expect(names).toContain("@grpc");
  expect(names.filter((name) => /^(fastify|zod|pino|node-llama-cpp|prom-client)$/.test(name))).toEqual([]);
}

test("the SDK is installed in an empty folder, and its example runs there", async () => {
  const empty = await installed("@slipstream/sdk");
  needsLittle(empty);
  copyFileSync(join(root, "editor/sdk/examples/complete.mjs"), join(empty, "complete.mjs"));
  const { code, output, stdout } = await run([process.execPath, "complete.mjs", address()], { cwd: empty });
  expect(code, output).toBe(0);
  expect(stdout).toMatch(/\S[\s\S]*\n(generated|cached|joined|typed_ahead) in [\d.]+ ms/);
});

test("the language server is installed in an empty folder, and serves an editor there", async () => {
  const empty = await installed("@slipstream/lsp");
  needsLittle(empty);
  const program = join(empty, "node_modules/.bin/slipstream-lsp");
  const help = await run([program, "--help"], { cwd: empty });
  expect([help.code, help.stdout]).toEqual([0, expect.stringContaining("Usage: slipstream-lsp")]);
  const wrong = await run([program, "--adress", "x"], { cwd: empty });
  expect([wrong.code, wrong.output]).toEqual([64, expect.stringContaining("--adress")]);
  const child = spawn(program, ["--no-start", "--address", address()], { cwd: empty, stdio: ["pipe", "pipe", "inherit"] });
  const rpc = overPipes(child);
  expect(await rpc.request("initialize", { capabilities: {}, rootUri: null })).toMatchObject({
    serverInfo: { name: "slipstream" },
  });
  const uri = pathToFileURL(join(empty, "add.ts")).href;
  rpc.notify("textDocument/didOpen", { textDocument: { uri, languageId: "typescript", version: 1, text } });
  const asked = { textDocument: { uri }, position: { line: 1, character: 9 }, context: { triggerKind: 1 } };
  const { items } = (await rpc.request("textDocument/inlineCompletion", asked)) as { items: { insertText: string }[] };
  expect(items[0]?.insertText).toMatch(/\S/);
  await rpc.request("shutdown", {});
  const ended = new Promise((resolve) => child.once("close", resolve));
  rpc.notify("exit", {});
  expect(await ended).toBe(0);
});

function overPipes(child: ChildProcess): Rpc {
  const rpc = new Rpc((bytes) => void child.stdin?.write(bytes), {
    request: () => null,
    notification: () => {},
    bad: () => {},
  });
  child.stdout?.on("data", (chunk: Buffer) => rpc.push(chunk));
  return rpc;
}

describe.skipIf(findTool("vsce").path === undefined)("the extension for VS Code", () => {
  let editor: FakeVscode;
  let extension: { activate(context: unknown): Promise<void>; deactivate(): Promise<void> };

  beforeAll(async () => {
    const vsix = await packVscode(folder);
    said("extension", vsix);
    expect(statSync(vsix).size).toBeLessThan(3 << 20);
    const unzipped = await run(["python3", "-m", "zipfile", "-e", vsix, join(folder, "vsix")]);
    expect(unzipped.code, unzipped.output).toBe(0);
    // Where the editor's own module would be.
    const stand = join(folder, "vsix/node_modules/vscode");
    mkdirSync(stand, { recursive: true });
    editor = new FakeVscode({ address: address(), start: false, enabled: true, context: true });
    Object.assign(globalThis, { fakeVscode: editor.api });
    writeFileSync(join(stand, "package.json"), '{ "name": "vscode", "type": "module", "exports": "./index.js" }');
    const names = "workspace window languages commands Range InlineCompletionItem version".split(" ");
    writeFileSync(join(stand, "index.js"), names.map((name) => `export const ${name} = globalThis.fakeVscode.${name};\n`).join(""));
    const main = pathToFileURL(join(folder, "vsix/extension/lib/editor/vscode/extension.js")).href;
    extension = (await import(/* @vite-ignore */ main)) as typeof extension;
    await extension.activate(editor.context);
  });
  afterAll(async () => {
    await extension?.deactivate();
  });

  test("completes by the language server inside it, and the router hears of a word and of all", async () => {
    await expect.poll(() => editor.status["tooltip"], { timeout: 20_000 }).toContain("connected to");
    const document = editor.open("file:///w/add.ts", "typescript", text);
    editor.type(document, text.indexOf("\n}"), "a");
    const item = await editor.complete(document);
    expect(item?.insertText).toMatch(/\S/);
    const accepted = await counted(/feedback_total\{event="accepted"/);
    await editor.run("slipstream.acceptNextWord");
    await editor.take();
    expect(document.getText()).toContain(`a${item?.insertText}`);
    await expect.poll(() => counted(/feedback_total\{event="accepted"/), { timeout: 10_000 }).toBe(accepted + 1);
    expect(await counted(/feedback_total\{event="(shown|partial)"/)).toBeGreaterThanOrEqual(1);
  });

  test("switched off it gives nothing, and a wrong setting is only told", async () => {
    const document = editor.open("file:///w/other.ts", "typescript", text);
    document.cursor = text.indexOf("\n}");
    editor.set("enabled", false);
    const completed = async () => (await editor.complete(document))?.insertText ?? "";
    await expect.poll(completed, { timeout: 10_000 }).toBe("");
    editor.set("deadlineMs", -5);
    editor.set("enabled", true);
    await expect.poll(completed, { timeout: 10_000 }).toMatch(/\S/);
  });
});
