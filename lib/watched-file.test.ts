import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { FakeClock } from "./clock.fake.ts";
import { WatchedFile } from "./watched-file.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "slipstream-watched-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function watch(path: string, bytesMax = 1_000) {
  const clock = new FakeClock();
  const told: string[] = [];
  const file = new WatchedFile(
    { path, everyMs: 1_000, bytesMax },
    { clock, changed: (text) => told.push(text), failed: (error) => told.push(`! ${error.message.replace(folder, "")}`) },
  );
  return { clock, told, file };
}

test("a file that is written in place, renamed over, or written again as it was", async () => {
  const path = join(folder, "a");
  writeFileSync(path, "1");
  const { clock, told, file } = watch(path);
  expect(file.text).toBe("1");
  await clock.advance(5_000);
  expect(told).toEqual([]);
  writeFileSync(path, "22");
  await clock.advance(1_000);
  writeFileSync(join(folder, "new"), "333");
  renameSync(join(folder, "new"), path);
  await clock.advance(1_000);
  writeFileSync(join(folder, "same"), "333");
  renameSync(join(folder, "same"), path);
  await clock.advance(1_000);
  expect(told).toEqual(["22", "333"]);
});

test("a ConfigMap's file is a link through a folder's link that is swapped", async () => {
  for (const [at, text] of ["one", "two"].entries()) {
    mkdirSync(join(folder, `..${at}`));
    writeFileSync(join(folder, `..${at}`, "policy.yaml"), text);
  }
  symlinkSync("..0", join(folder, "..data"));
  symlinkSync(join("..data", "policy.yaml"), join(folder, "policy.yaml"));
  const { clock, told, file } = watch(join(folder, "policy.yaml"));
  expect(file.text).toBe("one");
  symlinkSync("..1", join(folder, "..data_tmp"));
  renameSync(join(folder, "..data_tmp"), join(folder, "..data"));
  await clock.advance(1_000);
  expect(told).toEqual(["two"]);
});

test("a file that goes is told once, and its next text when it is back", async () => {
  const path = join(folder, "a");
  writeFileSync(path, "1");
  const { clock, told } = watch(path);
  unlinkSync(path);
  await clock.advance(3_000);
  writeFileSync(path, "1");
  await clock.advance(1_000);
  writeFileSync(path, "x".repeat(1_001));
  await clock.advance(1_000);
  writeFileSync(path, "2");
  await clock.advance(1_000);
  expect(told).toEqual(["! /a: there is no such file", "! /a: is larger than 1000 bytes", "2"]);
});

test.each([
  ["is not there", () => {}, "there is no such file"],
  ["is a folder", (path: string) => mkdirSync(path), "is not a file"],
  ["is too large", (path: string) => writeFileSync(path, "x".repeat(1_001)), "is larger than 1000 bytes"],
])("at the start a file that %s is an error that names it", (_, make, why) => {
  const path = join(folder, "a");
  make(path);
  expect(() => watch(path)).toThrow(`${path}: ${why}`);
});

test("a disposed one looks no more", async () => {
  const path = join(folder, "a");
  writeFileSync(path, "1");
  const { clock, told, file } = watch(path);
  file[Symbol.dispose]();
  writeFileSync(path, "2");
  await clock.advance(5_000);
  expect([told, clock.waiting]).toEqual([[], 0]);
});
