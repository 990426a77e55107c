import { expect, test } from "vitest";
import type { Bus, Subscription } from "../../lib/bus/bus.ts";
import { NatsBus } from "../../lib/bus/nats.ts";
import { silentLog } from "../../lib/log.ts";
import { natsServer, startNats } from "../support/nats.ts";

const here = test.skipIf(natsServer.path === undefined);
const bytes = (text: string) => new TextEncoder().encode(text);
const connect = (servers: string) => NatsBus.connect({ servers, name: "test", connectTimeoutMs: 5_000 }, { log: silentLog });

async function take(subscription: Subscription, count: number): Promise<string[]> {
  const found: string[] = [];
  for await (const { subject, data } of subscription) {
    found.push(`${subject} ${new TextDecoder().decode(data)}`);
    if (found.length === count) break;
  }
  return found;
}

/** Publishes until the reader has something: a new subscription and a new connection take a moment to be known. */
async function publishUntil(bus: Bus, subject: string, text: string, read: Promise<string[]>): Promise<string[]> {
  let result: string[] | undefined;
  const done = read.then((found) => {
    result = found;
  });
  while (!result) {
    bus.publish(subject, bytes(text));
    await Promise.race([done, new Promise((resolve) => setTimeout(resolve, 20))]);
  }
  return result;
}

here("what one process publishes another receives by its pattern, in order", async () => {
  await using nats = await startNats();
  const [a, b] = await Promise.all([connect(nats.address), connect(nats.address)]);
  using all = b.subscribe("load.>", { max: 100 });
  await b.flush();
  for (const pool of ["x", "y", "z"]) expect(a.publish(`load.${pool}`, bytes(pool))).toBe(true);
  a.publish("other.x", bytes("not this one"));
  expect(await take(all, 3)).toEqual(["load.x x", "load.y y", "load.z z"]);
  await Promise.all([a.close(), b.close()]);
});

here("a reader that is slow loses the oldest, and the loss is counted", async () => {
  await using nats = await startNats();
  const bus = await connect(nats.address);
  using few = bus.subscribe("n", { max: 2 });
  await bus.flush();
  for (const text of ["1", "2", "3", "4", "5"]) bus.publish("n", bytes(text));
  await bus.flush();
  await expect.poll(() => few.dropped).toBe(3);
  expect(await take(few, 2)).toEqual(["n 4", "n 5"]);
  await bus.close();
});

here("while the server is away publish says false; when it is back, subscriptions are too", async () => {
  await using first = await startNats();
  const port = Number(first.address.split(":").at(-1));
  const bus = await connect(first.address);
  using all = bus.subscribe(">", { max: 10 });
  await bus.flush();
  await first.kill();
  await expect.poll(() => bus.connected, { timeout: 10_000 }).toBe(false);
  expect(bus.publish("a", bytes("lost"))).toBe(false);
  await using _second = await startNats(port);
  await expect.poll(() => bus.connected, { timeout: 20_000 }).toBe(true);
  expect(await publishUntil(bus, "a", "back", take(all, 1))).toEqual(["a back"]);
  await bus.close();
});

here("a server that cannot be reached is an unavailable error that names it", async () => {
  await expect(connect("127.0.0.1:1")).rejects.toMatchObject({
    code: "unavailable",
    message: expect.stringContaining("127.0.0.1:1"),
  });
});
