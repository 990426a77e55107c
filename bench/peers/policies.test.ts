import { expect, test } from "vitest";
import { seeded } from "../../lib/random.ts";
import { type PolicyName, policies } from "./policies.ts";

const idle = [0, 0, 0, 0];
const prompt = (session: string, length = 400) => `${session} ${"x".repeat(length)}`;
const picks = (name: PolicyName) => policies[name](4, seeded(1));
const sessions = Array.from({ length: 200 }, (_, nth) => `p${nth}`);

test.each(["direct", "ring_hash"] as const)("%s keeps a session where it is, whatever the load", (name) => {
  const pick = picks(name);
  for (const session of sessions) {
    const worker = pick({ session, prompt: prompt(session) }, idle);
    expect(pick({ session, prompt: "another" }, [9, 9, 9, 9].with(worker, 90))).toBe(worker);
  }
});

test.each(["cache_aware", "spill"] as const)("%s sends a prompt where it began, until load is out of balance", (name) => {
  const pick = picks(name);
  const ask = { session: "p0", prompt: prompt("p0") };
  const holder = pick(ask, idle);
  const grown = { session: "p0", prompt: `${ask.prompt}yy` };
  expect(pick(grown, [3, 3, 3, 3].with(holder, 5))).toBe(holder);
  expect(pick(grown, [3, 3, 3, 3].with(holder, 40))).not.toBe(holder);
});

test("least_request takes the less busy of two, so the busiest gets least", () => {
  const pick = picks("least_request");
  const counts = [0, 0, 0, 0];
  for (const session of sessions) (counts[pick({ session, prompt: "" }, [0, 1, 2, 30])] as number) += 1;
  expect(counts[3]).toBeLessThan(counts[0] as number);
});

test("every policy spreads sessions over all workers", () => {
  for (const name of ["direct", "ring_hash", "cache_aware", "least_request"] as const) {
    const pick = picks(name);
    expect(new Set(sessions.map((session) => pick({ session, prompt: prompt(session) }, idle))).size, name).toBe(4);
  }
});
