import { create, toBinary } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { MemoryBus } from "../lib/bus/memory.ts";
import { subjects } from "../lib/bus/subjects.ts";
import { FakeClock } from "../lib/clock.fake.ts";
import { silentLog } from "../lib/log.ts";
import { LeaveRequestSchema } from "../proto/gen/slipstream/v1/fleet_pb.ts";
import { Leaving } from "./leaving.ts";

function leaving() {
  const [bus, clock, said, quiet] = [new MemoryBus({ shared: true }), new FakeClock(), [] as string[], [] as (() => void)[]];
  const agent = {
    drain: (graceMs: number) => {
      said.push(`drain ${graceMs}`);
      return new Promise<void>((resolve) => quiet.push(resolve));
    },
    stay: () => void said.push("stay"),
  };
  const made = new Leaving({ worker: "w1" }, { bus, clock, agent, log: silentLog, changed: () => said.push("changed") });
  const ask = (ttlMs: number, worker = "w1") =>
    bus.publish(subjects.leave("w1"), toBinary(LeaveRequestSchema, create(LeaveRequestSchema, { worker, ttlMs, graceMs: 20_000 })));
  return { made, bus, clock, said, ask, quiet };
}

test("asked to leave it drains once, however often that is said, and stays when it is told to", () => {
  const { made, said, ask } = leaving();
  ask(5_000);
  ask(5_000);
  expect([said, made.active]).toEqual([["drain 20000", "changed"], true]);
  ask(0);
  ask(0);
  expect([said.slice(2), made.active]).toEqual([["stay", "changed"], false]);
});

test("when nothing is under way any more, it says so at once", async () => {
  const { said, ask, quiet } = leaving();
  ask(5_000);
  for (const end of quiet) end();
  await Promise.resolve();
  await Promise.resolve();
  expect(said).toEqual(["drain 20000", "changed", "changed"]);
});

test("a wish that nobody says again is over", async () => {
  const { clock, said, ask } = leaving();
  ask(5_000);
  await clock.advance(4_000);
  ask(5_000);
  await clock.advance(4_000);
  expect(said).toEqual(["drain 20000", "changed"]);
  await clock.advance(1_001);
  expect(said.slice(2)).toEqual(["stay", "changed"]);
});

test("what is meant for others, or is no message, is left alone", () => {
  const { made, bus, said, ask } = leaving();
  ask(5_000, "w2");
  bus.publish(subjects.leave("w1"), new Uint8Array([255, 3]));
  expect([said, made.active]).toEqual([[], false]);
  made[Symbol.dispose]();
  ask(5_000);
  expect(said).toEqual([]);
});
