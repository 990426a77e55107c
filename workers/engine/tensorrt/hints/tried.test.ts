// How a trtllm-serve wants to be told is tried out, on a server that speaks its HTTP (sim/tensorrt/serve.ts).
import { afterEach, expect, test } from "vitest";
import { systemClock } from "../../../../lib/clock.ts";
import { seeded } from "../../../../lib/random.ts";
import { type ServeOptions, StandInServe } from "../../../../sim/tensorrt/serve.ts";
import { HttpEngine } from "../../http.ts";
import { tryTruncating } from "./tried.ts";

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close();
});

async function tried(serve: ServeOptions, more: { tries?: number; priority?: boolean } = {}) {
  const stand = await StandInServe.start(serve);
  open.push({ close: () => stand.kill() });
  const http = new HttpEngine({ url: stand.url, connectionsMax: 2 }, { clock: systemClock });
  open.push(http);
  const deps = { clock: systemClock, random: seeded(1), signal: new AbortController().signal };
  const asking = { ask: (path: string, body: object) => http.ask(path, body) };
  return tryTruncating({ model: "slipstream-fim", priority: true, blockTokens: 32, ...more }, { ...deps, ...asking });
}

test.each<[name: string, serve: ServeOptions, less: number | undefined]>([
  ["keeps a block more than it is told: it is told a token less", {}, 1],
  ["keeps what it is told: it is told that", { truncates: "as_told" }, 0],
  ["keeps all: it is told nothing", { truncates: "nothing" }, undefined],
  ["has no such page: it is told nothing", { speaks: "1.2", quietMs: 10 }, undefined],
  ["takes no priority where prompts would go then: it is told nothing", { priorityAt: ["chat"] }, undefined],
])("one that %s", async (_, serve, less) => {
  expect((await tried(serve))?.less).toBe(less);
});

test("it has not done it yet when it answers: looked at once, it seems to do nothing", async () => {
  expect(await tried({}, { tries: 1 })).toBeUndefined();
});
