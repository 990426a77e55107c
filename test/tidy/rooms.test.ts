// Who may import whom (docs: ARCHITECTURE.md). Tests may import anything.
import { expect, test } from "vitest";
import { isTest, type SourceFile, source, sources } from "./tree.ts";

/** By top folder: the other top folders it may import. Its own files and packages come on top. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  proto: [],
  lib: ["proto"],
  router: ["lib", "proto"],
  workers: ["lib", "proto"],
  operator: ["lib", "proto"],
  editor: ["lib", "proto"],
  learn: ["lib", "proto"],
  console: ["lib", "proto"],
  cli: ["lib", "proto", "editor", "sim", "bench", "router", "workers", "operator", "learn"],
  sim: ["lib", "proto", "editor", "router", "workers", "operator"],
  bench: ["lib", "proto", "editor", "router", "workers", "operator", "sim"],
  tools: ["lib", "proto", "router", "workers", "operator"],
  bin: [],
};

/** Processes made of rooms, and the files of each that its rooms may import: its nouns, and its nouns as messages. */
const nouns: Readonly<Record<string, readonly string[]>> = {
  router: [
    ...["router/completion.ts", "router/cursor-text.ts", "router/messages.ts"],
    ...["router/placement.ts", "router/rank.ts", "router/trace.ts"],
  ],
  workers: ["workers/generation.ts"],
  operator: ["operator/moves.ts", "operator/objects.ts", "operator/pool.ts", "operator/lengths.ts", "operator/scaling.ts"],
};

/** The one table of a process's metrics: a room takes the type of its slice from there, and nothing that runs. */
const slices = /^(router|workers|operator)\/metrics\.ts$/;

/** Types that every room of the process may import, and the pure controller that engines share, wherever they run. */
const openFolders = ["operator/api", "workers/speculation"];
/** Ways into a process that are a folder: like service.ts they are given the wired process. */
const entrances: Readonly<Record<string, readonly string[]>> = {
  "router/http": ["router/router.ts", "router/status.ts"],
  "router/console": ["router/router.ts", "router/status.ts"],
};
/** Where a process is wired: the only files that say `new` for a room, and may give it parts of its own folder. */
const wiring = /^(router|workers|operator)\/(main|wire(-\w+)?)\.ts$/;
/** They look into rooms to measure or drive what happens there. */
const insiders = ["sim", "bench", "tools"];
const mayUseFakes = (path: string) => isTest(path) || path.startsWith("sim/") || path.endsWith(".fake.ts");

/** True for `import type { … }` and for a list whose every name is a type. */
function onlyTypes(names: string): boolean {
  return /^\s*type\b/.test(names) || (names.includes("{") && !/[{,]\s*(?!type\b)\w/.test(names));
}

function room(path: string): string | undefined {
  const [top = "", folder, inside] = path.split("/");
  return top in nouns && inside !== undefined ? `${top}/${folder}` : undefined;
}

function isDoor(path: string): boolean {
  const parts = path.split("/");
  return parts.at(-1) === `${parts.at(-2)}.ts`;
}

function breaches(files: readonly SourceFile[]): string[] {
  return files
    .filter(({ path }) => !isTest(path))
    .flatMap((file) => file.imports.filter((each) => each.own).flatMap(({ to, names }) => judge(file, to, names)));
}

function judge({ path, text }: SourceFile, to: string, names: string): string[] {
  const [from = "", target = ""] = [path, to].map((each) => (each.includes("/") ? each.split("/")[0] : ""));
  const says = (why: string) => [`${path} imports ${to}: ${why}`];
  if (to.endsWith(".fake.ts") && !mayUseFakes(path)) return says("a fake is for tests and sim");
  if (isTest(to)) return says("nothing shipped imports tests");
  if (from === "") return target === "tools" ? says("the program does not import its own tools") : [];
  if (target !== from && !(mayImport[from] ?? []).includes(target)) return says(`${from} may not import ${target || "the root"}`);
  const [mine, theirs] = [room(path), room(to)];
  if (mine) {
    if (theirs === mine) return nestedBreach(path, to) ? says("folders inside a room do not import each other") : [];
    if (theirs) return openFolders.includes(theirs) ? [] : says("a room never imports another room");
    if (slices.test(to) && onlyTypes(names)) return [];
    if (entrances[mine]?.includes(to) && onlyTypes(names)) return [];
    return target === from && !nouns[from]?.includes(to) ? says(`of its process a room imports only ${nouns[from]}`) : [];
  }
  const free = wiring.test(path) || path.endsWith(".fake.ts") || insiders.includes(from);
  if (theirs && !openFolders.includes(theirs) && !free) {
    if (!isDoor(to)) return says("a room is entered by its door");
    if (from in nouns) {
      const made = names.replace(/\btype\s+\w+/g, "").match(/\b[A-Z]\w*/g) ?? [];
      if (!/^\s*type\b/.test(names) && made.some((name) => new RegExp(`\\bnew ${name}\\b`).test(text)))
        return says("only the wiring says new for a room");
    }
  }
  return [];
}

function nestedBreach(path: string, to: string): boolean {
  const [mine, theirs] = [path, to].map((each) => each.split("/").slice(2, -1));
  return Boolean(mine?.[0] && theirs?.[0] && mine[0] !== theirs[0]);
}

test("every import keeps to the rules", () => {
  const files = sources();
  expect(files.length).toBeGreaterThan(20);
  expect(breaches(files)).toEqual([]);
});

test.each([
  ["a room that imports another room", "router/settle/settle.ts", "../gate/gate.ts"],
  ["a room that imports its process's config", "router/settle/settle.ts", "../config.ts"],
  ["a room that imports what runs of its process's metrics", "router/settle/settle.ts", "../metrics.ts"],
  ["a router file that imports workers", "router/main.ts", "../workers/generation.ts"],
  ["a library that imports a process", "lib/log.ts", "../router/completion.ts"],
  ["a process that imports sim", "workers/main.ts", "../sim/world.ts"],
  ["a path file that enters by the window", "router/pipeline.ts", "./settle/pace.ts"],
  ["a process that imports a fake", "router/main.ts", "../lib/clock.fake.ts"],
  ["one engine that imports another", "workers/engine/embedded/embedded.ts", "../simulated/simulated.ts"],
  ["the binary that imports tools", "main.ts", "./tools/check.ts"],
  ["anything shipped that imports tests", "cli/doctor.ts", "../test/support/harness.ts"],
])("%s is found", (_, path, to) => {
  expect(breaches([source(path, `import { a } from "${to}";\n`)])).toHaveLength(1);
  expect(breaches([source(path, `const a = await import("${to}");\n`)])).toHaveLength(1);
});

test("a path file that makes a room is found, one that takes its type is not", () => {
  const make = 'import { Settle } from "./settle/settle.ts";\nconst settle = new Settle({}, {});\n';
  expect(breaches([source("router/pipeline.ts", make)])).toHaveLength(1);
  expect(breaches([source("router/wire.ts", make)])).toEqual([]);
  expect(breaches([source("router/pipeline.ts", make.replace("{ Settle }", "type { Settle }"))])).toEqual([]);
});

test.each([
  ["router/settle/settle.ts", "../completion.ts"],
  ["router/settle/settle.ts", "../../lib/clock.ts"],
  ["router/settle/settle.ts", "../metrics.ts"],
  ["router/pipeline.ts", "./settle/settle.ts"],
  ["operator/decide/decide.ts", "../api/conditions.ts"],
  ["router/settle/settle.test.ts", "../gate/gate.ts"],
  ["workers/engine/simulated/simulated.ts", "../engine.ts"],
  ["sim/world.ts", "../lib/clock.fake.ts"],
  ["workers/router-end.fake.ts", "./engine/simulated/plan.ts"],
])("%s may import %s", (path, to) => {
  expect(breaches([source(path, `import type { A } from "${to}";\n`)])).toEqual([]);
});
