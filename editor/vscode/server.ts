// server: the language server as a child of the editor: started, spoken to, started again when it ends by itself, up to a bound.
import type { ChildProcess } from "node:child_process";
import type { Clock } from "../../lib/clock.ts";
import { Rpc, RpcError, rpcCode } from "../lsp/rpc.ts";

type Params = Readonly<Record<string, unknown>>;

interface Deps {
  readonly clock: Clock;
  readonly spawn: () => ChildProcess;
  /** Parameters of `initialize`, as they are at this start. */
  readonly initialize: () => Promise<object>;
  /** It answers: what is open must be told. */
  readonly ready: () => void;
  readonly heard: (method: string, params: Params) => void;
  /** It ended, and is not started again. */
  readonly gone: (sentence: string) => void;
}

/** A server that ends so often within the time is broken. */
const endsMax = 5;
const endsWithinMs = 3 * 60_000;
const pauseMs = 1_000;

export class Server {
  readonly #deps: Deps;
  #child: ChildProcess | undefined;
  #rpc: Rpc | undefined;
  #ready = false;
  #ends: number[] = [];
  #pause: Disposable | undefined;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  get ready(): boolean {
    return this.#ready;
  }

  /** One that runs stays: of two restarts at once the first to come this far starts it. */
  async start(): Promise<void> {
    if (this.#child) return;
    const { spawn, initialize, ready, heard, gone } = this.#deps;
    const child = spawn();
    this.#child = child;
    const rpc = new Rpc((bytes) => void child.stdin?.write(bytes), {
      request: (method) => {
        throw new RpcError(rpcCode.methodNotFound, `no method ${method}`);
      },
      notification: heard,
      bad: () => {},
    });
    this.#rpc = rpc;
    child.stdout?.on("data", (chunk: Buffer) => rpc.push(chunk));
    // What is written to one that is gone is lost with it.
    child.stdin?.on("error", () => {});
    child.once("error", (error) => this.#ended(child, error.message));
    child.once("exit", (code, signal) => this.#ended(child, `it ended with ${code ?? signal}`));
    try {
      await rpc.request("initialize", await initialize());
      rpc.notify("initialized", {});
      this.#ready = this.#child === child;
      if (this.#ready) ready();
    } catch (thrown) {
      if (this.#child === child) gone(`the language server: ${(thrown as Error).message}`);
    }
  }

  notify(method: string, params: object): void {
    if (this.#ready) this.#rpc?.notify(method, params);
  }

  /** Undefined: there is no server, or it refused. */
  async request(method: string, params: object, signal?: AbortSignal): Promise<unknown> {
    if (!this.#ready || !this.#rpc || signal?.aborted) return undefined;
    return this.#rpc.request(method, params, signal).catch(() => undefined);
  }

  async stop(): Promise<void> {
    const [child, rpc] = [this.#child, this.#rpc];
    this.#child = undefined;
    this.#pause?.[Symbol.dispose]();
    if (!child || !rpc) return;
    const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
    if (this.#ready)
      void rpc.request("shutdown", {}).then(
        () => rpc.notify("exit", {}),
        () => child.kill(),
      );
    else child.kill();
    this.#ready = false;
    const late = this.#deps.clock.timer(2_000, () => child.kill("SIGKILL"));
    if (child.exitCode === null && child.signalCode === null && child.pid !== undefined) await ended;
    late[Symbol.dispose]();
    rpc.close();
  }

  #ended(child: ChildProcess, why: string): void {
    if (child !== this.#child) return;
    const now = this.#deps.clock.now();
    this.#ready = false;
    this.#rpc?.close();
    this.#child = undefined;
    this.#ends = [...this.#ends.filter((at) => now - at < endsWithinMs), now];
    if (this.#ends.length >= endsMax)
      this.#deps.gone(`the language server ended ${endsMax} times in ${endsWithinMs / 60_000} minutes: ${why}`);
    else this.#pause = this.#deps.clock.timer(pauseMs * this.#ends.length, () => void this.start());
  }
}
