// outstanding: one generation between its Submit and its closing frame: its text, the signal that stops its engine, and
// the first reason why it was stopped from outside. Ends in exactly one Ending, or none when its stream is gone.
import type { Clock } from "../lib/clock.ts";
import type { SlipstreamError } from "../lib/errors.ts";
import type { Emission, Ending } from "./emit/emit.ts";
import type { Finish, Finished, Piece } from "./generation.ts";

/** Why a generation was stopped from outside the engine. */
export type Stop =
  | { readonly why: "cancel"; readonly atMs: number }
  | { readonly why: "deadline" }
  | { readonly why: "refuse"; readonly error: SlipstreamError }
  | { readonly why: "lost" };

export class Outstanding implements Disposable {
  readonly #emission: Emission;
  readonly #clock: Clock;
  readonly #controller = new AbortController();
  #stop: Stop | undefined;
  /** How its text ended, if it did before the engine. */
  #cut: Finish | undefined;
  #expiry: Disposable | undefined;

  constructor(parts: { emission: Emission }, deps: { clock: Clock }) {
    this.#emission = parts.emission;
    this.#clock = deps.clock;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get stopped(): Stop["why"] | undefined {
    return this.#stop?.why;
  }

  /** Stops the engine in this tick; nothing more is sent of its text. The first reason counts. */
  stop(stop: Stop): void {
    if (this.#stop) return;
    this.#stop = stop;
    this.#emission.close();
    this.#controller.abort(stop);
  }

  expireAt(deadlineMs: number): void {
    if (!Number.isFinite(deadlineMs)) return;
    this.#expiry = this.#clock.timer(deadlineMs - this.#clock.now(), () => this.stop({ why: "deadline" }));
  }

  /** A piece for the reader; when it ends the text, the engine need not go on. */
  take(piece: Piece): void {
    this.#cut ??= this.#emission.take(piece);
    if (this.#cut) this.#controller.abort("cut");
  }

  window(bytes: number): void {
    this.#emission.open(bytes);
  }

  /** Resolves when all text is sent, or will never be. */
  drained(): Promise<void> {
    return this.#emission.finish();
  }

  /** Undefined: there is nobody to tell. */
  ending(finished: Finished): Ending | undefined {
    switch (this.#stop?.why) {
      case "cancel":
        return { kind: "cancelled", abortMs: this.#clock.now() - this.#stop.atMs };
      case "deadline":
        return { kind: "done", finish: "deadline" };
      case "refuse":
        return { kind: "refused", error: this.#stop.error };
      case "lost":
        return undefined;
    }
    if (this.#cut) return { kind: "done", finish: this.#cut };
    if (finished.kind === "failed") return { kind: "refused", error: finished.error };
    // An engine that stops without being told to has nothing more to say.
    return { kind: "done", finish: finished.kind === "done" ? finished.finish : "stop" };
  }

  [Symbol.dispose](): void {
    this.#expiry?.[Symbol.dispose]();
    this.#emission.close();
  }
}
