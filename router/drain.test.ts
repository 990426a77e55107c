// How a router is taken out of service, as its sessions, other routers and whoever asks see it.
import { expect, test } from "vitest";
import { FakeClock } from "../lib/clock.fake.ts";
import { Status_Kind } from "../proto/gen/slipstream/v1/completion_pb.ts";
import { hello, routed } from "../test/support/routed.ts";
import { Drain } from "./drain.ts";

function world() {
  const clock = new FakeClock();
  const left = { sessions: 2, triggers: 1 };
  const said: string[] = [];
  const drain = new Drain({
    clock,
    left: () => left,
    handOver: () => said.push("hands over"),
    ready: (ready) => said.push(ready ? "ready" : "not ready"),
  });
  return { clock, left, said, drain };
}

test("it is not ready first and serves on, then sessions are told, and it is drained when nothing is left", async () => {
  const { clock, left, said, drain } = world();
  expect(drain.told).toEqual({ process: "router", state: "serving", sessions: 2, triggers: 1 });
  drain.begin("admin", 5_000);
  await clock.advance(4_999);
  expect([said, drain.told.state, drain.signal.aborted]).toEqual([["not ready"], "leaving", false]);
  await clock.advance(1);
  expect([said, drain.told.state, drain.signal.aborted]).toEqual([["not ready", "hands over"], "moving", true]);
  left.sessions = 0;
  expect(drain.told.state).toBe("moving");
  left.triggers = 0;
  expect(drain.told).toEqual({ process: "router", state: "drained", sessions: 0, triggers: 0 });
});

test.each<[name: string, first: number, second: number, movesAfter: number]>([
  ["one who waits less brings it forward", 5_000, 1_000, 1_000],
  ["one who would wait longer does not hold it up", 1_000, 5_000, 1_000],
  ["one who does not wait at all begins at once", 5_000, 0, 0],
])("of two who ask, %s", async (_, first, second, movesAfter) => {
  const { clock, drain } = world();
  drain.begin("admin", first);
  drain.begin("end", second);
  if (movesAfter > 0) await clock.advance(movesAfter - 1);
  expect(drain.signal.aborted).toBe(movesAfter === 0);
  await clock.advance(1);
  expect(drain.signal.aborted).toBe(true);
  expect(clock.waiting).toBe(0);
});

test("taken back before sessions were told, nobody was; taken back after, the next are not", async () => {
  const { clock, said, drain } = world();
  const first = drain.signal;
  drain.begin("admin", 1_000);
  drain.undo("admin");
  await clock.advance(2_000);
  expect([said, drain.told.state, drain.signal === first, first.aborted]).toEqual([["not ready", "ready"], "serving", true, false]);
  drain.begin("admin", 0);
  expect(first.aborted).toBe(true);
  drain.undo("admin");
  expect([drain.told.state, drain.signal.aborted]).toEqual(["serving", false]);
  // Twice is once, and it can be drained again.
  drain.undo("admin");
  drain.begin("admin", 0);
  expect(said.slice(2)).toEqual(["not ready", "hands over", "ready", "not ready", "hands over"]);
});

test("the end of the process is not taken back by an administrator", () => {
  const { said, drain } = world();
  drain.begin("admin", 0);
  drain.begin("end", 0);
  drain.undo("admin");
  expect([drain.active, drain.signal.aborted, said.includes("ready")]).toEqual([true, true, false]);
});

test("a session that opens after a drain was taken back is not told of it", async () => {
  const made = routed();
  await made.workers.welcome("w1");
  made.draining.abort();
  const told = made.session();
  await told.say(hello);
  expect(told.of("status")).toMatchObject([{ kind: Status_Kind.DRAINING }]);
  made.stays();
  const untold = made.session();
  await untold.say(hello);
  expect([untold.of("status"), made.router.draining.aborted]).toEqual([[], false]);
});
