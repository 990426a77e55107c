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

test("what another version measured is known and counted, or not known at all", async () => {
  new State(path, { version: "a" }).keep({ a: 1 }, 7);
  const other = new State(path, { version: "b" });
  expect([other.find({ a: 1 }), other.find({ a: 1 }), other.others]).toEqual([7, 7, 1]);
  expect(await new State(path, { version: "b", ownOnly: true }).once({ a: 1 }, async () => 8)).toBe(8);
  const again = new State(path, { version: "b" });
  expect([again.find({ a: 1 }), again.others]).toEqual([8, 0]);
});

test("a fresh one knows nothing", async () => {
  new State(path).keep({ a: 1 }, 7);
  expect(new State(path, { fresh: true }).find({ a: 1 })).toBeUndefined();
});
