import { mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { prune, used } from "./archives.ts";

const hour = 3_600_000;
const now = Date.UTC(2026, 0, 2);
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "slipstream-archives-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const tagged = (n: number) => `${n}`.repeat(16);
function archive(n: number, usedMs: number): string {
  const path = join(folder, `slipstream-${tagged(n)}.tar`);
  writeFileSync(path, "");
  utimesSync(path, new Date(usedMs), new Date(usedMs));
  return path;
}

test("of old archives those used last stay, and what is no archive of ours is left alone", () => {
  for (const n of [1, 2, 3, 4]) archive(n, now - (n + 1) * hour);
  for (const name of ["nats-2.tar", "pause-abc.tar", "slipstream-half.tar.77"]) writeFileSync(join(folder, name), "");
  expect(prune(folder, now, 2)).toEqual([tagged(3), tagged(4)]);
  expect(readdirSync(folder).sort()).toEqual([
    "nats-2.tar",
    "pause-abc.tar",
    `slipstream-${tagged(1)}.tar`,
    `slipstream-${tagged(2)}.tar`,
    "slipstream-half.tar.77",
  ]);
});

test("one that was used within the hour stays, however many there are", () => {
  for (const n of [1, 2, 3]) archive(n, now - n * 60_000);
  used(archive(4, now - 90 * hour));
  expect(prune(folder, Date.now(), 1)).toEqual([1, 2, 3].map(tagged));
  for (const n of [1, 2, 3]) archive(n, Date.now() - n * 60_000);
  expect(prune(folder, Date.now(), 1)).toEqual([]);
});
