// native-fleet: our side of the comparison on this machine: the same pretend GPUs behind our workers' agents, our router as it is
// shipped, and editors that speak the session protocol, in the same dilated time.
import { systemClock } from "../../lib/clock.ts";
import { GrpcClient } from "../../lib/grpc/client.ts";
import { CompletionService } from "../../proto/gen/slipstream/v1/completion_pb.ts";
import { dilatedClock } from "../../sim/dilated-clock.ts";
import { EditorClient } from "../../sim/editor-client.ts";
import type { WorkerFigures } from "../keys/counted.ts";
import { Known } from "../keys/probe.ts";
import { BenchProcess } from "../keys/process.ts";
import type { RouterFigures, RouterOrders } from "../keys/router-process.ts";
import { allOn } from "../keys/switches.ts";
import type { WorkerOrders } from "../keys/worker-process.ts";
import type { Crowd, Taken } from "./fleet.ts";
import { goalMs, Scores } from "./scores.ts";
import { sourcePaths } from "./sources.ts";
import { Typing } from "./typing.ts";
import type { NativeOptions } from "./virtual-native.ts";

export interface NativeFleetOptions extends NativeOptions {
  readonly dilation: number;
}

export class NativeFleet implements Crowd {
  readonly #options: NativeFleetOptions;
  readonly #processes: readonly BenchProcess[];
  readonly #scores = new Scores();
  readonly #known = new Known();
  readonly #typing: readonly Typing[];
  #sinceMs = systemClock.now();

  /** The last of the processes is the router. */
  private constructor(options: NativeFleetOptions, processes: readonly BenchProcess[], address: string) {
    this.#options = options;
    this.#processes = processes;
    const { people, seed, sources, maxTokens, startWithinMs, dilation, deadlineMs = goalMs } = options;
    const clock = dilatedClock(systemClock, dilation);
    this.#typing = Array.from({ length: people }, (_, nth) => {
      const grpc = new GrpcClient({ address });
      const client = new EditorClient(
        { session: `p${nth}`, workspace: "bench", deadlineMs, maxTokens, stream: true, reconnectMs: 250 },
        { clock, connect: () => grpc.duplex(CompletionService.method.session) },
      );
      const close = client.close.bind(client);
      client.close = () => {
        close();
        grpc.close();
      };
      return new Typing({ seed: seed * 10_007 + nth, sources, startWithinMs }, { clock, client, scores: this.#scores });
    });
  }

  static async start(options: NativeFleetOptions): Promise<NativeFleet> {
    const { profile, end: profileEnd, agreement, workers, slots, seed, dilation } = options;
    const processes: BenchProcess[] = [];
    const start = async (entry: "router" | "worker", orders: object) => {
      const { process, address } = await BenchProcess.start(entry, orders);
      processes.push(process);
      return address;
    };
    try {
      const addresses: string[] = [];
      for (let i = 0; i < workers; i++) {
        const orders: WorkerOrders = {
          ...{ name: `w${i}`, profile, profileEnd, slots, seed, agreement, dilation },
          ...{ sources: sourcePaths(options.sources), suffixFirst: true, embedded: false },
        };
        addresses.push(await start("worker", orders));
      }
      const switches = { ...allOn, ...options.switches };
      const orders: RouterOrders = { workers: addresses, switches, sessionsMax: 20_000, dilation };
      const address = await start("router", orders);
      return new NativeFleet(options, processes, address);
    } catch (thrown) {
      await Promise.all(processes.map((each) => each.end()));
      throw thrown;
    }
  }

  pass(ms: number, signal: AbortSignal): Promise<void> {
    return systemClock.sleep(ms * this.#options.dilation, signal);
  }

  async take(): Promise<Taken> {
    const [router, ...workers] = [...this.#processes].reverse();
    const [taken, ...counted] = await Promise.all([
      (router as BenchProcess).take<RouterFigures>(),
      ...workers.map(async (worker) => (await worker.take<WorkerFigures>()).figures),
    ]);
    this.#known.add(taken.figures);
    const now = systemClock.now();
    const { dilation, slots } = this.#options;
    const wallMs = (now - this.#sinceMs) / dilation;
    this.#sinceMs = now;
    const slotMs = counted.reduce((sum, each) => sum + each.slotMs, 0);
    return {
      ...{ wallMs, scored: this.#scores.take(), reached: this.#known.all.reached },
      costs: counted.flatMap(({ costs }) => costs),
      loadShare: slotMs / (slots * counted.length * wallMs),
    };
  }

  async end(): Promise<void> {
    for (const each of this.#typing) each.close();
    await Promise.all(this.#processes.map((each) => each.end()));
  }
}
