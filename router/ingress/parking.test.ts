import { expect, test } from "vitest";
import { FakeClock } from "../../lib/clock.fake.ts";
import { recordedMetrics } from "../../test/support/router.ts";
import { Document } from "./document.ts";
import { Parking, type ParkingOptions } from "./parking.ts";

const document = (text: string, editedMs?: number) => {
  const made = new Document({ path: "a", language: "", excluded: false, version: 1n, text, bytesMax: 1 << 20 });
  if (editedMs !== undefined) made.apply({ baseVersion: 1n, version: 2n, edits: [], sha256After: new Uint8Array(), now: editedMs });
  return made;
};
const one = (text = "x") => new Map([["d1", document(text)]]);

function parkingOf(given: Partial<ParkingOptions> = {}) {
  const [clock, metrics] = [new FakeClock(), recordedMetrics()];
  const options = { ttlMs: 1_000, sessionsMax: 3, bytesMax: 20_000, bytesPerSessionMax: 8_000, ...given };
  return { clock, metrics, parking: new Parking(options, { clock, metrics: metrics.metrics }) };
}

test("what was parked is given once, to who has its token", () => {
  const { parking } = parkingOf();
  parking.park("k", "token", one());
  expect(parking.claim("k", "tokem")).toBeUndefined();
  expect(parking.claim("other", "token")).toBeUndefined();
  expect(parking.claim("k", "token")?.get("d1")?.text.toString()).toBe("x");
  expect(parking.claim("k", "token")).toBeUndefined();
});

test("what nobody claims in time is let go, the first that was parked first", async () => {
  const { parking, clock, metrics } = parkingOf();
  parking.park("a", "t", one());
  await clock.advance(600);
  parking.park("b", "t", one());
  expect(metrics.unrest(["parked_sessions"])).toEqual(["parked_sessions{} 2"]);
  await clock.advance(400);
  expect(metrics.unrest(["parked_sessions"])).toEqual(["parked_sessions{} 1"]);
  expect(parking.claim("a", "t")).toBeUndefined();
  await clock.advance(600);
  expect([metrics.unrest(["parked_sessions", "parked_bytes"]), clock.waiting]).toEqual([[], 0]);
});

test("sessions are bounded: the first leaves first, and a newer end of one session takes its place", () => {
  const { parking, metrics } = parkingOf();
  for (const key of ["a", "b", "a", "c", "d"]) parking.park(key, key, one());
  expect(metrics.max("parked_sessions")).toBe(3);
  expect(["a", "b", "c", "d"].filter((key) => parking.claim(key, key))).toEqual(["a", "c", "d"]);
});

test("bytes are bounded over all sessions", () => {
  const { parking, metrics } = parkingOf({ sessionsMax: 100 });
  for (let i = 0; i < 50; i++) parking.park(`k${i}`, "t", one("x".repeat(3_000)));
  expect(metrics.max("parked_bytes")).toBeLessThanOrEqual(20_000);
  expect(parking.claim("k49", "t")).toBeDefined();
  expect(parking.claim("k0", "t")).toBeUndefined();
});

test("of a session with more than fits, what was edited last is kept; stale mirrors are not", () => {
  const { parking } = parkingOf();
  const documents = new Map([
    ["old", document("x".repeat(5_000), 1)],
    ["new", document("x".repeat(5_000), 2)],
    ["small", document("x")],
    ["stale", document("x", 9)],
  ]);
  documents.get("stale")?.apply({ baseVersion: 7n, version: 8n, edits: [], sha256After: new Uint8Array(), now: 9 });
  parking.park("k", "t", documents);
  expect([...(parking.claim("k", "t")?.keys() ?? [])].sort()).toEqual(["new", "small"]);
});

test.each<[name: string, given: Partial<ParkingOptions>, documents: Map<string, Document>]>([
  ["a session without documents", {}, new Map()],
  ["where resuming is off", { ttlMs: 0 }, one()],
  ["where no byte may be kept", { bytesMax: 0 }, one()],
])("%s is not parked", (_, given, documents) => {
  const { parking, metrics, clock } = parkingOf(given);
  parking.park("k", "t", documents);
  expect([parking.claim("k", "t"), metrics.max("parked_sessions"), clock.waiting]).toEqual([undefined, 0, 0]);
});
