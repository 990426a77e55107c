import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { CompletionSchema, FeedbackEvent, Outcome, TriggerKind } from "../../proto/gen/slipstream/v1/completion_pb.ts";
import { RouterEnd } from "../../test/support/router-end.ts";
import type { State } from "../sdk/sdk.ts";
import { Workspace } from "../workspace/workspace.ts";
import { LanguageServer } from "./lsp.ts";
import { Rpc } from "./rpc.ts";
import type { Settings } from "./settings.ts";

type Loose = Record<string, unknown>;
interface Item {
  readonly insertText: string;
  readonly command: Loose;
}

const nameOf = (event: FeedbackEvent | undefined) => Object.entries(FeedbackEvent).find(([, value]) => value === event)?.[0] ?? "";

const disk: Readonly<Record<string, string>> = { "/w/.gitignore": "made/\n", "/w/sub/.gitignore": "local.ts\n" };
const text = "const a = ;\nconst b = 2;\n";

/** A language server whose router is the test's. */
class Editor {
  readonly end: RouterEnd;
  readonly told: { method: string; params: Loose }[] = [];
  readonly starts: string[] = [];
  readonly connects: Settings[] = [];
  readonly rpc: Rpc;
  readonly server: LanguageServer;

  constructor(options: Partial<Settings> = {}) {
    this.end = new RouterEnd({}, { state: (state) => this.became?.(state) });
    const { clock } = this.end;
    const readNow = (path: string) => disk[path] ?? "";
    const files = { list: async () => [], read: async (path: string) => disk[path] ?? "", readNow };
    this.server = new LanguageServer(
      { version: "1", settings: options },
      {
        clock,
        workspace: new Workspace([], { clock, files }),
        connect: (settings, _, listeners) => {
          this.connects.push(settings);
          this.became = listeners.state;
          return this.end.session;
        },
        startUp: (address) => void this.starts.push(address),
        write: (bytes) => this.rpc.push(bytes),
        exit: () => {},
      },
    );
    this.rpc = new Rpc((bytes) => this.server.push(bytes), {
      request: () => null,
      notification: (method, params) => void this.told.push({ method, params }),
      bad: () => {},
    });
  }

  became: ((state: State) => void) | undefined;

  async initialize(folders: readonly string[] = ["file:///w"], more: Loose = {}): Promise<this> {
    const workspaceFolders = folders.map((uri) => ({ uri, name: "f" }));
    await this.rpc.request("initialize", { rootUri: null, capabilities: {}, workspaceFolders, ...more });
    return this;
  }

  async ready(): Promise<this> {
    await this.end.ready();
    return this;
  }

  open(uri: string, content = text): void {
    this.rpc.notify("textDocument/didOpen", { textDocument: { uri, languageId: "typescript", version: 1, text: content } });
  }

  change(uri: string, line: number, character: number, inserted: string, length = 0): void {
    const range = { start: { line, character }, end: { line, character: character + length } };
    this.rpc.notify("textDocument/didChange", { textDocument: { uri, version: 2 }, contentChanges: [{ range, text: inserted }] });
  }

  async ask(uri: string, more: Loose = {}, position: Loose = { line: 0, character: 10 }): Promise<readonly Item[]> {
    const wish = { textDocument: { uri }, position, context: { triggerKind: 1 }, ...more };
    const { items } = (await this.rpc.request("textDocument/inlineCompletion", wish)) as { items: readonly Item[] };
    return items;
  }

  /** A completion, and the item that the editor gets. */
  async completed(uri: string, insertText: string, outcome: Outcome = Outcome.GENERATED): Promise<Item> {
    const asked = this.ask(uri);
    await this.end.clock.advance(5);
    const triggerId = this.end.last.all("trigger").at(-1)?.triggerId ?? "";
    const value = create(CompletionSchema, { triggerId, completionId: `c-${triggerId}`, items: [{ insertText }], outcome });
    this.end.last.say({ case: "completion", value });
    await this.end.clock.advance(5);
    return (await asked)[0] as Item;
  }

  async reports(): Promise<readonly (readonly [string, number])[]> {
    await this.end.clock.advance(5);
    return this.end.last.all("feedback").map(({ event, acceptedUtf16 }) => [nameOf(event), acceptedUtf16]);
  }
}

const a = "file:///w/a.ts";

test.each([
  ["in a folder", "file:///w/src/a.ts", "src/a.ts"],
  ["in the deeper of two folders", "file:///w/packages/one/src/a.ts", "src/a.ts"],
  ["outside of every folder", "file:///elsewhere/deep/a.ts", "a.ts"],
  ["of a folder whose name only begins so", "file:///work/a.ts", "a.ts"],
  ["with letters that a URI writes otherwise", "file:///w/%C3%A4%20b.ts", "ä b.ts"],
  ["on another machine", "vscode-remote://ssh-remote%2Bhost/home/src/a.ts", "a.ts"],
  ["that is nowhere yet", "untitled:Untitled-1", "Untitled-1"],
  ["with signs of two units", "file:///w/\u{1f600}.ts", "\u{1f600}.ts"],
])("a document %s has its path", async (_, uri, path) => {
  const editor = await (await new Editor().initialize(["file:///w", "file:///w/packages/one", "https://far/x"])).ready();
  editor.open(uri);
  await editor.end.clock.advance(5);
  const [opened] = editor.end.last.all("documentOpen");
  expect([opened?.path, opened?.text]).toEqual([path, text]);
  expect((opened?.documentId ?? "").length).toBeLessThanOrEqual(128);
});

test("files whose long URIs end alike are two documents", async () => {
  const editor = await (await new Editor().initialize()).ready();
  const tail = `${"deep/".repeat(40)}index.ts`;
  for (const folder of ["one", "two"]) editor.open(`file:///w/${folder}/${tail}`, `const ${folder} = 1;\n`);
  await editor.end.clock.advance(5);
  const ids = editor.end.last.all("documentOpen").map(({ documentId }) => documentId);
  expect(new Set(ids).size).toBe(2);
  expect(Math.max(...ids.map(({ length }) => length))).toBeLessThanOrEqual(128);
});

test("of more files than the router holds those left alone longest go, and come back when they are used", async () => {
  const editor = await (await new Editor().initialize()).ready();
  const uris = [0, 1, 2, 3, 4].map((name) => `file:///w/${name}.ts`);
  for (const uri of uris) editor.open(uri);
  editor.change(uris[0] as string, 0, 10, "1");
  await editor.end.clock.advance(5);
  const paths = editor.end.last.all("documentOpen").map(({ path }) => path);
  expect(paths).toEqual(["0.ts", "1.ts", "2.ts", "3.ts", "4.ts", "0.ts"]);
  expect(editor.end.last.all("documentClose").map(({ documentId }) => documentId)).toEqual(uris.slice(0, 2));
  expect((await editor.completed(uris[0] as string, "2")).insertText).toBe("2");
  editor.rpc.notify("textDocument/didClose", { textDocument: { uri: uris[1] } });
  expect(editor.told.filter(({ method }) => method === "window/logMessage")).toEqual([]);
});

test("folders come and go", async () => {
  const editor = await (await new Editor().initialize()).ready();
  const event = { added: [{ uri: "file:///v", name: "v" }], removed: [{ uri: "file:///w", name: "w" }] };
  editor.rpc.notify("workspace/didChangeWorkspaceFolders", { event });
  editor.open("file:///v/src/a.ts");
  editor.open("file:///w/src/b.ts");
  await editor.end.clock.advance(5);
  expect(editor.end.last.all("documentOpen").map(({ path }) => path)).toEqual(["src/a.ts", "b.ts"]);
});

test("folders past a bound are told, and their files go by their names alone", async () => {
  const editor = await (await new Editor().initialize(Array.from({ length: 65 }, (_, i) => `file:///f${i}`))).ready();
  for (const folder of ["f63", "f64"]) editor.open(`file:///${folder}/src/a.ts`);
  await editor.end.clock.advance(5);
  expect(editor.end.last.all("documentOpen").map(({ path }) => path)).toEqual(["src/a.ts", "a.ts"]);
  expect(editor.told.map(({ params }) => params["message"]).join()).toContain("workspace folders: more than 64");
});

test.each([
  ["made/a.ts", "by the folder's ignore file"],
  ["sub/local.ts", "by a deeper one"],
  [".env", "by its name"],
  ["mine/a.ts", "by the editor's setting"],
])("%s is never sent (%s)", async (path) => {
  const editor = await (await new Editor().initialize(["file:///w"], { initializationOptions: { exclude: ["mine/"] } })).ready();
  editor.open(`file:///w/${path}`, "SECRET = 1;\n");
  editor.change(`file:///w/${path}`, 0, 0, "MORE SECRET");
  expect(await editor.ask(`file:///w/${path}`, {}, { line: 0, character: 0 })).toEqual([]);
  editor.open(a);
  await editor.completed(a, "1");
  expect(JSON.stringify(editor.end.last.heard, (_, value) => (typeof value === "bigint" ? String(value) : value))).not.toContain(
    "SECRET",
  );
});

test("what is excluded while it is open is sent no more, neither itself nor what it declares", async () => {
  const editor = await (await new Editor().initialize()).ready();
  editor.open("file:///w/mine/a.ts", "const first = 1;\n");
  editor.open("file:///w/mine/b.ts", "export function secretSum() {\n  return 42;\n}\n");
  editor.rpc.notify("textDocument/didClose", { textDocument: { uri: "file:///w/mine/b.ts" } });
  editor.open(a, "secretSum();\nconst a = ;\n");
  editor.change("file:///w/mine/a.ts", 0, 6, "very");
  editor.rpc.notify("workspace/didChangeConfiguration", { settings: { slipstream: { exclude: ["mine/"] } } });
  await editor.end.clock.advance(5);
  expect(editor.end.last.all("documentOpen").at(-1)).toMatchObject({ path: "mine/a.ts", text: "", excluded: true });
  editor.change("file:///w/mine/a.ts", 0, 0, "MORE");
  void editor.ask(a, {}, { line: 1, character: 10 });
  await editor.end.clock.advance(5);
  expect(editor.end.last.all("trigger")).toHaveLength(1);
  expect(editor.end.last.all("documentEdit")).toHaveLength(1);
  expect(editor.end.last.all("context")).toEqual([]);
});

test("a word, then a line, then all of it is told as it is taken; the whole is followed in its document", async () => {
  const editor = await (await new Editor().initialize()).ready();
  editor.open(a);
  const item = await editor.completed(a, "sum(b)\n  + 1");
  editor.rpc.notify("textDocument/didShowCompletion", { item });
  for (const acceptedLength of [3, 6]) editor.rpc.notify("textDocument/didPartiallyAcceptCompletion", { item, acceptedLength });
  editor.change(a, 0, 10, "sum(b)\n  + 1");
  await editor.rpc.request("workspace/executeCommand", item.command);
  expect(await editor.reports()).toEqual([
    ["SHOWN", 0],
    ["PARTIAL", 3],
    ["PARTIAL", 6],
    ["ACCEPTED", 0],
  ]);
  editor.change(a, 0, 10, "max", 3);
  await editor.end.clock.advance(15_100);
  const kept = editor.end.last.all("feedback").at(-1);
  expect([nameOf(kept?.event), kept?.afterS]).toEqual(["RETAINED", 15]);
  expect(kept?.keptRatio).toBeGreaterThan(0.5);
  expect(kept?.keptRatio).toBeLessThan(1);
});

test("a length as long as the text is all of it, and one that is longer is refused by its name", async () => {
  const editor = await (await new Editor().initialize()).ready();
  editor.open(a);
  const item = await editor.completed(a, "12");
  editor.rpc.notify("textDocument/didPartiallyAcceptCompletion", { item, acceptedLength: 9 });
  editor.rpc.notify("textDocument/didPartiallyAcceptCompletion", { item, acceptedLength: 2 });
  expect(await editor.reports()).toEqual([["ACCEPTED", 0]]);
  expect(editor.told.map(({ params }) => params["message"]).join()).toContain("acceptedLength: the text has 2 units");
});

test("what another text takes the place of was ignored, or goes on; what was sent away is rejected", async () => {
  const editor = await (await new Editor().initialize()).ready();
  editor.open(a);
  const show = (item: Item) => editor.rpc.notify("textDocument/didShowCompletion", { item });
  show(await editor.completed(a, "one"));
  show(await editor.completed(a, "two"));
  show(await editor.completed(a, "wo", Outcome.TYPED_AHEAD));
  const last = await editor.completed(a, "o", Outcome.TYPED_AHEAD);
  show(last);
  await editor.rpc.request("workspace/executeCommand", { ...last.command, command: "slipstream.didRejectCompletionItem" });
  const events = (await editor.reports()).map(([event]) => event).filter((event) => event !== "SHOWN");
  expect(events).toEqual(["IGNORED", "SUPERSEDED", "SUPERSEDED", "REJECTED"]);
});

test("without a router a request ends at once with nothing, the editor is told, and what was typed is there when one comes", async () => {
  const editor = await new Editor().initialize();
  editor.end.down = true;
  editor.end.last.pipe.cut();
  editor.open(a);
  await editor.end.clock.advance(20_000);
  expect(await editor.ask(a, { context: { triggerKind: 2 } })).toEqual([]);
  const statuses = editor.told.filter(({ method }) => method === "didChangeStatus").map(({ params }) => params);
  expect(statuses.at(-1)).toMatchObject({
    kind: "Warning",
    message: expect.stringMatching(/nobody listens; tried again in [\d.]+ s/),
  });
  const attempts = statuses.length;
  editor.change(a, 0, 10, "x");
  // The pauses grow: in a minute of them there are few.
  await editor.end.clock.advance(60_000);
  expect(editor.told.length - attempts).toBeLessThan(8);
  editor.end.down = false;
  editor.server.routerReady();
  await editor.end.clock.advance(5);
  editor.end.last.welcome();
  await editor.end.clock.advance(5);
  expect(editor.end.last.all("documentOpen")[0]?.text).toBe("const a = x;\nconst b = 2;\n");
  expect((await editor.completed(a, "y")).insertText).toBe("y");
  expect(editor.told.at(-1)?.params).toMatchObject({ kind: "Normal" });
});

test.each([
  [{ address: "127.0.0.1:9" }, ["127.0.0.1:9"]],
  [{ address: "127.0.0.1:9", start: false }, []],
  [{ address: "router.example:9" }, []],
  [{ address: "127.example:9" }, []],
])("with %j routers are started: %j", async (settings, starts) => {
  const editor = await new Editor(settings).initialize();
  editor.end.down = true;
  editor.end.last.pipe.cut();
  await editor.end.clock.advance(10);
  expect([...new Set(editor.starts)]).toEqual(starts);
});

test("the item that the editor's menu has selected, the indentation, the model and the deadline go along", async () => {
  const options = { initializationOptions: { model: "fast", deadlineMs: 400 } };
  const editor = await (await new Editor().initialize(["file:///w"], options)).ready();
  editor.open(a);
  const range = { start: { line: 0, character: 6 }, end: { line: 0, character: 10 } };
  const context = { triggerKind: 2, selectedCompletionInfo: { range, text: "abc" } };
  void editor.ask(a, { context, formattingOptions: { tabSize: 8, insertSpaces: false } });
  await editor.end.clock.advance(5);
  expect(editor.end.last.all("trigger")[0]).toMatchObject({
    ...{ kind: TriggerKind.AUTO, model: "fast", deadlineMs: 400, offsetUtf16: 10 },
    ...{ selected: { text: "abc", startUtf16: 6, endUtf16: 10 }, indent: { tabs: true, width: 8 } },
  });
});

test("where the person went is prepared, and what was changed elsewhere goes along", async () => {
  const editor = await (await new Editor().initialize()).ready();
  editor.open(a);
  editor.open("file:///w/b.ts");
  editor.change(a, 1, 10, "40");
  editor.rpc.notify("textDocument/didFocus", { textDocument: { uri: "file:///w/b.ts" } });
  void editor.ask("file:///w/b.ts");
  void editor.ask("file:///w/b.ts");
  await editor.end.clock.advance(5);
  expect(editor.end.last.all("trigger").map(({ kind }) => kind)).toEqual([
    TriggerKind.PRELOAD,
    TriggerKind.INVOKED,
    TriggerKind.INVOKED,
  ]);
  // The same is not sent twice.
  expect(editor.end.last.all("context")).toMatchObject([
    { recentEdits: [{ path: "a.ts", line: 1, before: "const b = 2;\n", after: expect.stringContaining("const b = 402;") }] },
  ]);
});

test("switched off nothing is asked; without context none is sent; another address is another connection", async () => {
  const editor = await (await new Editor().initialize()).ready();
  editor.open(a);
  const set = (slipstream: Loose) => editor.rpc.notify("workspace/didChangeConfiguration", { settings: { slipstream } });
  set({ enabled: false, context: false });
  expect(await editor.ask(a)).toEqual([]);
  await editor.end.clock.advance(5);
  expect(editor.end.last.all("trigger")).toEqual([]);
  set({ token: "k" });
  expect(editor.connects.map(({ token }) => token)).toEqual(["", "k"]);
});

test("a change without a range is the whole text", async () => {
  const editor = await (await new Editor().initialize()).ready();
  editor.open(a);
  editor.rpc.notify("textDocument/didChange", { textDocument: { uri: a, version: 2 }, contentChanges: [{ text: "let z = 1;\n" }] });
  await editor.end.clock.advance(5);
  const [edit] = editor.end.last.all("documentEdit");
  expect(edit?.edits[0]).toMatchObject({ startUtf16: 0, endUtf16: text.length, text: "let z = 1;\n" });
});
