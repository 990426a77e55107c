// threads: crowds in virtual time in, what they see out, as many at once as the machine has cores. Ends its threads when it is closed, and
// with them whatever they are at.
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

export class Threads implements Disposable {
  readonly #idle: Worker[] = [];
  readonly #all: Worker[] = [];
  readonly #waiting: Waiting[] = [];
  readonly #signal: AbortSignal;
  /** Whoever waits for an answer, or for a thread. */
  readonly #open = new Set<(error: Error) => void>();

  constructor(options: { readonly threads?: number }, deps: { readonly signal: AbortSignal }) {
    const path = join(packageRoot(), "dist", "bench", "peers", "thread.js");
    for (let i = 0; i < (options.threads ?? availableParallelism()); i++) this.#all.push(new Worker(path));
    this.#idle.push(...this.#all);
    this.#signal = deps.signal;
    this.#signal.addEventListener("abort", () => {
      for (const reject of this.#open) reject(this.#signal.reason as Error);
    });
  }

  ask(asked: Asked): Promise<Figures> {
    this.#signal.throwIfAborted();
    return new Promise((resolve, reject) => {
      this.#open.add(reject);
      this.#waiting.push({ asked, resolve, reject });
      this.#next();
    });
  }

  [Symbol.dispose](): void {
    this.#waiting.length = 0;
    for (const worker of this.#all) void worker.terminate();
  }

  #next(): void {
    const worker = this.#idle.pop();
    const next = worker && this.#waiting.shift();
    if (!worker) return;
    if (!next) {
      this.#idle.push(worker);
      return;
    }
    const over = (end: () => void) => {
      // Not all listeners: the thread's own port hears by some of them.
      worker.off("message", answered);
      worker.off("error", failed);
      this.#open.delete(next.reject);
      end();
      this.#idle.push(worker);
      this.#next();
    };
    const answered = ({ value, error }: { value: Figures; error?: string }) =>
      over(() => (error === undefined ? next.resolve(value) : next.reject(new SlipstreamError("internal", error))));
    const failed = (thrown: Error) => next.reject(thrown);
    worker.on("message", answered);
    worker.on("error", failed);
    worker.postMessage(next.asked);
  }
}
