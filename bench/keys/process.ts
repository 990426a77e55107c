// process: a process of this bench as its parent holds it: started with orders, asked for figures, ended by its id. Ends with
// its parent whatever way that goes: the channel between them closes.
import { type ChildProcess, fork } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../../lib/clock.ts";
import { SlipstreamError } from "../../lib/errors.ts";
import { packageRoot } from "../../lib/package-root.ts";
import type { Said, Spent } from "./child.ts";

const answersWithinMs = 20_000;
const endsWithinMs = 4_000;

export class BenchProcess {
  readonly name: string;
  readonly #child: ChildProcess;
  readonly #ended: Promise<string>;
  #heard: (said: Said) => void = () => {};

  private constructor(name: string, child: ChildProcess) {
    this.name = name;
    this.#child = child;
    child.on("message", (said: Said) => this.#heard(said));
    this.#ended = new Promise((resolve) => {
      child.once("error", (error) => resolve(error.message));
      child.once("exit", (code, signal) => resolve(signal ? `ended by ${signal}` : `ended with status ${code}`));
    });
  }

  static async start(
    entry: "router" | "worker" | "front" | "scheduled",
    orders: object,
    flags: readonly string[] = [],
    bench: "keys" | "fleet" | "router" | "faults" | "peers" = "keys",
  ): Promise<{ process: BenchProcess; address: string; addresses: readonly string[] }> {
    const path = join(packageRoot(), "dist", "bench", bench, `${entry}-process.js`);
    if (!existsSync(path)) throw new SlipstreamError("internal", `${path} is not built: npm run build`);
    const child = fork(path, [JSON.stringify(orders)], {
      // Flags of the parent (loaders, inspectors) are not for the child.
      execArgv: [...flags],
      env: {},
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    });
    const made = new BenchProcess(entry, child);
    try {
      const { port, ports } = await made.#next("ready");
      return { process: made, address: `127.0.0.1:${port}`, addresses: (ports ?? [port]).map((each) => `127.0.0.1:${each}`) };
    } catch (thrown) {
      await made.end();
      throw thrown;
    }
  }

  /** What it counted since it was last asked. */
  async take<T>(): Promise<{ readonly figures: T; readonly spent: Spent }> {
    this.#child.send({ kind: "take" });
    const { figures, spent } = await this.#next("figures");
    return { figures: figures as T, spent };
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** To a process that still runs. */
  signal(signal: NodeJS.Signals): void {
    if (this.running) this.#child.kill(signal);
  }

  async end(): Promise<void> {
    if (!this.running) return;
    this.#child.kill("SIGTERM");
    const kill = systemClock.timer(endsWithinMs, () => this.#child.kill("SIGKILL"));
    await this.#ended;
    kill[Symbol.dispose]();
  }

  #next<K extends Said["kind"]>(kind: K): Promise<Extract<Said, { kind: K }>> {
    return new Promise((resolve, reject) => {
      const fail = (why: string) => {
        late[Symbol.dispose]();
        reject(new SlipstreamError("unavailable", `the bench's ${this.name}: ${why}`));
      };
      const late = systemClock.timer(answersWithinMs, () => fail("does not answer"));
      void this.#ended.then(fail);
      this.#heard = (said) => {
        if (said.kind === "failed") fail(said.message);
        if (said.kind !== kind) return;
        late[Symbol.dispose]();
        resolve(said as Extract<Said, { kind: K }>);
      };
    });
  }
}
