import { create, toBinary } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { MemoryBus } from "../../lib/bus/memory.ts";
import { subjects } from "../../lib/bus/subjects.ts";
import { FakeClock } from "../../lib/clock.fake.ts";
import { silentLog } from "../../lib/log.ts";
import { WorkerAnnouncementSchema } from "../../proto/gen/slipstream/v1/fleet_pb.ts";
import { recordedMetrics } from "../../test/support/router.ts";
import { Discovery, type Resolver } from "./discovery.ts";

/** Answers of a DNS: addresses by name, or the code of an error. */
type Zone = Record<string, string[] | string>;

function room(given: { listed?: string[]; names?: string[]; max?: number; zone?: Zone; reached?: Record<string, string> } = {}) {
  const clock = new FakeClock();
  const bus = new MemoryBus();
  const zone: Zone = given.zone ?? {};
  const answer = async (name: string, family: (ip: string) => boolean) => {
    const records = zone[name] ?? "ENOTFOUND";
    if (typeof records === "string") throw Object.assign(new Error(`query${records}`), { code: records });
    return records.filter(family);
  };
  const resolver: Resolver = {
    resolve4: (host) => answer(host, (ip) => !ip.includes(":")),
    resolve6: (host) => answer(host, (ip) => ip.includes("::")),
    resolveSrv: async (name) =>
      (await answer(name, () => true)).map((each) => ({ name: each.split(" ")[0] ?? "", port: Number(each.split(" ")[1]) })),
  };
  const metrics = recordedMetrics();
  const found: string[][] = [];
  const { listed = [], names = [], max = 10 } = given;
  const discovery = new Discovery(
    { listed, names, everyMs: 5_000, max },
    {
      ...{ clock, bus, resolver, log: silentLog, metrics: metrics.metrics },
      reached: (worker) => given.reached?.[worker],
      found: (addresses) => found.push([...addresses]),
    },
  );
  const announce = (address: string, ttlMs = 10_000, worker = "w") =>
    bus.publish(
      subjects.worker(worker),
      toBinary(WorkerAnnouncementSchema, create(WorkerAnnouncementSchema, { worker, address, ttlMs })),
    );
  return { clock, bus, zone, found, discovery, announce, metrics };
}

test("a static list is there at once, and nothing is looked up for it", () => {
  const { found, clock } = room({ listed: ["a:1", "b:1"] });
  expect([found, clock.waiting]).toEqual([[["a:1", "b:1"]], 0]);
});

test("a headless service's pods come and go with its records, of both families", async () => {
  const { found, clock, zone, discovery } = room({ names: ["workers.ns:7421"], zone: { "workers.ns": ["10.0.0.1"] } });
  await clock.advance(0);
  zone["workers.ns"] = ["10.0.0.1", "10.0.0.2", "fd00::3"];
  await clock.advance(5_000);
  zone["workers.ns"] = ["10.0.0.2"];
  await clock.advance(5_000);
  delete zone["workers.ns"];
  await clock.advance(5_000);
  expect(found).toEqual([["10.0.0.1:7421"], ["10.0.0.1:7421", "10.0.0.2:7421", "[fd00::3]:7421"], ["10.0.0.2:7421"], []]);
  discovery.close();
  await clock.advance(60_000);
  expect(clock.waiting).toBe(0);
});

test("SRV records bring their ports", async () => {
  const { found, clock } = room({
    names: ["_grpc._tcp.workers"],
    zone: { "_grpc._tcp.workers": ["b.workers. 7001", "a.workers 7002"] },
  });
  await clock.advance(0);
  expect(found).toEqual([["a.workers:7002", "b.workers:7001"]]);
});

test.each(["ESERVFAIL", "ETIMEOUT", "ECONNREFUSED"])("a DNS that says %s leaves the workers as they were", async (code) => {
  const { found, clock, zone } = room({ names: ["w:1"], zone: { w: ["10.0.0.1"] } });
  await clock.advance(0);
  zone["w"] = code;
  await clock.advance(60_000);
  zone["w"] = ["10.0.0.1", "10.0.0.2"];
  await clock.advance(5_000);
  expect(found).toEqual([["10.0.0.1:1"], ["10.0.0.1:1", "10.0.0.2:1"]]);
});

test("a worker is there while it says so, leaves when it says that, or after its silence", async () => {
  const { found, clock, announce, metrics } = room({ listed: ["a:1"] });
  announce("b:1", 10_000, "b");
  announce("c:1", 10_000, "c");
  await clock.advance(9_000);
  announce("c:1", 10_000, "c");
  await clock.advance(2_000);
  announce("c:1", 0, "c");
  expect(found).toEqual([["a:1"], ["a:1", "b:1"], ["a:1", "b:1", "c:1"], ["a:1", "c:1"], ["a:1"]]);
  expect([metrics.max("workers_found"), clock.waiting]).toEqual([2, 0]);
});

test("with the bus away a new worker is found through DNS", async () => {
  const { found, clock, bus, zone, announce } = room({ names: ["w:1"] });
  bus.connected = false;
  expect(announce("b:1")).toBe(false);
  zone["w"] = ["10.0.0.9"];
  await clock.advance(5_000);
  expect(found).toEqual([["10.0.0.9:1"]]);
});

test("a worker of the list that also says its address is one worker", () => {
  const { found, announce } = room({ listed: ["worker-0.workers:1"], reached: { w0: "worker-0.workers:1" } });
  announce("10.0.0.1:1", 10_000, "w0");
  announce("10.0.0.2:1", 10_000, "w1");
  expect(found).toEqual([["worker-0.workers:1"], ["worker-0.workers:1", "10.0.0.2:1"]]);
});

test("what is no announcement, names no address, or is one too many, is left alone", async () => {
  const { found, bus, announce } = room({ listed: ["a:1"], max: 2 });
  bus.publish(subjects.worker("x"), new Uint8Array([1, 2, 3]));
  announce("no address");
  announce("b:1");
  announce("c:1");
  expect(found).toEqual([["a:1"], ["a:1", "b:1"]]);
});
