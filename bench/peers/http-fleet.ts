// http-fleet: one side of the comparison on this machine: workers behind OpenAI-compatible servers, the peer before them or nobody,
// and the crowd of editors that speak HTTP, all in dilated time. Ends every process it started, by its id.
import type { Agent } from "node:http";
import { systemClock } from "../../lib/clock.ts";
import { dilatedClock } from "../../sim/dilated-clock.ts";
import { BenchProcess } from "../keys/process.ts";
import { type EditorName, editors } from "./editors.ts";
import type { Crowd, FleetOptions, Taken } from "./fleet.ts";
import type { FrontFigures, FrontOrders } from "./front-process.ts";
import { HttpEditor } from "./http-editor.ts";
import { HttpEndpoint, keptAlive } from "./http-endpoint.ts";
import { PeerProcess } from "./peer-process.ts";
import type { PeerName } from "./peer-table.ts";
import { Scores } from "./scores.ts";
import { Typing } from "./typing.ts";

export interface HttpFleetOptions extends FleetOptions {
  readonly peer: PeerName;
  /** Of the peer; absent for none. */
  readonly program?: string;
  readonly editor: EditorName;
  readonly dilation: number;
  readonly folder: string;
}

export class HttpFleet implements Crowd {
  readonly #options: HttpFleetOptions;
  readonly #front: BenchProcess;
  readonly #peer: PeerProcess | undefined;
  readonly #agent: Agent = keptAlive();
  readonly #scores = new Scores();
  readonly #reached = new Set<string>();
  readonly #typing: readonly Typing[];
  #sinceMs = systemClock.now();

  private constructor(
    options: HttpFleetOptions,
    front: BenchProcess,
    peer: PeerProcess | undefined,
    ports: readonly number[],
    model: string,
  ) {
    this.#options = options;
    this.#front = front;
    this.#peer = peer;
    const { people, seed, sources, editor, maxTokens, startWithinMs, dilation } = options;
    const clock = dilatedClock(systemClock, dilation);
    this.#typing = Array.from({ length: people }, (_, nth) => {
      const port = peer?.port ?? (ports[nth % ports.length] as number);
      const client = new HttpEditor(
        { session: `p${nth}`, manners: editors[editor], maxTokens },
        { clock, endpoint: new HttpEndpoint({ port, model }, { agent: this.#agent }), reached: (id) => void this.#reached.add(id) },
      );
      return new Typing({ seed: seed * 10_007 + nth, sources, startWithinMs }, { clock, client, scores: this.#scores });
    });
  }

  static async start(options: HttpFleetOptions, signal: AbortSignal): Promise<HttpFleet> {
    const { profile, end, agreement, workers, slots, seed, dilation, peer, program, folder } = options;
    const orders: FrontOrders = { profile, end, agreement, workers, slots, seed, dilation };
    const { process: front, addresses } = await BenchProcess.start("front", orders, [], "peers");
    try {
      const ports = addresses.map((address) => Number(address.split(":").at(-1)));
      const model = `simulated-${profile}`;
      const started =
        program === undefined ? undefined : await PeerProcess.start(peer, { program, workers: ports, model, folder }, signal);
      return new HttpFleet(options, front, started, ports, model);
    } catch (thrown) {
      await front.end();
      throw thrown;
    }
  }

  pass(ms: number, signal: AbortSignal): Promise<void> {
    return systemClock.sleep(ms * this.#options.dilation, signal);
  }

  async take(): Promise<Taken> {
    const { figures } = await this.#front.take<FrontFigures>();
    const now = systemClock.now();
    const { dilation, slots, workers } = this.#options;
    const wallMs = (now - this.#sinceMs) / dilation;
    this.#sinceMs = now;
    const slotMs = figures.workers.reduce((sum, each) => sum + each.slotMs, 0);
    return {
      ...{ wallMs, scored: this.#scores.take(), reached: this.#reached },
      costs: figures.workers.flatMap(({ costs }) => costs),
      loadShare: slotMs / (slots * workers * wallMs),
    };
  }

  async end(): Promise<void> {
    for (const each of this.#typing) each.close();
    this.#agent.destroy();
    await this.#peer?.end();
    await this.#front.end();
  }
}
