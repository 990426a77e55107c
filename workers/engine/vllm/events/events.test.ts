import { type AddressInfo, createServer, type Socket } from "node:net";
import { afterEach, expect, test } from "vitest";
import { systemClock } from "../../../../lib/clock.ts";
import { until } from "../../../../test/support/until.ts";
import { FakePublisher } from "../../../../test/support/vllm/publisher.ts";
import { type FeedOptions, KvFeed } from "./events.ts";

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close();
});

/** What is heard: hashes as they come, "lost" where all that was known is not. */
function follow(publisher: FakePublisher, options: Partial<FeedOptions> = {}) {
  const heard: string[] = [];
  const [live, replay] = publisher.ports;
  const at = { endpoint: `tcp://127.0.0.1:${live}`, replay: `tcp://127.0.0.1:${replay}`, topic: "", checkMs: 20, retryMs: 10 };
  const feed = new KvFeed(
    { ...at, ...options },
    {
      clock: systemClock,
      take: (messages) => {
        for (const message of messages) heard.push(message.kind === "cleared" ? "cleared" : message.hashes.join("+"));
      },
      lost: () => heard.push("lost"),
    },
  );
  open.push(feed);
  return { feed, heard };
}

async function start(options: Parameters<typeof FakePublisher.start>[0] = {}) {
  const publisher = await FakePublisher.start(options);
  open.push(publisher);
  let next = 1n;
  const store = (count = 1) => {
    for (let i = 0; i < count; i++)
      publisher.publish([
        { type: "BlockStored", block_hashes: [next++], parent_block_hash: null, token_ids: [1, 2], block_size: 2 },
      ]);
  };
  return { publisher, store };
}

const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => (from + index).toString(36));

test.each([[false], [true]])("what was told before and after it joined comes in order (listed form: %s)", async (listed) => {
  const { publisher, store } = await start({ listed });
  store(3);
  const { feed, heard } = follow(publisher);
  await until("it is there", () => feed.synced && publisher.subscribers === 1);
  store(40);
  await until("all is heard", () => heard.length >= 43);
  expect(heard).toEqual(numbers(1, 43));
});

test("one that is closed before its engine has answered leaves no connection", async () => {
  const silent = createServer();
  const sockets: Socket[] = [];
  silent.on("connection", (socket) => sockets.push(socket.resume()));
  await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
  open.push({ close: () => new Promise((resolve) => silent.close(resolve)) });
  const { port } = silent.address() as AddressInfo;
  const deps = { clock: systemClock, take: () => {}, lost: () => {} };
  const feed = new KvFeed({ endpoint: `tcp://127.0.0.1:${port}`, replay: undefined, topic: "" }, deps);
  await until("it is connected", () => sockets.length === 1);
  feed.close();
  await until("it has left", () => sockets[0]?.destroyed === true);
});

test("what is lost on the way is asked for again", async () => {
  const { publisher, store } = await start();
  const { feed, heard } = follow(publisher);
  await until("it is there", () => feed.synced && publisher.subscribers === 1);
  store(2);
  publisher.loseNext = 3;
  store(5);
  await until("all is heard", () => heard.length >= 7);
  expect(heard).toEqual(numbers(1, 7));
  publisher.loseNext = 1;
  store(1);
  // Nothing comes after it: found by asking now and then.
  await until("the last one is heard", () => heard.length >= 8);
});

test("of many that were missed only some are given out in one turn of the loop, all in order", async () => {
  const { publisher, store } = await start();
  store(1_000);
  const { feed, heard } = follow(publisher);
  const most = { turn: 0, heard: 0 };
  const next = () => {
    most.turn = Math.max(most.turn, heard.length - most.heard);
    most.heard = heard.length;
    if (heard.length < 1_000) setImmediate(next);
  };
  setImmediate(next);
  await until("all is heard", () => feed.synced && heard.length >= 1_000);
  expect(heard).toEqual(numbers(1, 1_000));
  expect(most.turn).toBeGreaterThan(0);
  expect(most.turn).toBeLessThanOrEqual(64);
});

test("a gap older than what the engine keeps is told as a loss, and the rest goes on", async () => {
  const { publisher, store } = await start({ kept: 2 });
  const { feed, heard } = follow(publisher);
  await until("it is there", () => feed.synced && publisher.subscribers === 1);
  store(1);
  await until("one is heard", () => heard.length === 1);
  publisher.loseNext = 5;
  store(6);
  await until("the rest is heard", () => heard.at(-1) === "7");
  expect(heard).toEqual(["1", "lost", "6", "7"]);
});

test("without a replay endpoint a gap is a loss", async () => {
  const { publisher, store } = await start();
  const { heard } = follow(publisher, { replay: undefined });
  await until("it is there", () => publisher.subscribers === 1);
  store(2);
  publisher.loseNext = 1;
  store(2);
  await until("all is heard", () => heard.length === 4);
  expect(heard).toEqual(["1", "2", "lost", "4"]);
});

test("a connection that breaks is made again, and nothing is missed", async () => {
  const { publisher, store } = await start();
  const { feed, heard } = follow(publisher);
  await until("it is there", () => feed.synced && publisher.subscribers === 1);
  store(2);
  await until("two are heard", () => heard.length === 2);
  publisher.cut();
  store(2);
  await until("it is back", () => publisher.subscribers === 1);
  store(1);
  await until("all is heard", () => heard.length >= 5);
  expect(heard).toEqual(numbers(1, 5));
});

test("an engine that was started again is another one: all that was known is lost", async () => {
  const { publisher, store } = await start();
  const { feed, heard } = follow(publisher);
  await until("it is there", () => feed.synced && publisher.subscribers === 1);
  store(3);
  await until("three are heard", () => heard.length === 3);
  const { ports } = publisher;
  await publisher.close();
  const again = await start({ ports });
  again.store(1);
  await until("it is heard", () => heard.length >= 5);
  expect(heard).toEqual(["1", "2", "3", "lost", "1"]);
});

test("an engine that stays away loses what was known", async () => {
  const { publisher, store } = await start();
  const { feed, heard } = follow(publisher, { lostMs: 50 });
  await until("it is there", () => feed.synced && publisher.subscribers === 1);
  store(1);
  await until("one is heard", () => heard.length === 1);
  await publisher.close();
  await until("it is told", () => heard.at(-1) === "lost");
  expect(feed.synced).toBe(false);
});

test("garbage is a loss, and what comes after it is heard", async () => {
  const { publisher, store } = await start();
  const { feed, heard } = follow(publisher);
  await until("it is there", () => feed.synced && publisher.subscribers === 1);
  publisher.publishRaw(Buffer.from("no message at all"));
  store(1);
  await until("both are heard", () => heard.length >= 2);
  expect(heard).toEqual(["lost", "1"]);
});

test("however often the stream breaks, it asks no oftener whether something was missed", async () => {
  const { publisher } = await start();
  // A question now and then, of which few fall within this test; one more for each time that it connects.
  const { feed } = follow(publisher, { checkMs: 200, retryMs: 2, retryMaxMs: 2 });
  for (let turn = 0; turn < 12; turn++) {
    await until("it is there", () => feed.synced && publisher.subscribers === 1);
    const asked = publisher.replays;
    publisher.cut();
    await until("it is there anew, and has asked", () => publisher.replays > asked);
  }
  await until("it is there again", () => feed.synced && publisher.subscribers === 1);
  const before = publisher.replays;
  await systemClock.sleep(1_000);
  expect(publisher.replays - before).toBeLessThan(8);
});
