import { expect, test } from "vitest";
import { FakeClock } from "../../lib/clock.fake.ts";
import { IgnoreTree } from "./ignore-tree.ts";
import { Ignored } from "./ignored.ts";
import { declarations } from "./symbols.ts";
import { Workspace } from "./workspace.ts";

test.each([
  [["dist/"], "dist/a.js", true],
  [["dist/"], "dist", false],
  [["*.log"], "a/b.log", true],
  [["*.log", "!keep.log"], "keep.log", false],
  [["/a.ts"], "b/a.ts", false],
  [["a/**/z.ts"], "a/b/c/z.ts", true],
  [["docs/*.md"], "docs/a/b.md", false],
  [["[ab].ts"], "b.ts", true],
  [["# no", "", "x?.ts"], "xy.ts", true],
  [["!.env"], ".env", true],
  [[], "config/.env.production", true],
  [[], "keys/server.pem", true],
  [[], "a/node_modules/b/index.js", true],
  [[], "src/environment.ts", false],
])("patterns %j: %s is out: %s", (patterns, path, out) => {
  expect(new IgnoreTree("/w", { readNow: () => "" }).out(path, new Ignored(patterns))).toBe(out);
});

const ignores: Readonly<Record<string, string>> = {
  "/r/.git/HEAD": "ref: refs/heads/main\n",
  "/r/.git/info/exclude": "mine.ts\n",
  "/r/.gitignore": "*.gen.ts\nbuild/\n/w/top.ts\r\n",
  "/r/w/.gitignore": "/local.ts\nlogs/*\n!logs/keep.ts\n",
  "/r/w/a/.gitignore": "!own.gen.ts\nx.ts\n/only.ts\n",
  "/r/w/a/b/.gitignore": "!x.ts\n",
  "/r/w/build/.gitignore": "!all.ts\n",
  "/r/w/a/.slipstreamignore": "private.ts\n",
};

test.each([
  ["a.gen.ts", true, "by the repository's own file, above the open folder"],
  ["top.ts", true, "anchored there"],
  ["mine.ts", true, "by git's list of the clone"],
  ["local.ts", true, "by the open folder's file"],
  ["a/local.ts", false, "anchored to the open folder"],
  ["a/own.gen.ts", false, "taken back by a deeper file"],
  ["own.gen.ts", true, "taken back only below that file"],
  ["a/x.ts", true, "by a deeper file"],
  ["x.ts", false, "outside of the deeper file's folder"],
  ["a/b/x.ts", false, "taken back by the deepest"],
  ["a/only.ts", true, "anchored to the deeper file's folder"],
  ["a/b/only.ts", false, "anchored to the deeper file's folder, not below"],
  ["build/all.ts", true, "in a folder that is out, whatever is said in it"],
  ["logs/old.ts", true, "a file of a folder"],
  ["logs/keep.ts", false, "a file that is taken back"],
  ["a/private.ts", true, "by our own ignore file"],
  ["a/b/c/plain.ts", false, "nothing is said of it"],
])("of ignore files at several depths, %s is out: %s (%s)", (path, out) => {
  const tree = new IgnoreTree("/r/w", { readNow: (file) => ignores[file] ?? "" });
  expect(tree.out(path, new Ignored())).toBe(out);
});

test("an ignore file is read once, and again when it was changed", () => {
  const reads: string[] = [];
  let text = "a.ts\n";
  const tree = new IgnoreTree("/w", {
    readNow: (path) => {
      reads.push(path);
      return path === "/w/.gitignore" ? text : "";
    },
  });
  for (let i = 0; i < 3; i++) expect(tree.out("a.ts", new Ignored())).toBe(true);
  expect(reads.filter((path) => path === "/w/.gitignore")).toHaveLength(1);
  text = "";
  tree.forget("");
  expect(tree.out("a.ts", new Ignored())).toBe(false);
});

test("declarations of several languages are found, what is deep inside is not", () => {
  const names = (text: string) => declarations(text).map(({ name }) => name);
  expect(names("export async function load() {\n  const inner = 1;\n      const deep = 2;\n}\nexport type Row = {};")).toEqual([
    "load",
    "inner",
    "Row",
  ]);
  expect(names("def area(r):\n    pass\nclass Shape:\n")).toEqual(["area", "Shape"]);
  expect(names("func (s *Server) Serve() {}\npub fn parse() {}")).toEqual(["Serve", "parse"]);
});

const tree: Readonly<Record<string, string>> = {
  "/w/.gitignore": "out/\n",
  "/w/price.ts": "export function priceOf(item: Item): number {\n  return item.price;\n}\n",
  "/w/out/made.ts": "export function madeUp() {}\n",
  "/w/.env": "export function secretOf() {}\n",
  "/w/lib/tax.py": "def tax_of(price):\n    return price * 0.2\n",
};

test("what is named near the cursor is found in other files; ignored files and secrets are never read", async () => {
  const clock = new FakeClock();
  const read: string[] = [];
  const entry = (name: string, folder: boolean) => ({ name, isDirectory: () => folder, isFile: () => !folder });
  const workspace = new Workspace([], {
    clock,
    files: {
      list: async (folder) => {
        const base = folder.endsWith("/") ? folder : `${folder}/`;
        const names = Object.keys(tree)
          .filter((path) => path.startsWith(base))
          .map((path) => path.slice(base.length));
        return [...new Set(names.map((name) => name.split("/")[0] as string))].map((name) => entry(name, !(base + name in tree)));
      },
      read: async (path) => {
        read.push(path);
        return tree[path] ?? "";
      },
      readNow: (path) => (path.endsWith("ignore") ? (tree[path] ?? "") : ""),
    },
  });
  await workspace.index("/w", new AbortController().signal);
  const text = "const total = tax_of(priceOf(a)) + madeUp() + secretOf(";
  const found = workspace.near("/w", "main.ts", text, text.length);
  expect(found.map(({ name, path }) => [name, path])).toEqual([
    ["priceOf", "price.ts"],
    ["tax_of", "lib/tax.py"],
  ]);
  expect(workspace.near("/w", "price.ts", "priceOf", 7)).toEqual([]);
  expect(read.filter((path) => /out|\.env/.test(path))).toEqual([]);
  workspace.learn("/w", "price.ts", "");
  expect(workspace.near("/w", "main.ts", text, text.length).map(({ name }) => name)).toEqual(["tax_of"]);
  // The same path in another folder is another file.
  workspace.learn("/v", "main.ts", "export function priceOf() {}");
  expect(workspace.near("/w", "main.ts", text, text.length).map(({ root }) => root)).toEqual(["/v", "/w"]);
  expect(workspace.read).toBe(2);
  workspace.forget("/w");
  expect(workspace.near("/v", "other.ts", text, text.length).map(({ root }) => root)).toEqual(["/v"]);
  expect(workspace.read).toBe(0);
});

test("a file that comes when its folder is gone is not learned", async () => {
  const reading = new AbortController();
  const workspace = new Workspace([], {
    clock: new FakeClock(),
    files: {
      list: async () => [{ name: "a.ts", isDirectory: () => false, isFile: () => true }],
      read: async () => {
        reading.abort();
        return "export function late() {}";
      },
      readNow: () => "",
    },
  });
  await workspace.index("/w", reading.signal);
  expect([workspace.near("/w", "b.ts", "late", 4), workspace.read]).toEqual([[], 0]);
});
