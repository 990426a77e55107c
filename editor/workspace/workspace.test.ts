import { expect, test } from "vitest";
import { FakeClock } from "../../lib/clock.fake.ts";
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
  expect(new Ignored(patterns).out(path)).toBe(out);
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
    },
  });
  await workspace.prepare("/w");
  await workspace.index("/w", new AbortController().signal);
  const text = "const total = tax_of(priceOf(a)) + madeUp() + secretOf(";
  const found = workspace.near("main.ts", text, text.length);
  expect(found.map(({ name, path }) => [name, path])).toEqual([
    ["priceOf", "price.ts"],
    ["tax_of", "lib/tax.py"],
  ]);
  expect(workspace.near("price.ts", "priceOf", 7)).toEqual([]);
  expect(read.filter((path) => /out|\.env/.test(path))).toEqual([]);
  workspace.learn("price.ts", "");
  expect(workspace.near("main.ts", text, text.length).map(({ name }) => name)).toEqual(["tax_of"]);
});
