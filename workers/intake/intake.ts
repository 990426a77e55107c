// intake: RouterHello, Submit and Prewarm in, checked nouns out, or an error that names the field. Everything that grows has
// its limit here; behind it nothing is checked again. Keeps nothing.
import { invalid, SlipstreamError } from "../../lib/errors.ts";
import {
  type Prewarm,
  type RouterFrame,
  type Submit,
  type Tokenize,
  Lane as WireLane,
  type Segment as WireSegment,
  type WorkerFrame,
} from "../../proto/gen/slipstream/v1/worker_pb.ts";
import type { Generation, Lane, Model, Segment } from "../generation.ts";
import { checkHello, type Hello, type Protocol, protocol } from "./hello.ts";
import { checkSampling } from "./sampling.ts";
import { type EngineFacts, type Identity, welcomeFrame } from "./welcome.ts";

export type { Identity } from "./welcome.ts";

export interface IntakeOptions {
  readonly identity: Identity;
  readonly promptBytesMax: number;
  readonly maxTokensMax: number;
  /** Versions it speaks, instead of those of this release. */
  readonly protocol?: Protocol;
}

/** More parts than any layout has; a router that sends more is broken. */
const segmentsMax = 256;
const deadlineMaxMs = 600_000;
const nameBytesMax = 256;
const byteBlock = 64;
const digestBytes = 8;
const draftDepthMax = 32;

const lanes: Readonly<Partial<Record<WireLane, Lane>>> = {
  [WireLane.INLINE]: "inline",
  [WireLane.CHAT]: "chat",
  [WireLane.SPECULATIVE]: "speculative",
  [WireLane.BATCH]: "batch",
};

/** A prefix to compute ahead. */
export interface Warming {
  readonly model: string;
  readonly segments: readonly Segment[];
  readonly cacheSalt: string;
  /** Somebody is expected soon. */
  readonly soon?: boolean;
}

export class Intake {
  readonly #options: IntakeOptions;
  readonly #models: ReadonlyMap<string, Model>;

  constructor(options: IntakeOptions, deps: { models: readonly Model[] }) {
    this.#options = options;
    this.#models = new Map(deps.models.map((model) => [model.name, model]));
  }

  hello(frame: RouterFrame | undefined): Hello {
    return checkHello(frame, this.#options.protocol ?? protocol);
  }

  /** The answer to a hello: who we are, what the engine serves and what a Submit may hold. */
  welcome(hello: Hello, facts: { engine: EngineFacts; kvSequence: bigint; wantsPrefixes?: number }): WorkerFrame {
    return welcomeFrame(hello, this.#options, facts);
  }

  submit(submit: Submit, link: string, receivedMs: number): Generation {
    if (submit.id === 0n) throw invalid("submit.id", "must not be 0");
    const lane = lanes[submit.lane];
    if (!lane) throw invalid("submit.lane", `${submit.lane} is no lane`);
    const model = this.#model(submit.model, "submit.model");
    const sampling = checkSampling(submit.sampling, this.#options.maxTokensMax);
    if (submit.deadlineMs > deadlineMaxMs) throw invalid("submit.deadline_ms", `must be at most ${deadlineMaxMs}`);
    if (submit.draftDepthHint > draftDepthMax) throw invalid("submit.draft_depth_hint", `must be at most ${draftDepthMax}`);
    short("submit.affinity", submit.affinity);
    short("submit.cache_salt", submit.cacheSalt);
    short("submit.traceparent", submit.traceparent);
    this.#digests(submit.blockDigests);
    return {
      id: submit.id,
      link,
      affinity: submit.affinity,
      lane,
      model: model.name,
      segments: this.#segments(submit.segments, model, "submit.segments"),
      sampling,
      stopAtNewline: submit.stopAtNewline,
      deadlineMs: submit.deadlineMs === 0 ? Number.POSITIVE_INFINITY : receivedMs + submit.deadlineMs,
      receivedMs,
      cacheSalt: submit.cacheSalt,
      blockDigests: submit.blockDigests,
      draftDepthHint: submit.draftDepthHint,
      traceparent: submit.traceparent,
    };
  }

  prewarm(prewarm: Prewarm): Warming {
    const model = this.#model(prewarm.model, "prewarm.model");
    short("prewarm.cache_salt", prewarm.cacheSalt);
    const segments = this.#segments(prewarm.segments, model, "prewarm.segments");
    return { model: model.name, segments, cacheSalt: prewarm.cacheSalt, soon: prewarm.soon };
  }

  tokenize(asked: Tokenize): Pick<Warming, "model" | "segments"> {
    const model = this.#model(asked.model, "tokenize.model");
    const segments = this.#segments(asked.segments, model, "tokenize.segments");
    return { model: model.name, segments };
  }

  #model(name: string, field: string): Model {
    const model = this.#models.get(name);
    if (model) return model;
    // Named in full: the list is what this worker said in its Welcome.
    const known = [...this.#models.keys()].map((each) => `"${each}"`).join(", ");
    throw new SlipstreamError(
      "not_found",
      `${field}: no model ${JSON.stringify(name.slice(0, nameBytesMax))} here, only ${known}`,
      {
        field,
      },
    );
  }

  #segments(segments: readonly WireSegment[], model: Model, field: string): Segment[] {
    if (segments.length === 0) throw invalid(field, "must not be empty");
    if (segments.length > segmentsMax) throw invalid(field, `must be at most ${segmentsMax}`);
    const specials = new Set([...Object.values(model.fim as unknown as Record<string, string>), ...model.specials]);
    specials.delete("");
    let bytes = 0;
    const checked = segments.map(({ part }, index): Segment => {
      if (part.case === undefined) throw invalid(`${field}[${index}]`, "is neither text nor special");
      bytes += Buffer.byteLength(part.value);
      if (part.case === "text") return { text: part.value };
      if (!specials.has(part.value)) {
        throw invalid(`${field}[${index}].special`, `the model has no special token ${JSON.stringify(part.value.slice(0, 64))}`);
      }
      return { special: part.value };
    });
    if (bytes === 0) throw invalid(field, "hold no text");
    if (bytes > this.#options.promptBytesMax) throw invalid(field, `${bytes} bytes, at most ${this.#options.promptBytesMax}`);
    return checked;
  }

  #digests(digests: Uint8Array): void {
    if (digests.length % digestBytes !== 0) throw invalid("submit.block_digests", `must be ${digestBytes} bytes each`);
    const most = Math.ceil(this.#options.promptBytesMax / byteBlock) * digestBytes;
    if (digests.length > most) throw invalid("submit.block_digests", `must be at most ${most} bytes`);
  }
}

function short(field: string, value: string): void {
  if (Buffer.byteLength(value) > nameBytesMax) throw invalid(field, `must be at most ${nameBytesMax} bytes`);
}
