// What is asked at the start, of a server that speaks trtllm-serve's HTTP (sim/tensorrt/serve.ts).
import { afterEach, expect, test } from "vitest";
import { systemClock } from "../../../lib/clock.ts";
import { seeded } from "../../../lib/random.ts";
import { type ServeOptions, StandInServe } from "../../../sim/tensorrt/serve.ts";
import { HttpEngine } from "../http.ts";
import { probe } from "./probe.ts";

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close();
});

async function probed(serve: ServeOptions = {}, options: Parameters<typeof probe>[2] = {}) {
  const stand = await StandInServe.start(serve);
  open.push({ close: () => stand.kill() });
  const http = new HttpEngine({ url: stand.url, connectionsMax: 4 }, { clock: systemClock });
  open.push(http);
  const deps = { clock: systemClock, random: seeded(1), signal: new AbortController().signal };
  return { found: await probe(http, deps, options), stand };
}

test("its first events are kept, also of a buffer of many megabytes that nobody has read", async () => {
  const { found } = await probed({ eventsPadding: 12 << 20 });
  expect(found.kvEvents).toContain('"type": "stored"');
});

test("more events than are ever read at once are lost, and it tells events all the same", async () => {
  const { found } = await probed({ eventsPadding: 65 << 20 });
  expect(found.kvEvents).toBe("[]");
});

test("events of another reader are not touched", async () => {
  const { found, stand } = await probed({}, { kvEvents: false });
  expect([found.kvEvents, stand.eventReads]).toEqual([undefined, 0]);
});

test.each<[at: "completion" | "chat", priority: boolean]>([
  ["completion", false],
  ["chat", true],
])(
  "a priority that only the page for %s takes is one: %s, since prompts of tenants go to the one for chat",
  async (at, priority) => {
    const { found } = await probed({ priorityAt: [at] });
    expect([found.salt, found.priority]).toEqual(["chat", priority]);
  },
);
