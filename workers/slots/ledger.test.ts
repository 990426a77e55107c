import { expect, test } from "vitest";
import { FakeClock } from "../../lib/clock.fake.ts";
import type { Demand, WorkerFrame } from "../../proto/gen/slipstream/v1/worker_pb.ts";
import type { Lane } from "../generation.ts";
import { Ledger } from "./ledger.ts";

function books(slots = 2) {
  const clock = new FakeClock();
  const ledger = new Ledger({ slots, graceMs: 1_000, routersMax: 3 }, { clock });
  const join = (router: string, channel = "inline") => {
    const inline: number[] = [];
    const stream = ledger.join(router, channel, (frame: WorkerFrame) => {
      if (frame.frame.case === "credits") inline.push(frame.frame.value.inline);
    });
    const demand = (count: number) => stream.demand({ inline: count, chat: 0, speculative: 0, batch: 0 } as Demand);
    const claims = (count: number, lane: Lane = "inline") => Array.from({ length: count }, () => stream.claim(lane));
    return { stream, inline, demand, claims };
  };
  return { clock, ledger, join };
}

test("claims up to the credits are granted, one more is refused by name, and each end gives one back", async () => {
  const { clock, join } = books();
  const a = join("a");
  const claims = a.claims(3);
  expect(() => a.stream.claim("inline")).toThrow("submit.lane: 3 credits of lane inline, all used");
  claims[0]?.[Symbol.dispose]();
  claims[0]?.[Symbol.dispose]();
  a.claims(1);
  expect(() => a.stream.claim("inline")).toThrow();
  await clock.advance(0);
});

test("frames that arrive together change the shares once", async () => {
  const { clock, join } = books(8);
  const [a, b] = [join("a"), join("b")];
  await clock.advance(0);
  const before = b.inline.length;
  for (let i = 1; i <= 9; i++) a.demand(i);
  await clock.advance(0);
  expect(b.inline.slice(before)).toEqual([1]);
});

test("a claim in good faith is granted for a while after the credits fell", async () => {
  const { clock, join } = books();
  const a = join("a");
  join("b").demand(9);
  await clock.advance(0);
  expect(a.inline.at(-1)).toBe(1);
  const claims = a.claims(3);
  for (const claim of claims) claim[Symbol.dispose]();
  await clock.advance(1_500);
  a.claims(1);
  expect(() => a.claims(2)).toThrow("all used");
});

test("text that waits for its reader stays on the router's account but takes no slot from anyone", async () => {
  const { clock, join } = books();
  const [a, b] = [join("a"), join("b")];
  const [claim] = a.claims(1);
  b.demand(9);
  await clock.advance(0);
  expect(b.inline.at(-1)).toBe(2);
  claim?.idle();
  await clock.advance(0);
  expect([a.inline.at(-1), b.inline.at(-1)]).toEqual([2, 3]);
  claim?.[Symbol.dispose]();
  await clock.advance(0);
  expect(a.inline.at(-1)).toBe(1);
});

test("two streams of a router share an account; a second stream of the same kind is another router of that name", async () => {
  const { clock, join } = books(5);
  const [inline, bulk] = [join("a"), join("a", "bulk")];
  expect([inline.inline.at(-1), bulk.inline.at(-1)]).toEqual([6, 6]);
  const twin = join("a");
  await clock.advance(0);
  expect([inline.inline.at(-1), bulk.inline.at(-1), twin.inline.at(-1)]).toEqual([3, 3, 3]);
  twin.stream[Symbol.dispose]();
  await clock.advance(0);
  expect(inline.inline.at(-1)).toBe(6);
});

test("closed, nobody has credits and claims are refused as draining, even within the grace", async () => {
  const { clock, ledger, join } = books();
  const a = join("a");
  ledger.close();
  await clock.advance(0);
  expect(a.inline.at(-1)).toBe(0);
  expect(() => a.stream.claim("inline")).toThrow("takes no new work");
  ledger.reopen();
  await clock.advance(0);
  expect(a.inline.at(-1)).toBe(3);
});

test("routers beyond the most are refused", () => {
  const { join } = books();
  for (const name of ["a", "b", "c"]) join(name);
  expect(() => join("d")).toThrow("3 routers are connected");
});
