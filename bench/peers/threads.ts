// threads: questions of capacity in, answers out, as many at once as the machine has cores. Ends its threads when it is closed, and
// with them whatever they are at.
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { SlipstreamError } from "../../lib/errors.ts";
import { packageRoot } from "../../lib/package-root.ts";
import type { Asked } from "./thread.ts";

interface Waiting {
  readonly asked: Asked;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

export class Threads implements Disposable {
  readonly #idle: Worker[] = [];
  readonly #all: Worker[] = [];
  readonly #waiting: Waiting[] = [];

  constructor(options: { readonly threads?: number } = {}) {
    const path = join(packageRoot(), "dist", "bench", "peers", "thread.js");
    for (let i = 0; i < (options.threads ?? availableParallelism()); i++) this.#all.push(new Worker(path));
    this.#idle.push(...this.#all);
  }

  ask<T>(asked: Asked, signal: AbortSignal): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason as Error);
      signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
      this.#waiting.push({ asked, resolve: resolve as (value: unknown) => void, reject });
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
      worker.removeAllListeners();
      end();
      this.#idle.push(worker);
      this.#next();
    };
    worker.once("message", ({ value, error }: { value?: unknown; error?: string }) =>
      over(() => (error === undefined ? next.resolve(value) : next.reject(new SlipstreamError("internal", error)))),
    );
    worker.once("error", (thrown) => next.reject(thrown));
    worker.postMessage(next.asked);
  }
}
