// What no file may say. Each row: what is looked for, where, and why it must not be there.
import { expect, test } from "vitest";
import { code } from "./code.ts";
import { isTest, type TextFile, tree } from "./tree.ts";

interface Row {
  readonly name: string;
  readonly pattern: RegExp;
  readonly why: string;
  readonly where: (path: string) => boolean;
  /** Looks only at what runs, not at comments and strings. */
  readonly codeOnly?: boolean;
  /** A text that breaks the rule, and the file it stands in. */
  readonly planted: readonly [path: string, text: string];
}

const everywhere = () => true;
const typescript = (path: string) => /\.(ts|js)$/.test(path);
const product = (path: string) => typescript(path) && !isTest(path);
const outside =
  (...folders: string[]) =>
  (path: string) =>
    product(path) && !folders.some((folder) => path.startsWith(folder));

/** Files that may touch the machine's clock, chance or environment, with the reason. */
const machine: Readonly<Record<string, string>> = {
  "lib/clock.ts": "is the clock",
  "lib/clock.fake.ts": "lets promises run between fake timers",
  "workers/engine/embedded/pace.ts": "a timer's lateness is what it must not have",
  "lib/random.ts": "is the chance",
  "console/clock.ts": "is the clock of the page",
  "loadtest/lib/clock.js": "is both inside k6, which has no others",
};
const injected = (path: string) => outside("bin/", "tools/")(path) && !(path in machine);

/** What Node starts: they hand the environment on. */
const programs = ["main.ts", "editor/lsp/main.ts"];

const rows: readonly Row[] = [
  {
    name: "a path of one machine",
    pattern: /(?<![\w.}-])\/(work|root)\/\w|\/home\/(?!user\b)[a-z]+\/\w|\/Users\/[a-z]/,
    why: "nobody else has that folder",
    where: (path) => !isTest(path),
    planted: ["docs/a.md", `see /${"work"}/main/lib`],
  },
  {
    name: "a package registry's host",
    pattern: /\b(registry\.npmjs|npmjs\.org|pypi\.org|pythonhosted\.org|proxy\.golang|sum\.golang|crates\.io)\b/,
    why: "the registries are what the reader's clients are configured for",
    where: everywhere,
    planted: ["package-lock.json", ["registry", "npmjs", "org"].join(".")],
  },
  {
    name: "a mark for later",
    pattern: /\b(TO[D]O|FI[X]ME|X[X]X)\b/,
    why: "finish it, or open an issue",
    where: (path) => typescript(path) || path.endsWith(".md"),
    planted: ["lib/a.ts", `// ${"TO"}DO later`],
  },
  {
    name: "console output",
    pattern: /^\s*console\.(log|error|warn|info|debug)\(/m,
    why: "processes log by lib/log.ts, commands write to process.stdout",
    where: outside("cli/", "tools/", "bin/", "console/"),
    codeOnly: true,
    planted: ["lib/a.ts", 'console.log("here");'],
  },
  {
    name: "a test that is alone or left out",
    pattern: /\b(test|it|describe|suite)(\.\w+)*\.(only|skip|todo|fails)\b/,
    why: "every test runs; what needs a tool says skipIf",
    where: isTest,
    codeOnly: true,
    planted: ["lib/a.test.ts", `test.${"only"}("a", () => {});`],
  },
  {
    name: "the machine's time",
    pattern: /\b(Date\.now|new Date|setTimeout|setInterval|performance\.now|process\.hrtime)\b/,
    why: "time is injected: take a Clock (lib/clock.ts)",
    where: injected,
    codeOnly: true,
    planted: ["router/a.ts", "const at = Date.now();"],
  },
  {
    name: "timers of Node",
    pattern: /from "(node:)?timers(\/promises)?"/,
    why: "time is injected: take a Clock (lib/clock.ts)",
    where: injected,
    planted: ["router/a.ts", 'import { setTimeout } from "node:timers/promises";'],
  },
  {
    name: "the machine's chance",
    pattern: /\bMath\.random\b|\brandomUUID\b|\brandomBytes\b/,
    why: "chance is injected: take a Random (lib/random.ts)",
    where: injected,
    codeOnly: true,
    planted: ["sim/a.ts", "const x = Math.random();"],
  },
  {
    name: "the machine's settings",
    pattern: /\bprocess\.env\b/,
    why: "the environment is injected: main.ts hands it on",
    where: (path) => injected(path) && !programs.includes(path),
    codeOnly: true,
    planted: ["router/a.ts", 'const home = process.env["HOME"];'],
  },
  {
    name: "an abrupt end of the process",
    pattern: /\bprocess\.exit\(/,
    why: "set process.exitCode and release what is held (lib/lifecycle.ts)",
    where: (path) => product(path) && path !== "main.ts",
    codeOnly: true,
    planted: ["lib/a.ts", "process.exit(1);"],
  },
];

function breaches(row: Row, files: readonly TextFile[]): string[] {
  return files
    .filter(({ path, text }) => row.where(path) && row.pattern.test(text))
    .flatMap(({ path, text }) => {
      const found = (row.codeOnly ? code(text) : text).match(row.pattern);
      return found ? [`${path}: ${found[0].trim()} (${row.why})`] : [];
    });
}

test.each(rows)("no file holds $name", (row) => {
  expect(breaches(row, tree())).toEqual([]);
});

test.each(rows)("$name is found where it is planted", (row) => {
  const [path, text] = row.planted;
  expect(breaches(row, [{ path, text }])).toHaveLength(1);
});

test("what comments and strings say of time is no breach", () => {
  const text = '// never Date.now\n/* setTimeout */\nconst words = "Math.random";\n';
  expect(rows.filter((row) => row.codeOnly).flatMap((row) => breaches(row, [{ path: "router/a.ts", text }]))).toEqual([]);
});
