// threads: crowds in virtual time in, what they see out, as many at once as the machine has cores. A thread that dies fails what it was
// at and gives its place to a new one. Ends its threads when it is closed, and with them whatever they are at.
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { SlipstreamError } from "../../lib/errors.ts";
import { packageRoot } from "../../lib/package-root.ts";
import type { Figures } from "./fleet.ts";
import type { Asked } from "./thread.ts";

interface Waiting {
  readonly asked: Asked;
  readonly resolve: (value: Figures) => void;
  readonly reject: (error: Error) => void;
}

interface Deps {
  readonly signal: AbortSignal;
  readonly start?: () => Worker;
}

export class Threads implements Disposable {
  readonly #deps: Required<Deps>;
  readonly #idle: Worker[] = [];
  readonly #all = new Set<Worker>();
  readonly #waiting: Waiting[] = [];
  /** Whoever waits for an answer, or for a thread. */
  readonly #open = new Set<(error: Error) => void>();
  #closed = false;

  constructor(options: { readonly threads?: number }, deps: Deps) {
    this.#deps = { start: () => new Worker(join(packageRoot(), "dist", "bench", "peers", "thread.js")), ...deps };
    for (let i = 0; i < (options.threads ?? availableParallelism()); i++) this.#start();
    const { signal } = deps;
    signal.addEventListener("abort", () => this.#fail(signal.reason as Error), { once: true });
  }

  ask(asked: Asked): Promise<Figures> {
    this.#deps.signal.throwIfAborted();
    return new Promise((resolve, reject) => {
      this.#open.add(reject);
      this.#waiting.push({ asked, resolve, reject });
      this.#next();
    });
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    for (const worker of this.#all) void worker.terminate();
    this.#fail(new SlipstreamError("cancelled", "the threads are closed"));
  }

  #start(): void {
    const worker = this.#deps.start();
    this.#all.add(worker);
    this.#idle.push(worker);
  }

  /** Nobody waits any longer. */
  #fail(error: Error): void {
    this.#waiting.length = 0;
    for (const reject of this.#open) reject(error);
    this.#open.clear();
  }

  #next(): void {
    if (this.#waiting.length === 0) return;
    const worker = this.#idle.pop();
    if (!worker) return;
    const { asked, resolve, reject } = this.#waiting.shift() as Waiting;
    const over = (end: () => void) => {
      // Not all listeners: the thread's own port hears by some of them.
      worker.off("message", answered);
      worker.off("error", failed);
      worker.off("exit", exited);
      this.#open.delete(reject);
      end();
      this.#next();
    };
    const answered = ({ value, error }: { value: Figures; error?: string }) =>
      over(() => {
        this.#idle.push(worker);
        if (error === undefined) resolve(value);
        else reject(new SlipstreamError("internal", error));
      });
    // An error that nobody caught in there ends the thread.
    const failed = (thrown: unknown) =>
      over(() => {
        this.#all.delete(worker);
        if (!this.#closed) this.#start();
        reject(SlipstreamError.from(thrown));
      });
    const exited = (code: number) => failed(new SlipstreamError("internal", `a thread ended with ${code}`));
    worker.on("message", answered);
    worker.on("error", failed);
    worker.on("exit", exited);
    worker.postMessage(asked);
  }
}
