// spoken-workers: what the workers of pods would say on the bus, said for them: that they serve, what is under way with them, and that
// they leave when they are asked to. A test says how much is under way with whom.
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { Bus } from "../../lib/bus/bus.ts";
import { spaced } from "../../lib/bus/space.ts";
import { subjects } from "../../lib/bus/subjects.ts";
import { LeaveRequestSchema, WorkerAnnouncementSchema } from "../../proto/gen/slipstream/v1/fleet_pb.ts";
import type { Loose } from "./cluster-objects.ts";

interface Spoken {
  leaving: boolean;
  outstanding: number;
  kvBlocksUsed: number;
}

export class SpokenWorkers {
  readonly #bus: Bus;
  readonly #pods: () => readonly Loose[] | Promise<readonly Loose[]>;
  readonly #timer: NodeJS.Timeout;
  readonly #listening: Disposable;
  /** By pod; who is not named has nothing under way. */
  readonly workers = new Map<string, Spoken>();
  /** How often all have spoken. */
  rounds = 0;
  /** Every request, in words. */
  readonly asked: string[] = [];

  constructor(bus: Bus, namespace: string, pods: () => readonly Loose[] | Promise<readonly Loose[]>, everyMs = 100) {
    this.#bus = spaced(bus, namespace);
    this.#pods = pods;
    this.#listening = this.#bus.listen("slipstream.v1.leave.*", ({ data }) => {
      const { worker, ttlMs } = fromBinary(LeaveRequestSchema, data);
      const spoken = this.of(worker);
      if (spoken.leaving !== ttlMs > 0) this.asked.push(`${worker} ${ttlMs > 0 ? "leaves" : "stays"}`);
      spoken.leaving = ttlMs > 0;
    });
    this.#timer = setInterval(() => void this.#say(), everyMs);
  }

  of(worker: string): Spoken {
    const spoken = this.workers.get(worker) ?? { leaving: false, outstanding: 0, kvBlocksUsed: 0 };
    this.workers.set(worker, spoken);
    return spoken;
  }

  close(): void {
    clearInterval(this.#timer);
    this.#listening[Symbol.dispose]();
  }

  async #say(): Promise<void> {
    this.rounds += 1;
    for (const { metadata, status } of await this.#pods()) {
      const starts = !status?.conditions?.some((each: Loose) => each.type === "ContainersReady" && each.status === "True");
      if (starts || metadata.deletionTimestamp !== undefined) continue;
      const pool = metadata.labels["slipstream.dev/pool"] ?? "";
      const said = { worker: metadata.name, pool, address: "10.0.0.1:7421", ttlMs: 10_000, ...this.of(metadata.name) };
      this.#bus.publish(subjects.worker(metadata.name), toBinary(WorkerAnnouncementSchema, create(WorkerAnnouncementSchema, said)));
    }
  }
}
