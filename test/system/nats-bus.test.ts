import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Bus, Subscription } from "../../lib/bus/bus.ts";
import { NatsBus, type NatsOptions } from "../../lib/bus/nats.ts";
import { systemClock } from "../../lib/clock.ts";
import { silentLog } from "../../lib/log.ts";
import { Authority } from "../support/certificates.ts";
import { natsServer, startNats, storedIn } from "../support/nats.ts";
import { freePort } from "../support/ports.ts";

const here = test.skipIf(natsServer.path === undefined);
const bytes = (text: string) => new TextEncoder().encode(text);
const kept = { stream: "OUTCOMES", subjects: ["out.*"], maxAgeMs: 60_000, maxBytes: 1 << 20, idsMs: 60_000 };
const start = (servers: string) =>
  new NatsBus({ servers: [servers], name: "test", connectTimeoutMs: 5_000, kept }, { clock: systemClock, log: silentLog });

async function connect(servers: string): Promise<NatsBus> {
  const bus = start(servers);
  await expect.poll(() => bus.connected, { timeout: 10_000 }).toBe(true);
  return bus;
}

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

here("a server that is not there at the start is joined when it comes, by those who listened before", async () => {
  const port = await freePort();
  const bus = start(`127.0.0.1:${port}`);
  const heard: string[] = [];
  using _ = bus.listen("a", ({ data }) => heard.push(new TextDecoder().decode(data)));
  expect([bus.connected, bus.publish("a", bytes("lost"))]).toEqual([false, false]);
  await expect(bus.append("out.a", bytes("lost"), "1")).rejects.toMatchObject({ code: "unavailable" });
  await using _server = await startNats(port);
  await expect.poll(() => bus.connected, { timeout: 20_000 }).toBe(true);
  const said = () => {
    bus.publish("a", bytes("here"));
    return heard.length;
  };
  await expect.poll(said).toBeGreaterThan(0);
  expect(new Set(heard)).toEqual(new Set(["here"]));
  await bus.close();
});

here("closing does not wait for a server that never came", async () => {
  const bus = start(`127.0.0.1:${await freePort()}`);
  await bus.close();
  expect([bus.connected, bus.publish("a", bytes("late"))]).toEqual([false, false]);
});

here("closing does not wait for a server that takes connections and says nothing", async () => {
  const silent = createServer(() => {});
  await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
  const { port } = silent.address() as { port: number };
  const bus = new NatsBus(
    { servers: [`127.0.0.1:${port}`], name: "test", connectTimeoutMs: 60_000 },
    { clock: systemClock, log: silentLog },
  );
  await once(silent, "connection");
  await bus.close();
  silent.close();
});

here("a record is kept once under its id, over a kill of the server", async () => {
  await using first = await startNats();
  const port = Number(first.address.split(":").at(-1));
  const bus = await connect(first.address);
  for (const id of ["1", "2", "1"]) await bus.append("out.r", bytes(id), id);
  await first.kill();
  await expect.poll(() => bus.connected, { timeout: 10_000 }).toBe(false);
  await expect(bus.append("out.r", bytes("3"), "3")).rejects.toMatchObject({ code: "unavailable" });
  await using second = await startNats(port, first.folder);
  await expect.poll(() => bus.connected, { timeout: 20_000 }).toBe(true);
  for (const id of ["2", "3"])
    await expect
      .poll(() =>
        bus.append("out.r", bytes(id), id).then(
          () => "kept",
          () => "not yet",
        ),
      )
      .toBe("kept");
  expect(await storedIn(second.address, kept.stream)).toEqual(["out.r 1", "out.r 2", "out.r 3"]);
  await bus.close();
});

here("a record that no server takes is refused at once, and not tried for ever", async () => {
  await using nats = await startNats();
  const bus = await connect(nats.address);
  await expect(bus.append("out.r", new Uint8Array(2 << 20), "1")).rejects.toMatchObject({ code: "invalid_request" });
  await bus.close();
});

here("a closed bus ends its readers, takes nothing more and gives nothing more", async () => {
  await using nats = await startNats();
  const bus = await connect(nats.address);
  const reading = take(bus.subscribe("a", { max: 10 }), 1);
  await bus.flush();
  await bus.close();
  expect(await reading).toEqual([]);
  expect([bus.connected, bus.publish("a", bytes("late"))]).toEqual([false, false]);
  const late = bus.subscribe("a", { max: 10 });
  expect(await take(late, 1)).toEqual([]);
  late[Symbol.dispose]();
});

here("a disposed subscription hears no more and its reader ends", async () => {
  await using nats = await startNats();
  const bus = await connect(nats.address);
  const subscription = bus.subscribe("a", { max: 10 });
  const reading = take(subscription, 2);
  bus.publish("a", bytes("1"));
  await bus.flush();
  subscription[Symbol.dispose]();
  bus.publish("a", bytes("2"));
  await bus.flush();
  expect(await reading).toEqual(["a 1"]);
  await bus.close();
});

here("a message the server would not take is refused, and the bus lives", async () => {
  await using nats = await startNats();
  const bus = await connect(nats.address);
  expect(bus.publish("a", new Uint8Array(2 << 20))).toBe(false);
  expect(bus.publish("no spaces", bytes("x"))).toBe(false);
  using all = bus.subscribe("a", { max: 10 });
  expect(await publishUntil(bus, "a", "fine", take(all, 1))).toEqual(["a fine"]);
  await bus.close();
});

here("a server that hangs costs a bounded buffer, then publish says false until it is read", async () => {
  await using nats = await startNats();
  const bus = await connect(nats.address);
  await nats.freeze();
  const message = new Uint8Array(64 << 10);
  let taken = 0;
  while (bus.publish("a", message)) {
    taken += 1;
    if (taken % 16 === 0) await new Promise((resolve) => setImmediate(resolve));
    if (taken > 1_000) break;
  }
  expect(taken).toBeGreaterThan(16);
  expect(taken).toBeLessThanOrEqual(128);
  nats.thaw();
  await expect.poll(() => bus.publish("a", message), { timeout: 10_000 }).toBe(true);
  await bus.close();
});

here("a server that reads never makes the buffer meet its bound", async () => {
  await using nats = await startNats();
  const bus = await connect(nats.address);
  const message = new Uint8Array(32 << 10);
  let refused = 0;
  for (let i = 0; i < 2_000; i++) {
    if (!bus.publish("a", message)) refused += 1;
    if (i % 8 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  }
  expect(refused).toBe(0);
  await bus.close();
});

here("a server that asks for TLS and a password lets in who has both, and who corrects them", async () => {
  const folder = mkdtempSync(join(tmpdir(), "slipstream-nats-tls-"));
  const authority = await Authority.create();
  const { cert, key } = await authority.issue();
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const [natsTlsCa, natsTlsCert, natsTlsKey] = [file("ca", authority.cert), file("cert", cert), file("key", key)];
  const asks = [
    "--user",
    "slip",
    "--pass",
    "stream",
    "--tlsverify",
    "--tlscacert",
    natsTlsCa,
    "--tlscert",
    natsTlsCert,
    "--tlskey",
    natsTlsKey,
  ];
  await using nats = await startNats(0, undefined, asks);
  const as = (given: Partial<NatsOptions>) =>
    new NatsBus(
      { servers: [nats.address], name: "test", connectTimeoutMs: 2_000, ...given },
      { clock: systemClock, log: silentLog },
    );
  const tls = { natsTlsCa, natsTlsCert, natsTlsKey };
  const [right, wrong, clear] = [
    as({ ...tls, natsUser: "slip", natsPassword: "stream" }),
    as({ ...tls, natsUser: "slip", natsPassword: "no" }),
    as({ natsUser: "slip", natsPassword: "stream" }),
  ];
  // A CA that is not there yet is read at the next try.
  const late = as({ ...tls, natsTlsCa: join(folder, "later"), natsUser: "slip", natsPassword: "stream" });
  await expect.poll(() => right.connected, { timeout: 10_000 }).toBe(true);
  file("later", authority.cert);
  await expect.poll(() => late.connected, { timeout: 10_000 }).toBe(true);
  expect([wrong.connected, clear.connected]).toEqual([false, false]);
  for (const bus of [right, wrong, clear, late]) await bus.close();
  rmSync(folder, { recursive: true, force: true });
});
