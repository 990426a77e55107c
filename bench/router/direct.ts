// direct: what a generation takes at a worker without a router: this process says Submit on a link of its own, and hears the
// first delta and the end. Each of one worker of the bench in turn. Holds one entry a generation under way.
import { create } from "@bufbuild/protobuf";
import { systemClock } from "../../lib/clock.ts";
import type { Duplex } from "../../lib/grpc/duplex.ts";
import { Channel, Lane, type RouterFrame, RouterFrameSchema, type WorkerFrame } from "../../proto/gen/slipstream/v1/worker_pb.ts";
import { connectGrpc } from "../../router/connect.ts";

export interface Times {
  readonly firstMs: number;
  readonly totalMs: number;
}

interface Open {
  readonly sinceMs: number;
  firstMs: number | undefined;
  readonly done: (times: Times) => void;
}

export class Direct {
  readonly #streams: readonly Duplex<WorkerFrame, RouterFrame>[];
  readonly #open = new Map<bigint, Open>();
  #nextId = 1n;

  constructor(workers: readonly string[]) {
    this.#streams = workers.map((address) => connectGrpc(() => undefined)(address, "inline"));
    for (const stream of this.#streams) {
      const value = { protocolMin: 1, protocolMax: 1, router: "direct", channel: Channel.INLINE, takesFrames: true };
      stream.send(create(RouterFrameSchema, { frame: { case: "hello", value } }));
      void this.#read(stream);
    }
  }

  generate(text: string, tokens: number): Promise<Times> {
    const id = this.#nextId++;
    const stream = this.#streams[Number(id % BigInt(this.#streams.length))];
    return new Promise((done) => {
      this.#open.set(id, { sinceMs: systemClock.now(), firstMs: undefined, done });
      const value = {
        ...{ id, lane: Lane.INLINE, model: "scheduled", affinity: "direct", windowBytes: 65_536 },
        segments: [{ part: { case: "text" as const, value: text } }],
        sampling: { maxTokens: tokens },
      };
      stream?.send(create(RouterFrameSchema, { frame: { case: "submit", value } }));
    });
  }

  close(): void {
    for (const stream of this.#streams) stream.end();
  }

  async #read(stream: Duplex<WorkerFrame, RouterFrame>): Promise<void> {
    try {
      for await (const said of stream.frames)
        for (const { frame } of said.frame.case === "frames" ? said.frame.value.frames : [said]) {
          if (frame.case !== "delta" && frame.case !== "done") continue;
          const open = this.#open.get(frame.value.id);
          if (!open) continue;
          open.firstMs ??= systemClock.now() - open.sinceMs;
          if (frame.case === "delta") continue;
          this.#open.delete(frame.value.id);
          open.done({ firstMs: open.firstMs, totalMs: systemClock.now() - open.sinceMs });
        }
    } catch {
      // The run is over, or its worker is: what is open never ends, and is not counted.
    }
  }
}
