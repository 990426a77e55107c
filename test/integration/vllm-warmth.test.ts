// A worker before an engine that speaks vLLM's HTTP: what it does before it serves, while nobody asks, and what it says on the bus.
import { fromBinary } from "@bufbuild/protobuf";
import { afterEach, expect, test } from "vitest";
import { startFleet } from "../../bench/vllm/fleet.ts";
import { MemoryBus } from "../../lib/bus/memory.ts";
import { subjects } from "../../lib/bus/subjects.ts";
import { systemClock } from "../../lib/clock.ts";
import { Lifecycle } from "../../lib/lifecycle.ts";
import { silentLog } from "../../lib/log.ts";
import { seeded } from "../../lib/random.ts";
import { TriggerKind } from "../../proto/gen/slipstream/v1/completion_pb.ts";
import { type WorkerAnnouncement, WorkerAnnouncementSchema } from "../../proto/gen/slipstream/v1/fleet_pb.ts";
import { readWorkerConfig } from "../../workers/config.ts";
import { startWorker } from "../../workers/main.ts";
import { until } from "../support/until.ts";
import { type FakeOptions, FakeVllm } from "../support/vllm/fake-vllm.ts";

const open: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

async function engine(options: FakeOptions = {}) {
  const fake = await FakeVllm.start({ text: () => "a + b;\n}\n", ...options });
  open.push(() => fake.kill());
  return fake;
}

async function fleet(fake: FakeVllm, worker: Record<string, string>) {
  const made = await startFleet([fake.url], { worker });
  open.push(() => made.end());
  return made;
}

/** Without what the engine is asked to find out what it can do. */
const warmUps = ({ requests }: FakeVllm) => requests.filter(({ cache_salt: salt }) => salt === "warm-up").length;

const place = (name: string, model = "") => ({
  ...{ kind: TriggerKind.INVOKED, language: "typescript", path: `${name}.ts`, deadlineMs: 8_000, model },
  ...{ prefix: `export function ${name}(a: number, b: number) {\n  return `, suffix: "\n}\n" },
});

test("a worker is ready when its engine has run the generations that its pool asks for, the last of them together", async () => {
  const fake = await engine({ stepMs: 5 });
  const settings = { SLIPSTREAM_WORKER_WARM_UP: "9", SLIPSTREAM_WORKER_SLOTS: "3" };
  let most = 0;
  const watch = setInterval(() => {
    most = Math.max(most, fake.running);
  }, 1);
  open.push(async () => clearInterval(watch));
  await fleet(fake, settings);
  expect([warmUps(fake), most]).toEqual([9, 3]);
});

test("asked for no warm-up, it serves at once", async () => {
  const fake = await engine();
  await fleet(fake, { SLIPSTREAM_WORKER_WARM_UP: "0" });
  expect(warmUps(fake)).toBe(0);
});

test("an engine that nobody asks sleeps, and wakes for the next completion, which waits for that", async () => {
  const fake = await engine();
  const { ask } = await fleet(fake, { SLIPSTREAM_WORKER_ENGINE_SLEEP: "50ms" });
  const asleep = async () => ((await (await fetch(`${fake.url}/is_sleeping`)).json()) as { is_sleeping: boolean }).is_sleeping;
  for (let nap = 0; nap < 2; nap++) {
    await until("it sleeps", asleep);
    expect((await ask(place(`add${nap}`))).text).toContain("a + b;");
  }
});

test("an adapter is a model of its own, from a client's call to the engine", async () => {
  const fake = await engine({ adapters: true });
  const { ask } = await fleet(fake, { SLIPSTREAM_WORKER_ADAPTERS: "style=/adapters/style" });
  const before = fake.requests.length;
  for (const model of ["style", "tiny"]) expect((await ask(place("add", model))).text).toContain("a + b;");
  expect(fake.requests.slice(before).map(({ model }) => model)).toEqual(["style", "tiny"]);
});

test("what the engine drafts, and how much of it holds, is said on the bus with the worker's place", async () => {
  const fake = await engine({ perStep: 3 });
  const bus = new MemoryBus();
  const said: WorkerAnnouncement[] = [];
  bus.listen(subjects.allWorkers, ({ data }) => void said.push(fromBinary(WorkerAnnouncementSchema, data)));
  const deps = { clock: systemClock, random: seeded(1), log: silentLog };
  const lifecycle = new Lifecycle({ graceMs: 1_000 }, deps);
  open.push(() => lifecycle.end("it is over"));
  const anyPort = { SLIPSTREAM_WORKER_ADDRESS: "127.0.0.1:0", SLIPSTREAM_WORKER_ADMIN_ADDRESS: "127.0.0.1:0" };
  const config = readWorkerConfig({ ...anyPort, SLIPSTREAM_WORKER_ENGINE: "vllm", SLIPSTREAM_WORKER_ENGINE_URL: fake.url });
  await startWorker(config, { lifecycle, ...deps, bus });
  await until("its drafts are said", async () => (said.at(-1)?.drafts?.drafted ?? 0n) > 0n, 10_000);
  const { drafts } = said.at(-1) as WorkerAnnouncement;
  expect(drafts?.accepted).toBeGreaterThan(0n);
  expect(drafts?.accepted).toBeLessThanOrEqual(drafts?.drafted as bigint);
  expect(drafts?.acceptedShare).toHaveLength(2);
});
