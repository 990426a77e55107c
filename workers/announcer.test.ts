import { create, fromBinary } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { FakeClock } from "../lib/clock.fake.ts";
import { DraftReportSchema, WorkerAnnouncementSchema } from "../proto/gen/slipstream/v1/fleet_pb.ts";
import { Announcer, advertised } from "./announcer.ts";

test("a worker says where it is while it serves, and that it leaves", async () => {
  const clock = new FakeClock();
  const said: string[] = [];
  const bus = {
    publish: (subject: string, data: Uint8Array) => {
      const { address, pool, ttlMs } = fromBinary(WorkerAnnouncementSchema, data);
      return said.push(`${subject} ${address} ${pool} ${ttlMs}`) > 0;
    },
  };
  const options = { worker: "w.1", pool: "p", address: "10.0.0.1:7421", everyMs: 2_000, ttlMs: 10_000 };
  const announcer = new Announcer(options, { clock, bus });
  announcer.says("nothing");
  announcer.says("serving");
  announcer.says("serving");
  await clock.advance(4_000);
  announcer.says("nothing");
  await clock.advance(60_000);
  expect(said).toEqual([
    ...Array.from({ length: 3 }, () => "slipstream.v1.worker.w_1 10.0.0.1:7421 p 10000"),
    "slipstream.v1.worker.w_1 10.0.0.1:7421 p 0",
  ]);
  expect(clock.waiting).toBe(0);
});

test("while it warms up routers find it, and whoever looks after pools knows that it does not serve yet", async () => {
  const said: boolean[] = [];
  const clock = new FakeClock();
  const bus = { publish: (_: string, data: Uint8Array) => said.push(fromBinary(WorkerAnnouncementSchema, data).warming) > 0 };
  const options = { worker: "w", pool: "p", address: "10.0.0.1:7421", everyMs: 2_000, ttlMs: 10_000 };
  const announcer = new Announcer(options, { clock, bus });
  announcer.says("warming");
  await clock.advance(2_000);
  announcer.says("serving");
  expect(said).toEqual([true, true, false]);
});

test("with it goes how it is doing, and what its engine drafts, where it does", () => {
  const said: unknown[] = [];
  const bus = {
    publish: (_: string, data: Uint8Array) => {
      const { drafts, outstanding, leaving, kvBlocksUsed } = fromBinary(WorkerAnnouncementSchema, data);
      return said.push({ outstanding, leaving, kvBlocksUsed, ...(drafts && { drafts }) }) > 0;
    },
  };
  const doing = { outstanding: 3, leaving: true, kvBlocksUsed: 7 };
  const all = [doing, { ...doing, drafts: create(DraftReportSchema, { drafted: 10n, accepted: 7n }) }];
  const options = { worker: "w", pool: "p", address: "10.0.0.1:7421", everyMs: 2_000, ttlMs: 10_000 };
  for (const each of all) new Announcer(options, { clock: new FakeClock(), bus, doing: () => each }).says("serving");
  expect(said).toEqual(all);
});

test.each([
  ["", "127.0.0.1:0", "127.0.0.1:99"],
  ["", "[fd00::1]:7421", "[fd00::1]:99"],
  ["w0.workers:7421", "0.0.0.0:7421", "w0.workers:7421"],
])("advertise %o at %s is %s", (advertise, address, want) => {
  expect(advertised(advertise, address, 99)).toBe(want);
});

test("an address of every interface is none to connect to", () => {
  expect(() => advertised("", "0.0.0.0:7421", 7421)).toThrow("SLIPSTREAM_WORKER_ADVERTISE");
});
