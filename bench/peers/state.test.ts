import { appendFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { State } from "./state.ts";

const folder = mkdtempSync(join(tmpdir(), "slipstream-state-"));
const path = join(folder, "inside", "state.ndjson");
afterEach(() => rmSync(path, { force: true }));

test("what was measured is known to the next run, a half line is not", async () => {
  const first = new State(path);
  expect(await first.once({ a: 1 }, async () => 7)).toBe(7);
  appendFileSync(path, '{"key":"{\\"a\\":2}","val');
  const second = new State(path);
  expect(await second.once({ a: 1 }, async () => 8)).toBe(7);
  expect(second.has({ a: 2 })).toBe(false);
});

test("a fresh one knows nothing", async () => {
  new State(path).keep({ a: 1 }, 7);
  expect(new State(path, { fresh: true }).find({ a: 1 })).toBeUndefined();
});
