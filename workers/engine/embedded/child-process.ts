// child-process: starts the engine's child and holds the channel to it. Parsed messages come out in order; `ended` resolves
// once with a sentence when the process is gone, whatever the way. Keeps the last bytes of what it said on stderr.
import { type ChildProcess, fork } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "../../../lib/clock.ts";
import { SlipstreamError } from "../../../lib/errors.ts";
import { packageRoot } from "../../../lib/package-root.ts";
import { type FromChild, parseFromChild, type ToChild } from "./messages.ts";

const stderrBytesMax = 4_096;
/** A vocabulary of 250,000 tokens takes some hundred MB while it is read; a corrupt file must not take the machine. */
const heapMegabytesMax = 2_048;
/** How long a closing child may take before it is killed. */
const closeMs = 1_000;

export function defaultChildEntry(): string {
  return join(packageRoot(), "dist", "workers", "engine", "embedded", "child.js");
}

export class EngineChild {
  readonly ended: Promise<string>;
  readonly #clock: Clock;
  readonly #process: ChildProcess;
  #stderr = "";
  #onMessage: (message: FromChild) => void = () => {};

  constructor(options: { entry: string }, deps: { clock: Clock }) {
    if (!existsSync(options.entry))
      throw new SlipstreamError("internal", `the engine's process is not built (${options.entry}): npm run build`);
    this.#clock = deps.clock;
    this.#process = fork(options.entry, [], {
      serialization: "advanced",
      // Flags of the parent (loaders, inspectors) are not for the child.
      execArgv: [`--max-old-space-size=${heapMegabytesMax}`],
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    this.#process.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-stderrBytesMax);
    });
    this.#process.on("message", (raw: unknown) => this.#receive(raw));
    this.ended = new Promise((resolve) => {
      this.#process.once("error", (error) => resolve(`it could not be started (${error.message})`));
      this.#process.once("exit", (code, signal) => resolve(signal ? `it ended by ${signal}` : `it ended with status ${code}`));
    });
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** The last lines on stderr: where llama.cpp says why it aborts. */
  get lastWords(): string {
    return this.#stderr.trim();
  }

  onMessage(listener: (message: FromChild) => void): void {
    this.#onMessage = listener;
  }

  send(message: ToChild): void {
    // A channel that closes while sending is seen as the end of the process; there is nothing to add to that here.
    if (this.#process.connected) this.#process.send(message, () => {});
  }

  kill(): void {
    this.#process.kill("SIGKILL");
  }

  async close(): Promise<void> {
    this.send({ kind: "close" });
    const timer = this.#clock.timer(closeMs, () => this.kill());
    await this.ended;
    timer[Symbol.dispose]();
  }

  #receive(raw: unknown): void {
    let message: FromChild;
    try {
      message = parseFromChild(raw);
    } catch (error) {
      this.#stderr = String(error);
      this.kill();
      return;
    }
    this.#onMessage(message);
  }
}
