import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { silentLog } from "../../lib/log.ts";
import { DiskSpool } from "./disk-spool.ts";
import type { Spool } from "./spool.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "slipstream-spool-"));
});
afterEach(async () => {
  for (const spool of opened.splice(0)) await spool.close();
  rmSync(folder, { recursive: true, force: true });
});

const opened: DiskSpool[] = [];
/** As kill -9 leaves it: nothing is closed before the end of the test. */
async function open(bounds: { bytesMax?: number; recordsMax?: number } = {}): Promise<DiskSpool> {
  const spool = await DiskSpool.open({ folder, bytesMax: 1 << 20, recordsMax: 1_000, ...bounds }, { log: silentLog });
  opened.push(spool);
  return spool;
}
const batch = (id: string, text = `text of ${id}`, events = 2) => ({ id, data: new TextEncoder().encode(text), events });
const files = () => readdirSync(folder).sort();
/** Takes all out, as the outbox does. */
async function drain(spool: Spool): Promise<string[]> {
  const found: string[] = [];
  for (let next = await spool.oldest(); next; next = await spool.oldest()) {
    found.push(`${next.id}=${new TextDecoder().decode(next.data)}`);
    await spool.remove(next);
  }
  return found;
}

test("batches come out in order, and nothing is left on disk of what was stored elsewhere", async () => {
  const spool = await open();
  for (const id of ["a", "b", "c"]) expect(await spool.append(batch(id))).toBe(0);
  expect(spool.waiting).toBe(6);
  expect(await drain(spool)).toEqual(["a=text of a", "b=text of b", "c=text of c"]);
  expect(spool.waiting).toBe(0);
  await spool.close();
  expect(files()).toEqual([]);
});

test("what waits outlives the process, killed or closed, and goes before what comes after", async () => {
  const killed = await open();
  for (const id of ["a", "b", "c"]) await killed.append(batch(id));
  await killed.remove(batch("a"));
  const closed = await open();
  await closed.append(batch("d"));
  await closed.close();
  const spool = await open();
  await spool.append(batch("e"));
  expect([spool.waiting, await drain(spool)]).toEqual([8, ["b=text of b", "c=text of c", "d=text of d", "e=text of e"]]);
  await spool.close();
  expect(files()).toEqual([]);
});

test.each([
  ["cut in its text", (path: string) => truncateSync(path, statSync(path).size - 3)],
  ["cut in its head", (path: string) => truncateSync(path, statSync(path).size - 25)],
  ["written as zeros", (path: string) => appendFileSync(path, Buffer.alloc(4_096))],
  [
    "spoilt",
    (path: string) => {
      const bytes = readFileSync(path);
      bytes[bytes.length - 1] = 0;
      writeFileSync(path, bytes);
    },
  ],
])("a last record that is %s is left out, the ones before it are not", async (what, harm) => {
  const killed = await open();
  for (const id of ["a", "b", "c"]) await killed.append(batch(id));
  harm(join(folder, files()[0] as string));
  const spool = await open();
  const kept = ["a=text of a", "b=text of b", ...(what === "written as zeros" ? ["c=text of c"] : [])];
  expect(await drain(spool)).toEqual(kept);
  await spool.append(batch("d"));
  expect(await drain(spool)).toEqual(["d=text of d"]);
  await spool.close();
});

test("a full folder loses its oldest, counted, and never holds more", async () => {
  const spool = await open({ bytesMax: 8_000 });
  let dropped = 0;
  for (let i = 0; i < 100; i++) {
    dropped += await spool.append(batch(`b${i}`, "x".repeat(300)));
    const bytes = files().reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
    expect(bytes).toBeLessThanOrEqual(8_000);
  }
  const left = await drain(spool);
  expect(left.length).toBeGreaterThan(15);
  expect(left.at(-1)).toContain("b99=");
  expect(dropped).toBe(2 * (100 - left.length));
  await spool.close();
});

test("records are bounded by number too", async () => {
  const spool = await open({ recordsMax: 3 });
  const dropped = [];
  for (const id of ["a", "b", "c", "d", "e"]) dropped.push(await spool.append(batch(id)));
  expect([dropped, spool.waiting]).toEqual([[0, 0, 0, 2, 2], 6]);
  expect(await drain(spool)).toEqual(["c=text of c", "d=text of d", "e=text of e"]);
  await spool.close();
});

test("a disk that takes nothing more holds up nothing: batches wait in memory, in order", async () => {
  const spool = await open();
  await spool.append(batch("a"));
  // The folder is gone: the open file still takes records, a new one cannot be made.
  rmSync(folder, { recursive: true });
  await spool.append(batch("b", "x".repeat(200_000)));
  await spool.append(batch("c"));
  expect((await drain(spool)).map((each) => each[0])).toEqual(["a", "b", "c"]);
  await spool.close();
});

test("a folder that cannot be used is a config error that names the setting", async () => {
  writeFileSync(join(folder, "file"), "");
  await expect(
    DiskSpool.open({ folder: join(folder, "file"), bytesMax: 1, recordsMax: 1 }, { log: silentLog }),
  ).rejects.toMatchObject({ code: "config", message: expect.stringContaining("SLIPSTREAM_ROUTER_SPOOL") });
});
