// What the router expects a key to cost against what the embedded engine computed, through a whole router: a person types in a
// session over gRPC, and the process's own counter says how often both agreed.
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { longSources } from "../../bench/keys/sources.ts";
import { MemoryBus } from "../../lib/bus/memory.ts";
import { systemClock } from "../../lib/clock.ts";
import { GrpcClient } from "../../lib/grpc/client.ts";
import { Lifecycle } from "../../lib/lifecycle.ts";
import { silentLog } from "../../lib/log.ts";
import { packageRoot } from "../../lib/package-root.ts";
import { seeded } from "../../lib/random.ts";
import { CompletionService } from "../../proto/gen/slipstream/v1/completion_pb.ts";
import { readRouterConfig } from "../../router/config.ts";
import { type RunningRouter, startRouter } from "../../router/main.ts";
import { EditorClient } from "../../sim/editor-client.ts";
import { EmbeddedEngine } from "../../workers/engine/embedded/embedded.ts";
import { workerService } from "../../workers/service.ts";
import { agentDefaults, createAgent } from "../../workers/wire.ts";
import { startServer } from "../support/platform.ts";

const deps = { clock: systemClock, log: silentLog };
const lifecycle = new Lifecycle({ graceMs: 2_000 }, deps);
let running: RunningRouter;
beforeAll(async () => {
  const random = seeded(1);
  const modelPath = join(packageRoot(), "models/slipstream-fim-13m-q8_0.gguf");
  const engine = lifecycle.use(await EmbeddedEngine.start({ modelPath, slots: 1 }, deps));
  const agent = createAgent({ ...agentDefaults, worker: "w1", pool: "p" }, { clock: systemClock, random, engine });
  const worker = await startServer("worker", workerService(agent));
  lifecycle.use({ name: "worker", close: () => worker.close() });
  const config = readRouterConfig({
    SLIPSTREAM_ROUTER_GRPC_ADDRESS: "127.0.0.1:0",
    SLIPSTREAM_ROUTER_HTTP_ADDRESS: "127.0.0.1:0",
    SLIPSTREAM_ROUTER_ADMIN_ADDRESS: "127.0.0.1:0",
    SLIPSTREAM_ROUTER_WORKERS: `127.0.0.1:${worker.port}`,
  });
  running = await startRouter(config, { ...deps, lifecycle, random, bus: new MemoryBus() });
  await running.ready;
}, 60_000);
afterAll(() => lifecycle.end("the test is over"));

/** Many of them are answered from what was shown. */
const keys = 480;

test("the router knows within a block what the embedded engine will compute for a key", async () => {
  const client = new GrpcClient({ address: `127.0.0.1:${running.ports.grpc}` });
  const editor = new EditorClient(
    { session: "s1", workspace: "w", deadlineMs: 30_000, maxTokens: 2, stream: false, reconnectMs: 250 },
    { clock: systemClock, connect: () => client.duplex(CompletionService.method.session) },
  );
  const [source] = longSources();
  const { text } = source as { text: string };
  const from = text.length >> 1;
  await systemClock.sleep(200);
  editor.open({ id: "d", path: "a.ts", language: "typescript", text: text.slice(0, from) + text.slice(from + keys) });
  for (let key = 0; key < keys; key++) {
    const at = from + key;
    editor.edit("d", { startUtf16: at, endUtf16: at, text: text[at] as string }, "typed");
    await editor.trigger("d", at + 1, "invoked").answer;
  }
  editor.close();
  client.close();
  const metric = await running.registry.getSingleMetric("slipstream_router_prompt_expectations_total")?.get();
  const counts: Record<string, number> = Object.fromEntries(
    (metric?.values ?? []).map(({ labels, value }) => [labels["fit"], value]),
  );
  const all = Object.values(counts).reduce((sum, count) => sum + count, 0);
  // Keys that are answered from what is known compute nothing.
  expect(all).toBeGreaterThanOrEqual(150);
  // Of some 200 keys each miss is half a hundredth, and the first prompt is a guess: runs of thousands are above 0.99.
  expect((counts["within_a_block"] ?? 0) / all, JSON.stringify(counts)).toBeGreaterThanOrEqual(0.98);
}, 60_000);
