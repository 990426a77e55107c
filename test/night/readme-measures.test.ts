// The README's longest measurement, as written: by hand, on a machine that does nothing else.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { packageRoot } from "../../lib/package-root.ts";
import { shell } from "../support/command.ts";

const section = readFileSync(join(packageRoot(), "README.md"), "utf8").split("## Measure it\n")[1]?.split("\n## ")[0] ?? "";
const [, longest = ""] = [...section.matchAll(/```sh\n([\s\S]*?)```/g)].map((block) => (block[1] ?? "").trim());

test("the keystroke bench runs to its end", { timeout: 1_800_000 }, async () => {
  expect(longest).toMatch(/bench keys/);
  const { code, out, err } = await shell(longest, { timeoutMs: 1_800_000 });
  expect({ code, err: code === 0 ? "" : err }).toEqual({ code: 0, err: "" });
  expect(out).not.toBe("");
});
