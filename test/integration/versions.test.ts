// Router N works with agent N−1 and N+1: each half of a link as this release speaks it, against one that is older or newer.
import { create } from "@bufbuild/protobuf";
import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../lib/clock.ts";
import type { SlipstreamError } from "../../lib/errors.ts";
import { GrpcClient } from "../../lib/grpc/client.ts";
import { mount, startGrpcServer } from "../../lib/grpc/server.ts";
import { silentLog } from "../../lib/log.ts";
import { seeded } from "../../lib/random.ts";
import {
  Channel,
  Lane,
  type RouterFrame,
  RouterFrameSchema,
  type WorkerFrame,
  WorkerFrameSchema,
  WorkerService,
} from "../../proto/gen/slipstream/v1/worker_pb.ts";
import { connectGrpc } from "../../router/connect.ts";
import { Dispatch, dispatchDefaults } from "../../router/dispatch/dispatch.ts";
import { Fleet } from "../../router/fleet/fleet.ts";
import { SimulatedEngine } from "../../workers/engine/simulated/simulated.ts";
import { agentDefaults, createAgent } from "../../workers/main.ts";
import { workerService } from "../../workers/service.ts";
import { recordedMetrics, triggerAt } from "../support/router.ts";
import { until } from "../support/until.ts";

type Protocol = { readonly min: number; readonly max: number };
const server = { address: "127.0.0.1:0", messageBytesMax: 4 << 20, streamsPerConnectionMax: 100 };

async function worker(protocol: Protocol): Promise<string> {
  const engine = new SimulatedEngine(
    { profile: "h100-7b-eagle3", profileEnd: "fast", seed: 1, slots: 2 },
    { clock: systemClock, random: seeded(1) },
  );
  const agent = createAgent(
    { ...agentDefaults, worker: "w1", pool: "p", protocol },
    { clock: systemClock, random: seeded(1), engine },
  );
  const { port, close } = await startGrpcServer(server, { name: "w", failed: () => {}, mounts: [workerService(agent)] });
  onTestFinished(async () => {
    close();
    await engine.close();
  });
  return `127.0.0.1:${port}`;
}

function router(address: string, protocol: Protocol) {
  const fleet = new Fleet(
    {
      leases: { max: 10, ttlMs: 1_000, exceptionTtlMs: 1_000 },
      warmth: { documentsMax: 10, bytesMax: 1_000, ttlMs: 1_000 },
      shared: { max: 100, ttlMs: 60_000, stepBlocks: 16, stepsMax: 16, workersMax: 8 },
    },
    { clock: systemClock, capacity: () => {} },
  );
  const reasons: string[] = [];
  const log = { ...silentLog, warn: (line: { why?: string }) => void reasons.push(line.why ?? "") } as unknown as typeof silentLog;
  const dispatch = new Dispatch(
    { ...dispatchDefaults, workers: [address], router: "r1", protocol },
    {
      ...{
        clock: systemClock,
        random: seeded(1),
        log,
        connect: connectGrpc(() => undefined),
        roster: fleet,
        metrics: recordedMetrics().metrics,
      },
      address: (name) => fleet.address(name),
      capacity: () => {},
    },
  );
  onTestFinished(() => dispatch.close());
  return { fleet, dispatch, reasons };
}

async function generated({ dispatch }: ReturnType<typeof router>, model: string): Promise<string> {
  const trigger = triggerAt("a|", { receivedMs: systemClock.now(), deadlineMs: systemClock.now() + 30_000 });
  const prompt = { model, segments: [{ text: "const a = " }], bytes: 10, key: "k", blocks: new Uint8Array(0), stop: [] };
  const booking = { placement: { worker: "w1", why: "lease" as const }, release: () => {} };
  let text = "";
  for await (const delta of dispatch.generate(trigger, prompt, booking)) text += delta.text;
  return text;
}

test.each<[name: string, ours: Protocol, theirs: Protocol]>([
  ["this release's router and agent", { min: 1, max: 1 }, { min: 1, max: 1 }],
  ["a router of this release and an agent of the next", { min: 1, max: 1 }, { min: 1, max: 2 }],
  ["a router of the next release and an agent of this one", { min: 1, max: 2 }, { min: 1, max: 1 }],
  ["a router of this release and an agent of the one before", { min: 1, max: 1 }, { min: 0, max: 1 }],
])("%s speak what both know", async (_, ours, theirs) => {
  const one = router(await worker(theirs), ours);
  await until("the link is up", () => one.fleet.snapshot().free.inline > 0);
  expect(await generated(one, one.fleet.model("")?.name ?? "")).not.toBe("");
});

test("a router and an agent with no version in common say which they speak", async () => {
  const one = router(await worker({ min: 2, max: 3 }), { min: 1, max: 1 });
  await until("it is refused", () => one.reasons.length > 0);
  expect(one.reasons[0]).toContain("the router speaks 1 to 1, this worker 2 to 3");
  expect(one.dispatch.links.ready).toBe(0);
});

test("a router that does not ask for what is said in one tick together gets each frame by itself", async () => {
  const client = new GrpcClient({ address: await worker({ min: 1, max: 1 }) });
  onTestFinished(() => client.close());
  const stream = client.duplex(WorkerService.method.link);
  const say = (frame: object) => stream.send(create(RouterFrameSchema, { frame } as never) as RouterFrame);
  say({ case: "hello", value: { protocolMin: 1, protocolMax: 1, router: "older", channel: Channel.INLINE } });
  const cases: string[] = [];
  for await (const { frame } of stream.frames) {
    cases.push(frame.case ?? "");
    if (frame.case === "welcome") {
      const segments = [{ part: { case: "text", value: "const a = " } }];
      const model = frame.value.models[0]?.name;
      say({ case: "submit", value: { id: 1n, lane: Lane.INLINE, model, segments, sampling: { maxTokens: 4 } } });
    }
    if (frame.case === "done") break;
  }
  expect(cases).toContain("delta");
  expect(cases).not.toContain("frames");
});

test("frames and fields of a newer agent are passed over", async () => {
  const unknown = [{ no: 999, wireType: 2, data: Uint8Array.of(3, 97, 98, 99) }];
  const model = { name: "m", fimFamily: "qwen2.5-coder", contextTokens: 4_096, bytesPerToken: 3 };
  const frame = (value: object): WorkerFrame => create(WorkerFrameSchema, { frame: value } as never);
  const { port, close } = await startGrpcServer(server, {
    name: "newer",
    failed: (error: SlipstreamError) => expect(error).toBeUndefined(),
    mounts: [
      mount(WorkerService, {
        link: async (stream) => {
          for await (const said of stream.frames) {
            if (said.frame.case === "hello") {
              const welcome = frame({
                case: "welcome",
                value: { protocol: 1, worker: "w1", slots: 4, models: [model], capabilities: ["telepathy"] },
              });
              if (welcome.frame.case === "welcome") welcome.frame.value.$unknown = unknown;
              stream.send(welcome);
              const strange = create(WorkerFrameSchema);
              strange.$unknown = unknown;
              stream.send(strange);
              stream.send(frame({ case: "credits", value: { inline: 4, chat: 4 } }));
            } else if (said.frame.case === "submit") {
              const { id } = said.frame.value;
              const delta = frame({ case: "delta", value: { id, text: "ok", tokens: 1 } });
              if (delta.frame.case === "delta") delta.frame.value.$unknown = unknown;
              stream.send(delta);
              stream.send(frame({ case: "done", value: { id } }));
            }
          }
        },
      }),
    ],
  });
  onTestFinished(() => close());
  const one = router(`127.0.0.1:${port}`, { min: 1, max: 1 });
  await until("the link is up", () => one.fleet.snapshot().free.inline > 0);
  expect(await generated(one, "m")).toBe("ok");
});
