import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { RecordedMetrics } from "../sim/recorded-metrics.ts";
import { FakeClock } from "./clock.fake.ts";
import { createLog } from "./log.ts";
import { WatchedFiles, watchedFileMetrics } from "./watched-files.ts";

const root = mkdtempSync(join(tmpdir(), "slipstream-files-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let folders = 0;

/** A folder as a mounted Secret: every file is a link by way of one link, which a change replaces. */
function mounted(contents: Record<string, string>) {
  const folder = join(root, String(++folders));
  let swaps = 0;
  const swap = (given: Record<string, string>) => {
    const version = join(folder, `..v${++swaps}`);
    mkdirSync(version, { recursive: true });
    for (const [name, text] of Object.entries(given)) writeFileSync(join(version, name), text);
    symlinkSync(version, join(folder, "..next"));
    renameSync(join(folder, "..next"), join(folder, "..data"));
  };
  swap(contents);
  for (const name of Object.keys(contents)) symlinkSync(join("..data", name), join(folder, name));
  return { folder, swap, path: (name: string) => join(folder, name) };
}

const words = (texts: readonly string[]) => {
  const text = texts.join("+");
  if (text.includes("bad")) throw new Error("a: is bad");
  return text;
};

function watched(paths: readonly string[]) {
  const clock = new FakeClock();
  const lines: string[] = [];
  const metrics = new RecordedMetrics(watchedFileMetrics);
  const files = new WatchedFiles(
    { what: "test", paths, everyMs: 5_000, bytesMax: 100 },
    {
      clock,
      log: createLog({ process: "test", level: "info" }, { write: (line) => lines.push(line) }),
      metrics: metrics.metrics,
      parse: words,
    },
  );
  const told: string[] = [];
  files.watch((value) => told.push(value));
  return { files, clock, lines, metrics, told };
}

test("swapped links are read as one, and whoever watches is told", () => {
  const mount = mounted({ a: "1", b: "2" });
  const { files, told, metrics } = watched([mount.path("a"), mount.path("b")]);
  expect(files.value).toBe("1+2");
  files.look();
  expect(told).toEqual([]);
  mount.swap({ a: "3", b: "4" });
  files.look();
  expect([files.value, told]).toEqual(["3+4", ["3+4"]]);
  expect(metrics.count("file_loads_total", { result: "used" })).toBe(2);
});

test.each([
  ["cannot be used", (path: string) => writeFileSync(path, "bad"), /a: is bad/],
  ["is gone", (path: string) => rmSync(path), /a: there is no such file/],
  ["became too large", (path: string) => writeFileSync(path, "x".repeat(101)), /a: is larger than 100 bytes/],
  [
    "became a folder",
    (path: string) => {
      rmSync(path);
      mkdirSync(path);
    },
    /a: is not a file/,
  ],
])("a file that %s leaves the last good value, says so once, and is taken again when it is good", (_, spoil, says) => {
  const path = join(root, `${++folders}a`);
  writeFileSync(path, "1");
  const { files, lines, metrics } = watched([path]);
  spoil(path);
  for (let i = 0; i < 3; i++) files.look();
  expect(files.value).toBe("1");
  expect(files.state.problem).toMatch(says);
  expect(lines.filter((line) => says.test(line))).toHaveLength(1);
  expect(metrics.unrest(["files_stale"])).toEqual(["files_stale{files=test} 1"]);
  rmSync(path, { recursive: true, force: true });
  writeFileSync(path, "2");
  files.look();
  expect([files.value, files.state.problem]).toEqual(["2", null]);
  expect(metrics.unrest(["files_stale"])).toEqual([]);
});

test("they are looked at by the clock, until closed", async () => {
  const path = join(root, `${++folders}`);
  writeFileSync(path, "1");
  const { files, clock, told } = watched([path]);
  writeFileSync(path, "22");
  await clock.advance(5_000);
  expect(told).toEqual(["22"]);
  files[Symbol.dispose]();
  writeFileSync(path, "333");
  await clock.advance(60_000);
  expect(files.value).toBe("22");
});

test("what cannot be used at the start is a mistake in the configuration", () => {
  expect(() => watched([join(root, "none")])).toThrow(
    expect.objectContaining({ code: "config", message: expect.stringMatching(/none: there is no such file/) }),
  );
});
