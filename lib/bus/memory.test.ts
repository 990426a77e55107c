import { expect, test } from "vitest";
import { settle } from "../clock.fake.ts";
import type { Subscription } from "./bus.ts";
import { MemoryBus } from "./memory.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

function listen(subscription: Subscription): { heard: string[]; ended: Promise<void> } {
  const heard: string[] = [];
  const ended = (async () => {
    for await (const { subject, data } of subscription) heard.push(`${subject}=${new TextDecoder().decode(data)}`);
  })();
  return { heard, ended };
}

test("every subscriber whose pattern matches hears a message, once", async () => {
  const bus = new MemoryBus();
  const all = listen(bus.subscribe("load.>", { max: 10 }));
  const one = listen(bus.subscribe("load.*", { max: 10 }));
  const same = listen(bus.subscribe("load.a", { max: 10 }));
  const other = listen(bus.subscribe("lease.*", { max: 10 }));
  expect([bus.publish("load.a", bytes("1")), bus.publish("load.a.b", bytes("2")), bus.publish("none", bytes("3"))]).toEqual([
    true,
    true,
    true,
  ]);
  await settle();
  expect([all.heard, one.heard, same.heard, other.heard]).toEqual([["load.a=1", "load.a.b=2"], ["load.a=1"], ["load.a=1"], []]);
});

test("a slow reader loses the oldest, which is counted, and holds up nobody", async () => {
  const bus = new MemoryBus();
  const slow = bus.subscribe("a", { max: 3 });
  const quick = listen(bus.subscribe("a", { max: 100 }));
  for (let i = 0; i < 10; i++) bus.publish("a", bytes(String(i)));
  expect(slow.dropped).toBe(7);
  const late = listen(slow);
  await settle();
  expect(late.heard).toEqual(["a=7", "a=8", "a=9"]);
  expect(quick.heard).toHaveLength(10);
});

test("a disposed subscription hears no more and its reader ends", async () => {
  const bus = new MemoryBus();
  const subscription = bus.subscribe("a", { max: 3 });
  const reader = listen(subscription);
  bus.publish("a", bytes("1"));
  subscription[Symbol.dispose]();
  bus.publish("a", bytes("2"));
  await reader.ended;
  expect([reader.heard, subscription.dropped]).toEqual([["a=1"], 0]);
});

test("a closed bus says so, ends its readers, and takes no more", async () => {
  const bus = new MemoryBus();
  expect(bus.connected).toBe(true);
  const reader = listen(bus.subscribe("a", { max: 3 }));
  await bus.close();
  await reader.ended;
  expect([bus.connected, bus.publish("a", bytes("1"))]).toEqual([false, false]);
  const late = listen(bus.subscribe("a", { max: 3 }));
  await late.ended;
  expect(late.heard).toEqual([]);
});
