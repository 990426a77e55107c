// The README's measurements, as written: minutes together, so they are not among the quick suites. The longest ones, which
// want a machine to themselves, are run by test/night/readme-measures.test.ts.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { packageRoot } from "../../lib/package-root.ts";
import { shell } from "../support/command.ts";

const section = readFileSync(join(packageRoot(), "README.md"), "utf8").split("## Measure it\n")[1]?.split("\n## ")[0] ?? "";
const commands = (/```sh\n([\s\S]*?)```/.exec(section)?.[1] ?? "").trim().split("\n");

test("there are measurements to run", () => {
  expect(commands.length).toBeGreaterThanOrEqual(3);
});

test.each(commands.filter((line) => line !== ""))("%s", { timeout: 900_000 }, async (line) => {
  const { code, out, err } = await shell(line, { timeoutMs: 900_000 });
  expect({ line, code, err: code === 0 ? "" : err }).toEqual({ line, code: 0, err: "" });
  expect(out).not.toBe("");
});
