// The README's long measurements, as written: by hand, on a machine that does nothing else.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { packageRoot } from "../../lib/package-root.ts";
import { shell } from "../support/command.ts";

const section = readFileSync(join(packageRoot(), "README.md"), "utf8").split("## Measure it\n")[1]?.split("\n## ")[0] ?? "";
const [, long = ""] = [...section.matchAll(/```sh\n([\s\S]*?)```/g)].map((block) => (block[1] ?? "").trim());

test("they are there", () => {
  expect(long).toMatch(/bench speculation.*\n.*bench keys/);
});

test.each(long.split("\n"))("%s runs to its end", { timeout: 1_800_000 }, async (line) => {
  const { code, out, err } = await shell(line, { timeoutMs: 1_800_000 });
  expect({ code, err: code === 0 ? "" : err }).toEqual({ code: 0, err: "" });
  expect(out).not.toBe("");
});
