// worker-process: workers of this bench that do nothing but keep time: each Submit is answered by so many deltas at fixed
// moments after it and one Done, so that what is measured around them is not theirs. As an engine's, their generations move in
// common steps. The link's real messages over real gRPC; no agent, no engine.
import { create } from "@bufbuild/protobuf";
import { systemClock } from "../../lib/clock.ts";
import { mount, startGrpcServer } from "../../lib/grpc/server.ts";
import { Finish } from "../../proto/gen/slipstream/v1/completion_pb.ts";
import { type WorkerFrame, WorkerFrameSchema, WorkerService } from "../../proto/gen/slipstream/v1/worker_pb.ts";
import { Emit } from "../../workers/emit/emit.ts";
import { runChild } from "../keys/child.ts";
import { textOf } from "./text.ts";

export interface ScheduleOrders {
  readonly workers: number;
  /** From Submit to the first delta, and from each delta to the next. */
  readonly firstMs: number;
  readonly everyMs: number;
  readonly tokens: number;
}

export interface ScheduleFigures {
  readonly submits: number;
  /** How late the ticks came, at worst. */
  readonly lateMs: number;
}

const credits = { inline: 10_000, chat: 10_000, speculative: 10_000, batch: 10_000 };
/** As a worker's agent says it. */
const loadEveryMs = 100;
const prefillTokensPerSecond = 1_000_000;
const model = {
  name: "scheduled",
  fimFamily: "qwen2.5-coder",
  fim: {
    prefix: "<|fim_prefix|>",
    suffix: "<|fim_suffix|>",
    middle: "<|fim_middle|>",
    fileSeparator: "<|file_sep|>",
    repository: "<|repo_name|>",
  },
  contextTokens: 32_768,
  bytesPerToken: 3,
  chatTemplate: true,
};

/** What is due, by the millisecond. */
class Wheel {
  readonly #due = new Map<number, (() => void)[]>();
  #tick: number | undefined;
  lateMs = 0;

  at(ms: number, act: () => void): void {
    const tick = Math.ceil(ms);
    const acts = this.#due.get(tick);
    if (acts) acts.push(act);
    else this.#due.set(tick, [act]);
    if (this.#tick === undefined) this.#next(Math.floor(systemClock.now()) + 1);
  }

  #next(tick: number): void {
    this.#tick = tick;
    systemClock.timer(tick - systemClock.now(), () => {
      const now = Math.floor(systemClock.now());
      this.lateMs = Math.max(this.lateMs, now - tick);
      for (let due = tick; due <= now; due++) {
        for (const act of this.#due.get(due) ?? []) act();
        this.#due.delete(due);
      }
      this.#tick = undefined;
      if (this.#due.size > 0) this.#next(now + 1);
    });
  }
}

const frame = (value: object): WorkerFrame => create(WorkerFrameSchema, { frame: value as never });

await runChild(async (given, lifecycle) => {
  const { workers, firstMs, everyMs, tokens } = given as ScheduleOrders;
  const wheel = new Wheel();
  const emit = new Emit({ coalesceMs: 0 }, { clock: systemClock });
  let submits = 0;
  /** Prompts are no part of it: there is never any backlog of them. Until the link ends. */
  const sayLoad = async (of: { readonly size: number }, send: (frame: WorkerFrame) => void, signal: AbortSignal) => {
    for (;;) {
      await systemClock.sleep(loadEveryMs, signal);
      const value = { running: of.size, prefillTokensPerSecond, stepMs: everyMs, prefillBacklogTokens: 0 };
      send(frame({ case: "load", value }));
    }
  };
  const start = (nth: number) =>
    startGrpcServer(
      { address: "127.0.0.1:0", messageBytesMax: 16 << 20, streamsPerConnectionMax: 1_000 },
      {
        name: `worker ${nth}`,
        failed: () => {},
        mounts: [
          mount(WorkerService, {
            link: async (stream) => {
              const open = new Set<bigint>();
              let send: (frame: WorkerFrame) => void = (each) => void stream.send(each);
              for await (const { frame: said } of stream.frames) {
                if (said.case === "hello") {
                  if (said.value.takesFrames) {
                    const together = emit.together((each) => stream.send(each));
                    send = (each) => together.send(each);
                  }
                  const value = {
                    protocol: 1,
                    worker: `scheduled${nth}`,
                    pool: "p",
                    slots: 4_096,
                    engine: "scheduled",
                    models: [model],
                    instance: "1",
                  };
                  send(frame({ case: "welcome", value }));
                  send(frame({ case: "credits", value: credits }));
                  sayLoad(open, send, stream.signal).catch(() => {});
                } else if (said.case === "cancel" && open.delete(said.value.id)) {
                  send(frame({ case: "cancelAck", value: { id: said.value.id } }));
                } else if (said.case === "submit") {
                  const { id } = said.value;
                  const now = Math.ceil(systemClock.now() / everyMs) * everyMs;
                  submits += 1;
                  open.add(id);
                  for (let i = 0; i < tokens; i++) {
                    const prompt = i === 0 ? { prompt: { promptTokens: 100, cachedTokens: 90, recomputedTokens: 10 } } : {};
                    const delta = frame({ case: "delta", value: { id, text: textOf(i), tokens: 1, confidence: 0.9, ...prompt } });
                    wheel.at(now + firstMs + i * everyMs, () => void (open.has(id) && send(delta)));
                  }
                  const usage = { promptTokens: 100, cachedTokens: 90, recomputedTokens: 10, completionTokens: tokens };
                  const done = frame({ case: "done", value: { id, finish: Finish.LENGTH, usage } });
                  wheel.at(now + firstMs + (tokens - 1) * everyMs, () => void (open.delete(id) && send(done)));
                }
              }
            },
          }),
        ],
      },
    );
  const started = await Promise.all(Array.from({ length: workers }, (_, nth) => start(nth)));
  for (const server of started) lifecycle.use(server);
  return {
    port: started[0]?.port ?? 0,
    ports: started.map((server) => server.port),
    take: (): ScheduleFigures => {
      const figures = { submits, lateMs: wheel.lateMs };
      submits = 0;
      wheel.lateMs = 0;
      return figures;
    },
  };
});
