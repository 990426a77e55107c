// virtual-native: our own router with its session protocol in virtual time: the whole router and its workers (bench/keys), and the
// same crowd, trace and score as everybody else.
import { EditorClient } from "../../sim/editor-client.ts";
import { allOn, type Switches } from "../keys/switches.ts";
import { VirtualStand } from "../keys/virtual-stand.ts";
import type { Crowd, FleetOptions, Taken } from "./fleet.ts";
import { goalMs, Scores } from "./scores.ts";
import { Typing } from "./typing.ts";

export interface NativeOptions extends FleetOptions {
  /** Of the router's mechanisms; absent: as shipped. */
  readonly switches?: Partial<Switches>;
  readonly deadlineMs?: number;
}

export class VirtualNative implements Crowd {
  readonly #stand: VirtualStand;
  readonly #scores = new Scores();
  readonly #typing: Typing[];

  private constructor(stand: VirtualStand, options: NativeOptions) {
    this.#stand = stand;
    const { people, seed, sources, maxTokens, startWithinMs, deadlineMs = goalMs } = options;
    const { clock } = stand;
    this.#typing = Array.from({ length: people }, (_, nth) => {
      const connection = stand.connection();
      const client = new EditorClient(
        { session: `p${nth}`, workspace: "bench", deadlineMs, maxTokens, stream: true, reconnectMs: 250 },
        { clock, connect: () => connection.connect() },
      );
      return new Typing({ seed: seed * 10_007 + nth, sources, startWithinMs }, { clock, client, scores: this.#scores });
    });
  }

  static async start(options: NativeOptions): Promise<VirtualNative> {
    const stand = await VirtualStand.start({
      ...options,
      profileEnd: options.end,
      switches: { ...allOn, ...options.switches },
    });
    return new VirtualNative(stand, options);
  }

  pass(ms: number, signal: AbortSignal): Promise<void> {
    return this.#stand.pass(ms, signal);
  }

  async take(): Promise<Taken> {
    const { wallMs, workers, reached, loadShare } = await this.#stand.take();
    return { wallMs, scored: this.#scores.take(), costs: workers.flatMap(({ costs }) => costs), reached, loadShare };
  }

  async end(): Promise<void> {
    for (const each of this.#typing) each.close();
    await this.#stand.end();
  }
}
