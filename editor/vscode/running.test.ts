import type { ChildProcess } from "node:child_process";
import { EventEmitter } from "node:events";
import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { FakeClock } from "../../lib/clock.fake.ts";
import { FakeVscode } from "../../test/support/fake-vscode.ts";
import { Rpc } from "../lsp/rpc.ts";
import { Running } from "./running.ts";

type Loose = Record<string, unknown>;

/** A language server of the test's own, as a child process looks from outside. */
class Child extends EventEmitter {
  readonly stdin = new PassThrough();
  readonly stdout = new PassThrough();
  readonly heard: { method: string; params: Loose }[] = [];
  readonly rpc: Rpc;
  readonly pid = 1;
  exitCode: number | null = null;
  signalCode: string | null = null;

  constructor(answer: (method: string, params: Loose, signal: AbortSignal) => unknown) {
    super();
    this.rpc = new Rpc((bytes) => void this.stdout.write(bytes), {
      request: (method, params, signal) => {
        this.heard.push({ method, params: params as Loose });
        return answer(method, params as Loose, signal);
      },
      notification: (method, params) => {
        this.heard.push({ method, params: params as Loose });
        if (method === "exit") this.end(0);
      },
      bad: () => {},
    });
    this.stdin.on("data", (chunk: Buffer) => this.rpc.push(chunk));
  }

  end(code: number): void {
    this.exitCode = code;
    this.emit("exit", code, null);
  }

  kill(): boolean {
    this.end(1);
    return true;
  }

  all(method: string): Loose[] {
    return this.heard.filter((each) => each.method === method).map(({ params }) => params);
  }
}

const item = {
  insertText: "a + b;\n// more",
  range: { start: { line: 1, character: 9 }, end: { line: 1, character: 9 } },
  command: { title: "t", command: "slipstream.didAcceptCompletionItem", arguments: ["c1", 14, 0] },
};
const text = "function add(a, b) {\n  return \n}\n";
const uri = "file:///w/add.js";

async function started(settings: Loose = {}, answers: (method: string, signal: AbortSignal) => unknown = () => undefined) {
  const editor = new FakeVscode(settings);
  const clock = new FakeClock();
  const children: Child[] = [];
  const commands: (readonly string[])[] = [];
  const running = new Running({
    api: editor.api,
    clock,
    secrets: editor.context.secrets,
    subscriptions: editor.context.subscriptions,
    version: "1",
    spawn: (command) => {
      commands.push(command);
      const child = new Child((method, _, signal) =>
        method === "textDocument/inlineCompletion"
          ? (answers(method, signal) ?? { items: [item] })
          : (answers(method, signal) ?? null),
      );
      children.push(child);
      return child as unknown as ChildProcess;
    },
  });
  await running.start();
  return { editor, clock, running, children, commands, child: children[0] as Child };
}

test("what is open is told, edits are told as they come, and what nobody writes is not", async () => {
  const { editor, child, running } = await started({ address: "r:1" });
  expect(child.all("initialize")[0]).toMatchObject({
    clientInfo: { name: "vscode" },
    initializationOptions: { address: "r:1", enabled: true },
  });
  const document = editor.open(uri, "javascript", text);
  editor.open("output:log", "Log", "x");
  editor.type(document, 30, "a");
  editor.change(document, [
    { start: 0, end: 8, text: "fn" },
    { start: 9, end: 12, text: "sum" },
  ]);
  editor.close(document);
  expect(child.all("textDocument/didOpen")).toMatchObject([{ textDocument: { uri, languageId: "javascript", text } }]);
  const changes = child.all("textDocument/didChange").map(({ contentChanges }) => contentChanges as { text: string }[]);
  // From the end on: none moves another.
  expect(changes.map((each) => each.map((change) => change.text))).toEqual([["a"], ["sum", "fn"]]);
  expect(child.all("textDocument/didClose")).toEqual([{ textDocument: { uri } }]);
  await running.stop();
  expect(child.exitCode).toBe(0);
});

test("ghost text comes from the server, is told as shown, taken by a word, by a line, and whole", async () => {
  const { editor, child } = await started();
  const document = editor.open(uri, "javascript", text);
  document.cursor = 30;
  expect((await editor.complete(document))?.insertText).toBe(item.insertText);
  expect(child.all("textDocument/inlineCompletion")[0]).toMatchObject({
    position: { line: 1, character: 9 },
    context: { triggerKind: 1 },
    formattingOptions: { tabSize: 2, insertSpaces: true },
  });
  expect(child.all("textDocument/didShowCompletion")).toMatchObject([{ item: { insertText: item.insertText } }]);
  await editor.run("slipstream.acceptNextWord");
  await editor.run("slipstream.acceptNextLine");
  expect(child.all("textDocument/didPartiallyAcceptCompletion").map(({ acceptedLength }) => acceptedLength)).toEqual([1, 6]);
  await editor.take();
  expect(child.all("workspace/executeCommand")).toEqual([
    { command: "slipstream.didAcceptCompletionItem", arguments: ["c1", 14, 0] },
  ]);
  expect(document.getText()).toContain("return a + b;\n// more");
});

test("an automatic request says so, and one that is cancelled is cancelled at the server and gives nothing", async () => {
  let aborted = 0;
  const { editor, child } = await started({}, (method, signal) =>
    method === "textDocument/inlineCompletion"
      ? new Promise((resolve) =>
          signal.addEventListener("abort", () => {
            aborted += 1;
            resolve({ items: [item] });
          }),
        )
      : undefined,
  );
  const document = editor.open(uri, "javascript", text);
  const asked = editor.complete(document, 1);
  await expect.poll(() => child.all("textDocument/inlineCompletion").length).toBe(1);
  editor.cancel();
  expect(await asked).toBe(undefined);
  expect([aborted, child.all("textDocument/inlineCompletion")[0]]).toMatchObject([1, { context: { triggerKind: 2 } }]);
  expect(child.all("textDocument/didShowCompletion")).toEqual([]);
});

test("settings, folders, the key and the switch are handed on", async () => {
  const { editor, child } = await started({ enabled: true, token: "plain" });
  editor.set("model", "fast");
  editor.addFolder("file:///v");
  editor.typedIntoBox = "sk-secret";
  await editor.run("slipstream.setKey");
  await editor.run("slipstream.toggle");
  const settings = () => child.all("workspace/didChangeConfiguration").map(({ settings }) => (settings as Loose)["slipstream"]);
  await expect.poll(settings).toMatchObject([{ model: "fast", token: "plain" }, { token: "sk-secret" }, { enabled: false }]);
  expect(child.all("workspace/didChangeWorkspaceFolders")).toMatchObject([{ event: { added: [{ uri: "file:///v" }] } }]);
  expect(editor.status["text"]).toContain("circle-slash");
});

test("a server that dies is started again and told all that is open; one that dies five times is not", async () => {
  const { editor, clock, children, child } = await started({ command: ["my-lsp", "--x"] });
  editor.open(uri, "javascript", text);
  child.end(1);
  await clock.advance(1_100);
  expect(children).toHaveLength(2);
  await expect.poll(() => children[1]?.all("textDocument/didOpen").length).toBe(1);
  for (let i = 0; i < 5; i++) {
    children.at(-1)?.end(1);
    await clock.advance(6_000);
  }
  expect(children).toHaveLength(5);
  expect(editor.errors.join()).toContain("ended 5 times");
  expect(editor.status["text"]).toContain("warning");
});

test("what the server says of its connection stands in the status bar", async () => {
  const { editor, child, commands } = await started({ command: ["my-lsp"] });
  child.rpc.notify("didChangeStatus", { kind: "Warning", message: "nobody listens", busy: false });
  await expect.poll(() => editor.status["tooltip"]).toBe("nobody listens");
  expect(editor.status["text"]).toContain("warning");
  expect(commands).toEqual([["my-lsp"]]);
});

test("two restarts at once leave one server", async () => {
  const { editor, running, children } = await started();
  await Promise.all([editor.run("slipstream.restart"), editor.run("slipstream.restart")]);
  expect(children.filter(({ exitCode }) => exitCode === null)).toHaveLength(1);
  await running.stop();
  expect(children.filter(({ exitCode }) => exitCode === null)).toEqual([]);
});
