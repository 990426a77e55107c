// reconnecting: which line a session speaks on. Dials, waits longer after each failure, moves to a new line when a router asks
// for it (the old one serves until the new one is welcome), and knows when coming back is no use.
import type { Clock } from "../../lib/clock.ts";
import { SlipstreamError } from "../../lib/errors.ts";
import type { Random } from "../../lib/random.ts";
import { type ClientMessage, type ServerMessage, Status_Kind } from "../../proto/gen/slipstream/v1/completion_pb.ts";
import { type BackoffOptions, pauseMs } from "./backoff.ts";
import { type Dialled, Line } from "./line.ts";

export type State =
  /** A first attempt, or one after a good connection. */
  | { readonly is: "connecting" }
  | { readonly is: "ready" }
  /** No router was reached; tried again in a while. */
  | { readonly is: "offline"; readonly why: SlipstreamError; readonly retryInMs: number }
  /** For good: by `close`, or since a newer stream has the session ("replaced"). */
  | { readonly is: "closed"; readonly why: string };

type Said = ServerMessage["message"];
type Body = ClientMessage["message"];

interface Deps {
  readonly clock: Clock;
  readonly random: Random;
  /** Throws where the address cannot be dialled. */
  readonly dial: (attempt: number) => Dialled;
  readonly hello: () => Extract<Body, { case: "hello" }>;
  /** The new line has its Welcome; it is the current one now. */
  readonly welcomed: (welcome: Extract<Said, { case: "welcome" }>["value"]) => void;
  readonly heard: (message: Said) => void;
  /** A line that had its Welcome is gone: the current one, or one that was left for it. */
  readonly lost: (line: number, why: string) => void;
  readonly changed: (state: State) => void;
}

/** Asked for by a person, a connection is tried at once, but no more often than this. */
const hurryMs = 1_000;
/** A notice spreads the windows of one router over this part of its grace. */
const spreadOfGrace = 0.25;
const spreadMsMax = 2_000;
/** One that is told as it opens found nobody better: it is served for most of its grace before the next is looked for. */
const lateOfGrace = 0.5;

export class Reconnecting {
  readonly #backoff: BackoffOptions;
  readonly #deps: Deps;
  #current: Line | undefined;
  #next: Line | undefined;
  #timer: Disposable | undefined;
  #failures = 0;
  #attempts = 0;
  /** Of the notice that the next line was given before its Welcome. */
  #nextGraceMs: number | undefined;
  #triedMs = Number.NEGATIVE_INFINITY;
  #state: State = { is: "connecting" };

  constructor(backoff: BackoffOptions, deps: Deps) {
    this.#backoff = backoff;
    this.#deps = deps;
  }

  get state(): State {
    return this.#state;
  }

  start(): void {
    this.#connect();
  }

  /** Number of the line that listens now. */
  get line(): number | undefined {
    return this.#current?.number;
  }

  /** False: nobody listens. */
  say(message: Body): boolean {
    this.#current?.say(message);
    return this.#current !== undefined;
  }

  /** A person waits: what is left of a pause is not. */
  hurry(): void {
    if (this.#state.is !== "offline" || this.#deps.clock.now() - this.#triedMs < hurryMs) return;
    this.#connect();
  }

  /** Something is known of the router: it is tried at once. */
  retry(): void {
    if (this.#state.is === "offline") this.#connect();
  }

  close(why: string): void {
    if (this.#state.is === "closed") return;
    this.#become({ is: "closed", why });
    this.#timer?.[Symbol.dispose]();
    this.#current?.leave();
    this.#next?.cut(new SlipstreamError("cancelled", "closed"));
    this.#current = undefined;
    this.#next = undefined;
  }

  #connect(): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    if (this.#state.is === "closed" || this.#next) return;
    this.#triedMs = this.#deps.clock.now();
    this.#nextGraceMs = undefined;
    if (!this.#current && this.#failures === 0) this.#become({ is: "connecting" });
    try {
      const { clock } = this.#deps;
      const over = (line: Line, error: SlipstreamError | undefined) => this.#over(line, error);
      const heard = (line: Line, message: Said) => this.#heard(line, message);
      this.#next = new Line(this.#attempts, this.#deps.dial(this.#attempts++), this.#deps.hello(), { clock, heard, over });
    } catch (thrown) {
      this.#failed(SlipstreamError.from(thrown));
    }
  }

  #heard(line: Line, message: Said): void {
    if (message.case === "welcome" && line === this.#next) {
      this.#next = undefined;
      const old = this.#current;
      this.#current = line;
      this.#failures = 0;
      old?.leave();
      this.#deps.welcomed(message.value);
      this.#become({ is: "ready" });
      if (this.#nextGraceMs !== undefined) this.#moveOn(this.#nextGraceMs, lateOfGrace);
    } else if (message.case === "status") this.#noticed(line, message);
    else this.#deps.heard(message);
  }

  /** What a Status asks of the connection; the rest of it is told on. */
  #noticed(line: Line, message: Extract<Said, { case: "status" }>): void {
    const { kind, graceMs } = message.value;
    if (kind === Status_Kind.RECONNECT && graceMs === 0) {
      // A line that was left is told so as well, or is to be left for the one that is on its way: it is over by itself.
      if (line === this.#current && !this.#next) this.close("replaced");
    } else if (kind === Status_Kind.DRAINING || kind === Status_Kind.RECONNECT) {
      if (line === this.#next) this.#nextGraceMs = graceMs;
      else if (line === this.#current && !this.#next && !this.#timer) this.#moveOn(graceMs, 0);
    } else this.#deps.heard(message);
  }

  /** To another line, before the grace of this one is over; `from` is the part of it that is waited at least. */
  #moveOn(graceMs: number, from: number): void {
    const spread = Math.min(graceMs * spreadOfGrace, spreadMsMax) * this.#deps.random.next();
    this.#timer = this.#deps.clock.timer(graceMs * from + spread, () => this.#connect());
  }

  #over(line: Line, error: SlipstreamError | undefined): void {
    if (line === this.#next) {
      this.#next = undefined;
      this.#failed(error ?? new SlipstreamError("unavailable", "the router ended the stream"));
      return;
    }
    const current = line === this.#current;
    if (current) this.#current = undefined;
    this.#deps.lost(line.number, error?.message ?? "the router ended the stream");
    if (!current) return;
    // The next one may be on its way already: until it is welcome nobody listens.
    if (this.#next) this.#become({ is: "connecting" });
    // A connection that was good is made anew after a short moment, not by all windows at once.
    else this.#failed(error ?? new SlipstreamError("unavailable", "the router ended the stream"));
  }

  #failed(why: SlipstreamError): void {
    if (this.#state.is === "closed") return;
    this.#failures += 1;
    // Credentials do not become right by asking again soon.
    const failures = why.row.grpc === 16 || why.row.grpc === 7 ? 32 : this.#failures;
    const retryInMs = Math.max(pauseMs(this.#backoff, failures, this.#deps.random), why.retryAfterMs ?? 0);
    this.#timer = this.#deps.clock.timer(retryInMs, () => this.#connect());
    if (!this.#current) this.#become({ is: "offline", why, retryInMs });
  }

  #become(state: State): void {
    if (this.#state.is === "closed") return;
    const same = state.is === this.#state.is && state.is !== "offline";
    this.#state = state;
    if (!same) this.#deps.changed(state);
  }
}
