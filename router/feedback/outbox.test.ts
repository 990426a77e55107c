import { create, fromBinary } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import type { Bus } from "../../lib/bus/bus.ts";
import { FakeClock } from "../../lib/clock.fake.ts";
import {
  FeedbackRecordSchema,
  type OutcomeBatch,
  OutcomeBatchSchema,
  OutcomeEventSchema,
} from "../../proto/gen/slipstream/v1/fleet_pb.ts";
import { recordedMetrics } from "../../test/support/router.ts";
import { Outbox } from "./outbox.ts";

function room(given: { batchMax?: number; pendingMax?: number; clock?: FakeClock } = {}) {
  const clock = given.clock ?? new FakeClock();
  const metrics = recordedMetrics();
  const sent: { subject: string; batch: OutcomeBatch }[] = [];
  const line = { connected: true };
  const bus: Pick<Bus, "publish"> = {
    publish(subject, data) {
      if (line.connected) sent.push({ subject, batch: fromBinary(OutcomeBatchSchema, data) });
      return line.connected;
    },
  };
  const outbox = new Outbox(
    { router: "r.1", everyMs: 100, batchMax: given.batchMax ?? 4, pendingMax: given.pendingMax ?? 10 },
    { clock, bus: bus as Bus, metrics: metrics.metrics },
  );
  let count = 0;
  const put = (times = 1) => {
    for (let i = 0; i < times; i++) outbox.outcome(create(OutcomeEventSchema, { triggerId: `t${count++}` }));
  };
  const ids = () => sent.map(({ batch }) => batch.outcomes.map(({ triggerId }) => triggerId).join(" "));
  return { clock, metrics, sent, line, outbox, put, ids };
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

test("a full batch goes at once, and each has a number of its own", () => {
  const { put, ids, sent, clock } = room();
  put(9);
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

test("while the bus is away the newest are kept within the bound, and all of them go when it is back, in batches", async () => {
  const { clock, put, ids, line, metrics, outbox } = room();
  line.connected = false;
  put(13);
  expect(outbox.flush()).toBe(false);
  await clock.advance(1_000);
  expect([ids(), metrics.count("outcome_events_total", { fate: "dropped" }), clock.waiting]).toEqual([[], 3, 1]);
  line.connected = true;
  await clock.advance(100);
  expect(ids()).toEqual(["t3 t4 t5 t6", "t7 t8 t9 t10", "t11 t12"]);
  expect([metrics.count("outcome_events_total", { fate: "sent" }), clock.waiting]).toEqual([10, 0]);
});

test("a bus that goes away between two batches keeps the second", async () => {
  const { clock, put, ids, line, outbox } = room();
  line.connected = false;
  put(6);
  const publish = outbox.flush.bind(outbox);
  line.connected = true;
  expect(publish()).toBe(true);
  line.connected = false;
  put(1);
  await clock.advance(100);
  expect(ids()).toEqual(["t0 t1 t2 t3", "t4 t5"]);
  line.connected = true;
  await clock.advance(100);
  expect(ids().at(-1)).toBe("t6");
});

test("flush sends what waits now, and nothing where nothing waits", () => {
  const { outbox, put, ids, clock } = room();
  expect(outbox.flush()).toBe(true);
  put();
  expect(outbox.flush()).toBe(true);
  expect([ids(), clock.waiting]).toEqual([["t0"], 0]);
});
