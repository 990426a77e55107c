// one-of-each: what an engine's gRPC could not keep apart in, the reason to refuse it out. Its requests have no priority and nothing that
// keeps tenants apart (proto/third_party/smg-grpc-proto): it is for a pool of one lane and one tenant, which whoever runs it must say,
// and the first prompt's tenant is the one.
import { SlipstreamError } from "../../lib/errors.ts";
import { type Generation, type Lane, lanes } from "../generation.ts";

export interface OneOptions {
  /** The pool's only lane; "": not said. */
  readonly lane: Lane | "";
  readonly oneTenant: boolean;
  /** Lanes are kept in order elsewhere. */
  readonly anyLane?: boolean;
}

export interface OneAsked extends Pick<Generation, "cacheSalt"> {
  readonly lane?: Lane;
}

const insteadUsual = "serve it by HTTP (SLIPSTREAM_WORKER_ENGINE_URL=http://…)";

export class OneOfEach {
  /** Undefined: all of them. */
  readonly lane: Lane | undefined;
  readonly #lacks: string;
  readonly #instead: string;
  #salt: string | undefined;

  /** `lacks`: a sentence; `instead`: what else could be done. Throws `config` where the pool may have several. */
  constructor({ lane, oneTenant, anyLane = false }: OneOptions, lacks: string, instead = insteadUsual) {
    const missing = [
      ...(lane === "" && !anyLane ? [`its only lane in SLIPSTREAM_WORKER_ONLY_LANE (${lanes.join(", ")})`] : []),
      ...(oneTenant ? [] : ["that it has one tenant in SLIPSTREAM_WORKER_ONE_TENANT=true"]),
    ];
    if (missing.length > 0)
      throw new SlipstreamError("config", `${lacks}: a pool behind it must say ${missing.join(" and ")}, or ${instead}`);
    this.lane = lane === "" ? undefined : lane;
    this.#lacks = lacks;
    this.#instead = instead;
  }

  /** What is computed ahead is of no lane. */
  refusal({ lane, cacheSalt }: OneAsked): SlipstreamError | undefined {
    const refused = (field: string, what: string) =>
      new SlipstreamError("unsupported", `${field}: ${what}; ${this.#lacks}: ${this.#instead}`, { field });
    if (this.lane !== undefined && lane !== undefined && lane !== this.lane)
      return refused("submit.lane", `this worker serves the ${this.lane} lane alone, not ${lane}`);
    this.#salt ??= cacheSalt;
    return cacheSalt === this.#salt
      ? undefined
      : refused("submit.cache_salt", "this worker serves one tenant, and this is another's");
  }
}
