import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { generateTrace } from "./generate.ts";
import { isTracePath, openTrace, readTrace } from "./read.ts";
import { traceLimits } from "./trace.ts";
import { formatTrace } from "./written.ts";

const folder = mkdtempSync(join(tmpdir(), "traces-"));
const put = (name: string, content: string | Buffer) => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};
const text = 'const naïve = "🚀🚀🚀";\n'.repeat(400);
const trace = generateTrace({ seed: 2, keys: 6_000, start: 0, path: "a.ts", language: "typescript", text });

test("a file is read event by event, packed or not", async () => {
  const formatted = formatTrace(trace);
  expect(await readTrace(put("a.ndjson", formatted))).toEqual(trace);
  expect(await readTrace(put("a.ndjson.gz", gzipSync(formatted)))).toEqual(trace);
  const { events, documents } = await openTrace(put("b.ndjson", `${formatted}[0,"x",1048577]\n`));
  expect(documents).toEqual(trace.documents);
  let read = 0;
  const reading = (async () => {
    for await (const _ of events) read += 1;
  })();
  await expect(reading).rejects.toThrow(/b\.ndjson: line \d+: \[2\]/);
  expect(read).toBe(trace.events.length);
});

test("a mistake names its file", async () => {
  const cases: [string, RegExp][] = [
    [join(folder, "none.ndjson"), /none\.ndjson: no such file/],
    [folder, /no such file/],
    [put("empty.ndjson", ""), /empty\.ndjson: line 1: the file is empty/],
    [put("plain.ndjson.gz", "not packed"), /plain\.ndjson\.gz: cannot be unpacked/],
    [put("bytes.ndjson", Buffer.from([0x7b, 0xff, 0xfe])), /bytes\.ndjson: line 1: not UTF-8/],
    [put("long.ndjson", " ".repeat(traceLimits.documentBytesMax + 65_537)), /long\.ndjson: line 1: longer than/],
  ];
  for (const [path, message] of cases) await expect(readTrace(path), path).rejects.toThrow(message);
});

test("a trace is known by its name", () => {
  expect(["a.ndjson", "a.trace.ndjson.gz", "a.ts", "ndjson"].map(isTracePath)).toEqual([true, true, false, false]);
});
