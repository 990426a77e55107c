// virtual-fleet: workers behind a router's policy and a crowd of editors that speak HTTP, in one process under a clock of its own.
// What a router and a network take of a machine is nothing here but one hop each way; docs/operations/bench-peers.md sets the
// figures beside those of real peers.
import { SlipstreamError } from "../../lib/errors.ts";
import { seeded } from "../../lib/random.ts";
import { VirtualClock } from "../../sim/virtual-clock.ts";
import { pretend } from "../keys/pretend.ts";
import { type EditorName, editors } from "./editors.ts";
import type { Ask, Chunk, Endpoint } from "./endpoint.ts";
import type { Crowd, FleetOptions, Taken } from "./fleet.ts";
import { HttpEditor } from "./http-editor.ts";
import { type Picks, type PolicyName, policies } from "./policies.ts";
import { Scores } from "./scores.ts";
import { Serving } from "./serving.ts";
import { Typing } from "./typing.ts";

/** One way, as on loopback; a router between makes two of it. */
const hopMs = 0.1;

export class VirtualFleet implements Crowd {
  readonly #options: FleetOptions;
  readonly #clock = new VirtualClock();
  readonly #serving: Serving[];
  readonly #active: number[];
  readonly #picks: Picks;
  readonly #hops: number;
  readonly #scores = new Scores();
  readonly #reached = new Set<string>();
  readonly #typing: Typing[];
  #sinceMs = this.#clock.now();

  constructor(options: FleetOptions & { readonly policy: PolicyName; readonly editor: EditorName }) {
    this.#options = options;
    const { workers, people, seed, sources, editor, policy, maxTokens, startWithinMs } = options;
    const clock = this.#clock;
    const texts = sources.map(({ text }) => text);
    this.#serving = Array.from({ length: workers }, (_, i) => {
      const engine = pretend({ ...options, profileEnd: options.end, texts, suffixFirst: true }, { clock });
      return new Serving(`w${i}`, engine, { clock });
    });
    this.#active = this.#serving.map(() => 0);
    this.#picks = policies[policy](workers, seeded(seed));
    this.#hops = policy === "direct" ? 1 : 2;
    this.#typing = Array.from({ length: people }, (_, nth) => {
      const client = new HttpEditor(
        { session: `p${nth}`, manners: editors[editor], maxTokens },
        { clock, endpoint: this.#endpoint(), reached: (id) => void this.#reached.add(id) },
      );
      return new Typing({ seed: seed * 10_007 + nth, sources, startWithinMs }, { clock, client, scores: this.#scores });
    });
  }

  pass(ms: number): Promise<void> {
    return this.#clock.advance(ms);
  }

  async take(): Promise<Taken> {
    const { workers, slots } = this.#options;
    const taken = this.#serving.map((each) => each.take());
    const wallMs = this.#clock.now() - this.#sinceMs;
    this.#sinceMs = this.#clock.now();
    const slotMs = taken.reduce((sum, each) => sum + each.slotMs, 0);
    return {
      ...{ wallMs, scored: this.#scores.take(), costs: taken.flatMap(({ costs }) => costs), reached: this.#reached },
      loadShare: slotMs / (slots * workers * wallMs),
    };
  }

  async end(): Promise<void> {
    for (const each of this.#typing) each.close();
    await this.#clock.advance(1_000);
  }

  #endpoint(): Endpoint {
    const clock = this.#clock;
    const waitMs = hopMs * this.#hops;
    return {
      close: () => {},
      complete: async (ask: Ask, signal: AbortSignal, say: (chunk: Chunk) => void) => {
        await clock.sleep(waitMs, signal);
        const worker = this.#picks(ask, this.#active);
        const serving = this.#serving[worker] as Serving;
        const ends = new AbortController();
        const abort = () => void clock.timer(waitMs, () => ends.abort(signal.reason));
        signal.addEventListener("abort", abort, { once: true });
        this.#active[worker] = (this.#active[worker] ?? 0) + 1;
        try {
          await serving.complete(ask, ends.signal, (chunk) => {
            clock.timer(waitMs, () => {
              if (!signal.aborted) say(chunk);
            });
          });
          await clock.sleep(waitMs);
        } catch (thrown) {
          throw SlipstreamError.from(thrown);
        } finally {
          signal.removeEventListener("abort", abort);
          this.#active[worker] = (this.#active[worker] ?? 1) - 1;
        }
      },
    };
  }
}
