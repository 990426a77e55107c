// crowd: people who type at a service come and go as a plan says, each with a session of their own over gRPC; out comes how each of
// their triggers ended. A session that breaks comes back by itself, as an editor's does; what was asked on it is lost, and counted so.
import type { Clock } from "../../lib/clock.ts";
import { GrpcClient } from "../../lib/grpc/client.ts";
import { seeded } from "../../lib/random.ts";
import type { ClientTls } from "../../lib/tls/client.ts";
import { CompletionService } from "../../proto/gen/slipstream/v1/completion_pb.ts";
import type { Source } from "../../sim/trace/generate.ts";
import { Person } from "../keys/person.ts";
import { Tally } from "../keys/tally.ts";
import type { Asked } from "./series.ts";

export interface CrowdOptions {
  readonly address: string;
  readonly tls: ClientTls | undefined;
  readonly metadata: Readonly<Record<string, string>>;
  readonly seed: number;
  readonly sources: readonly Source[];
  readonly deadlineMs: number;
  /** Those who are called do not come all at once. */
  readonly riseMs: number;
}

const keysPerTrace = 400;
const maxTokens = 32;

export class Crowd {
  readonly #options: CrowdOptions;
  readonly #deps: { readonly clock: Clock; readonly ended: (asked: Asked) => void };
  readonly #random;
  readonly #people: { readonly leave: () => void }[] = [];
  #came = 0;
  /** What a router must never do, as their sessions saw it. */
  readonly violations: string[] = [];

  constructor(options: CrowdOptions, deps: { readonly clock: Clock; readonly ended: (asked: Asked) => void }) {
    this.#options = options;
    this.#deps = deps;
    this.#random = seeded(options.seed);
  }

  get size(): number {
    return this.#people.length;
  }

  /** So many type from now on: some come within the rise, or those who came last leave. */
  be(people: number): void {
    for (const { leave } of this.#people.splice(people)) leave();
    for (let missing = people - this.#people.length; missing > 0; missing--) this.#join();
  }

  #join(): void {
    const { address, tls, metadata, seed, sources, deadlineMs, riseMs } = this.#options;
    const { clock } = this.#deps;
    const grpc = new GrpcClient({ address, tls });
    const number = ++this.#came;
    const name = `burst-${seed}-${number}`;
    // Who has left asks nothing that could be lost.
    let left = false;
    const tally = new Tally((record) => {
      if (!left) this.#deps.ended({ ...record, askedMs: record.t_ms, session: name });
    });
    const delayMs = this.#random.next() * riseMs;
    const person = new Person(
      { name, seed: seed * 7_919 + number, sources, keysPerTrace, maxTokens, deadlineMs, delayMs },
      {
        clock,
        tally,
        connection: {
          connect: () => grpc.duplex(CompletionService.method.session, { metadata }),
          close: () => grpc.close(),
        },
      },
    );
    const leave = () => {
      person.stop();
      // What is asked is answered within its deadline, or it is lost.
      clock.timer(2 * deadlineMs, () => {
        left = true;
        this.violations.push(...person.violations);
        person.close();
      });
    };
    this.#people.push({ leave });
  }
}
