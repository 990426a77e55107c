import { create, fromBinary } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import type { Bus } from "../../lib/bus/bus.ts";
import { FakeClock } from "../../lib/clock.fake.ts";
import { SlipstreamError } from "../../lib/errors.ts";
import { silentLog } from "../../lib/log.ts";
import {
  FeedbackRecordSchema,
  type OutcomeBatch,
  OutcomeBatchSchema,
  OutcomeEventSchema,
} from "../../proto/gen/slipstream/v1/fleet_pb.ts";
import { recordedMetrics } from "../../test/support/router.ts";
import { Outbox } from "./outbox.ts";
import { MemorySpool, type Spool, type SpooledBatch } from "./spool.ts";

function room(given: { batchMax?: number; unspooledMax?: number; bytesMax?: number; clock?: FakeClock; spool?: Spool } = {}) {
  const clock = given.clock ?? new FakeClock();
  const metrics = recordedMetrics();
  const sent: { subject: string; batch: OutcomeBatch; id: string }[] = [];
  const line: { connected: boolean; error?: SlipstreamError } = { connected: true };
  const bus: Pick<Bus, "append"> = {
    async append(subject, data, id) {
      if (line.error) throw line.error;
      if (!line.connected) throw new SlipstreamError("unavailable", "away");
      sent.push({ subject, batch: fromBinary(OutcomeBatchSchema, data), id });
    },
  };
  const spool = given.spool ?? new MemorySpool({ bytesMax: 10_000, recordsMax: 3 });
  const { batchMax = 4, unspooledMax = 10, bytesMax = 1_000 } = given;
  const outbox = new Outbox(
    { router: "r.1", everyMs: 100, batchMax, unspooledMax, bytesMax, retryMs: 500 },
    { clock, bus, spool, log: silentLog, metrics: metrics.metrics },
  );
  let count = 0;
  const put = (times = 1) => {
    for (let i = 0; i < times; i++) outbox.outcome(create(OutcomeEventSchema, { triggerId: `t${count++}` }));
  };
  const ids = () => sent.map(({ batch }) => batch.outcomes.map(({ triggerId }) => triggerId).join(" "));
  return { clock, metrics, sent, line, outbox, put, ids, spool };
}

test("events wait for their batch, and no timer runs where nothing waits", async () => {
  const { clock, put, ids, sent } = room();
  put(2);
  await clock.advance(99);
  expect(ids()).toEqual([]);
  await clock.advance(1);
  expect(ids()).toEqual(["t0 t1"]);
  expect(sent[0]?.subject).toBe("slipstream.v1.outcomes.r_1");
  expect(clock.waiting).toBe(0);
});

test("a full batch goes at once, and each has a number of its own", async () => {
  const { put, ids, sent, clock } = room();
  put(9);
  await clock.advance(0);
  expect(ids()).toEqual(["t0 t1 t2 t3", "t4 t5 t6 t7"]);
  expect((sent[1]?.batch.batchId ?? 0n) - (sent[0]?.batch.batchId ?? 0n)).toBe(1n);
  expect(clock.waiting).toBe(1);
});

test("a router that starts anew does not use its old numbers", async () => {
  const clock = new FakeClock();
  const first = room({ clock });
  first.put(4 * 50);
  await clock.advance(1);
  const second = room({ clock });
  second.put(4);
  await clock.advance(1);
  expect(second.sent[0]?.batch.batchId).toBeGreaterThan(first.sent.at(-1)?.batch.batchId ?? 0n);
});

test("reports travel with outcomes", async () => {
  const { outbox, put, sent, clock, metrics } = room();
  put();
  outbox.feedback(create(FeedbackRecordSchema, { tenant: "acme" }));
  await clock.advance(100);
  expect(sent[0]?.batch).toMatchObject({ outcomes: [{ triggerId: "t0" }], feedback: [{ tenant: "acme" }] });
  expect(metrics.count("outcome_events_total", { fate: "sent" })).toBe(2);
});

test("while the bus is away the newest are kept within the bound, and all of them go in order when it is back", async () => {
  const { clock, put, ids, line, metrics, spool } = room();
  line.connected = false;
  put(17);
  await clock.advance(5_000);
  expect([ids(), metrics.count("outcome_events_total", { fate: "dropped" }), spool.waiting]).toEqual([[], 8, 9]);
  line.connected = true;
  await clock.advance(500);
  expect(ids()).toEqual(["t8 t9 t10 t11", "t12 t13 t14 t15", "t16"]);
  expect([metrics.count("outcome_events_total", { fate: "sent" }), spool.waiting, clock.waiting]).toEqual([9, 0, 0]);
});

test("a batch that may have been stored goes again under its id, before what came after it", async () => {
  const { clock, put, sent, line } = room();
  line.connected = false;
  put(4);
  await clock.advance(1);
  line.connected = true;
  put(4);
  await clock.advance(500);
  expect(sent.map(({ id, batch }) => [id, batch.outcomes.length])).toEqual([
    [expect.stringMatching(/^r\.1\.\d+\.0$/), 4],
    [expect.stringMatching(/^r\.1\.\d+\.0$/), 4],
  ]);
  expect(sent[0]?.batch.batchId).toBeLessThan(sent[1]?.batch.batchId ?? 0n);
});

test("a batch that is too large for a message travels in several, in order, each under an id of its own", async () => {
  const { clock, put, sent, ids } = room({ batchMax: 8, bytesMax: 30 });
  put(8);
  await clock.advance(1);
  expect(ids().join(" ")).toBe("t0 t1 t2 t3 t4 t5 t6 t7");
  expect(sent.map(({ batch }) => batch.index)).toEqual(sent.map((_, i) => i));
  expect(new Set(sent.map(({ id }) => id)).size).toBe(sent.length);
  expect(new Set(sent.map(({ batch }) => batch.batchId)).size).toBe(1);
  expect(sent.length).toBeGreaterThan(1);
});

test("a batch that the bus can never take is dropped and counted, and holds up nothing", async () => {
  const { clock, put, ids, line, metrics } = room();
  line.error = new SlipstreamError("invalid_request", "too large");
  put(4);
  await clock.advance(1);
  delete line.error;
  put(4);
  await clock.advance(1);
  expect([ids(), metrics.count("outcome_events_total", { fate: "dropped" })]).toEqual([["t4 t5 t6 t7"], 4]);
});

test("a disk that hangs costs a bounded number of batches", async () => {
  const slow = new MemorySpool({ bytesMax: 10_000, recordsMax: 100 });
  let go: () => void = () => {};
  const stuck = new Promise<void>((resolve) => {
    go = resolve;
  });
  const spool: Spool = Object.assign(Object.create(slow) as Spool, {
    append: async (batch: SpooledBatch) => {
      await stuck;
      return slow.append(batch);
    },
    oldest: () => slow.oldest(),
    remove: (batch: SpooledBatch) => slow.remove(batch),
    close: () => slow.close(),
  });
  const { clock, put, ids, metrics } = room({ unspooledMax: 2, spool });
  put(16);
  await clock.advance(10);
  expect(metrics.count("outcome_events_total", { fate: "dropped" })).toBe(8);
  go();
  await clock.advance(10);
  expect(ids()).toEqual(["t0 t1 t2 t3", "t4 t5 t6 t7"]);
});

test("what an earlier life left in the spool goes first", async () => {
  const spool = new MemorySpool({ bytesMax: 10_000, recordsMax: 10 });
  const before = room({ spool });
  before.line.connected = false;
  before.put(2);
  await before.outbox.close();
  const after = room({ spool });
  await after.clock.advance(1);
  expect(after.ids()).toEqual(["t0 t1"]);
});

test("closing sends what waits now, and leaves no timer", async () => {
  const { outbox, put, ids, clock } = room();
  await outbox.flush();
  put();
  await outbox.close();
  expect([ids(), clock.waiting]).toEqual([["t0"], 0]);
  const away = room();
  away.line.connected = false;
  away.put();
  await away.outbox.close();
  expect([away.spool.waiting, away.clock.waiting]).toEqual([1, 0]);
});
