// spoken-crowd: people before a pool, spoken for: what they ask each second, what of it waits, and how long the first text takes, as a
// router would report it. Each worker runs four at once, each 42 ms and 3.2 ms for every other beside it.
import { create, toBinary } from "@bufbuild/protobuf";
import type { Bus } from "../../lib/bus/bus.ts";
import { spaced } from "../../lib/bus/space.ts";
import { subjects } from "../../lib/bus/subjects.ts";
import { PoolLoadSchema } from "../../proto/gen/slipstream/v1/fleet_pb.ts";
import { Lane } from "../../proto/gen/slipstream/v1/worker_pb.ts";

export const crowdSlots = 4;
const serviceMs = 42 + 3.2 * crowdSlots;
const perWorker = (1_000 * crowdSlots) / serviceMs;

export class SpokenCrowd {
  rps: number;
  queued = 0;
  p95Ms = 0;
  silent = false;
  readonly history: string[] = [];
  readonly #timer: NodeJS.Timeout;

  constructor(bus: Bus, name: string, rps: number, serving: () => number) {
    this.rps = rps;
    const routers = spaced(bus, "code");
    let second = 0;
    this.#timer = setInterval(() => {
      const workers = serving();
      const done = Math.min(this.queued + this.rps, workers * perWorker);
      this.queued += this.rps - done;
      this.p95Ms = 50 + (workers > 0 ? (this.queued / (workers * perWorker)) * 1_000 : 10_000);
      this.history.push(`${second++},${this.rps},${workers},${Math.round(this.p95Ms)}`);
      if (this.silent) return;
      const lane = {
        ...{ lane: Lane.INLINE, arrivals: Math.round(this.rps), finished: Math.round(done), queued: Math.round(this.queued) },
        ...{ inFlight: Math.round((done * serviceMs) / 1_000), firstTextP95Ms: this.p95Ms },
      };
      const load = create(PoolLoadSchema, { router: "r", pool: name, lanes: [lane], workersSeen: workers });
      routers.publish(subjects.poolLoad(name), toBinary(PoolLoadSchema, load));
    }, 1_000);
  }

  close(): void {
    clearInterval(this.#timer);
  }
}
