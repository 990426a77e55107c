// Every folder of a process has a door: the file of its name, which opens by saying what comes in and what goes out.
import { posix } from "node:path";
import { expect, test } from "vitest";
import { isTest, opening, type SourceFile, source, sources } from "./tree.ts";

const processes = ["router", "workers", "operator"];
/** Two folders only hold what others open: types every room shares, and one file per engine. */
const doorless = ["operator/api"];
const sentenceMin = 60;

function breaches(files: readonly SourceFile[]): string[] {
  const code = files.filter(({ path }) => processes.includes(path.split("/")[0] ?? "") && !isTest(path));
  const folders = new Set(
    code.map(({ path }) => posix.dirname(path)).filter((folder) => folder.includes("/") && !doorless.includes(folder)),
  );
  return [...folders].flatMap((folder) => {
    const name = posix.basename(folder);
    const door = code.find(({ path }) => path === `${folder}/${name}.ts`);
    if (!door) return [`${folder} has no door ${name}.ts`];
    const comment = opening(door.text);
    return comment.startsWith(`${name}: `) && comment.length >= sentenceMin
      ? []
      : [`${door.path} does not open with "// ${name}: what comes in, what goes out"`];
  });
}

test("every room has a door that says what it is for", () => {
  expect(breaches(sources())).toEqual([]);
});

test("a room without a door, and a door that says nothing, are found", () => {
  expect(breaches([source("router/settle/pace.ts", "export {};\n")])).toEqual(["router/settle has no door settle.ts"]);
  expect(breaches([source("router/settle/settle.ts", "// settle: waits.\nexport {};\n")])).toHaveLength(1);
  expect(breaches([source("router/settle/settle.ts", 'import "./x.ts";\n')])).toHaveLength(1);
});
