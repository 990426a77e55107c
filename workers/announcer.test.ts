import { fromBinary } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { FakeClock } from "../lib/clock.fake.ts";
import { WorkerAnnouncementSchema } from "../proto/gen/slipstream/v1/fleet_pb.ts";
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
  announcer.serving(false);
  announcer.serving(true);
  announcer.serving(true);
  await clock.advance(4_000);
  announcer.serving(false);
  await clock.advance(60_000);
  expect(said).toEqual([
    ...Array.from({ length: 3 }, () => "slipstream.v1.worker.w_1 10.0.0.1:7421 p 10000"),
    "slipstream.v1.worker.w_1 10.0.0.1:7421 p 0",
  ]);
  expect(clock.waiting).toBe(0);
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
