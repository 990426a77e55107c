// peer-process: a router of somebody else, started before our workers on loopback with its own program and ended by its id. Ready
// when a completion comes through it. What it took of the processor is read from the system, threads included.
import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { systemClock } from "../../lib/clock.ts";
import { SlipstreamError } from "../../lib/errors.ts";
import type { Spent } from "../keys/child.ts";
import { HttpEndpoint, keptAlive } from "./http-endpoint.ts";
import { type PeerName, peers } from "./peer-table.ts";

export interface PeerOptions {
  readonly program: string;
  readonly workers: readonly number[];
  readonly model: string;
  /** For files that it is started with. */
  readonly folder: string;
  readonly key?: string;
}

const readyWithinMs = 30_000;
const askEveryMs = 200;
const endsWithinMs = 4_000;
const startsMax = 3;
/** Of /proc: clock ticks a second and bytes a page, as Linux tells them to programs nearly everywhere. */
const tickMs = 10;
const pageBytes = 4_096;

export class PeerProcess {
  readonly port: number;
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  #cpuMs = 0;
  #sinceMs = systemClock.now();

  private constructor(port: number, child: ChildProcess) {
    this.port = port;
    this.#child = child;
    this.#ended = new Promise((resolve) => {
      child.once("error", () => resolve());
      child.once("exit", () => resolve());
    });
  }

  /** Its ports are free when they are looked for, and may be somebody's when it comes to them: then with others. */
  static async start(name: PeerName, options: PeerOptions, signal: AbortSignal): Promise<PeerProcess> {
    for (let attempt = 1; ; attempt++)
      try {
        return await PeerProcess.#start(name, options, signal);
      } catch (thrown) {
        if (attempt === startsMax || signal.aborted) throw thrown;
      }
  }

  static async #start(name: PeerName, options: PeerOptions, signal: AbortSignal): Promise<PeerProcess> {
    const [port, sidePort] = [await freePort(), await freePort()];
    const { program, workers, folder, model, key } = options;
    const file = join(folder, `${name.replaceAll(/\W+/g, "-")}-${port}.json`);
    const launch = { port, sidePort, workers, file, ...(key !== undefined && { key }) };
    const { file: written, launch: words } = peers[name];
    if (written) writeFileSync(file, written(launch));
    const child = spawn(program, words(launch), { stdio: ["ignore", "ignore", "ignore"], cwd: folder });
    const made = new PeerProcess(port, child);
    try {
      await made.#ready(name, { port, model, ...(key !== undefined && { key }) }, signal);
      made.spent();
      return made;
    } catch (thrown) {
      await made.end();
      throw thrown;
    }
  }

  /** Since it was last asked. */
  spent(): Spent {
    const now = systemClock.now();
    // After the name, which may hold spaces: the 12th and 13th field from there, and the 22nd.
    const fields = readFileSync(`/proc/${this.#child.pid}/stat`, "utf8")
      .replace(/^.*\) /s, "")
      .split(" ");
    const cpuMs = (Number(fields[11]) + Number(fields[12])) * tickMs;
    const spent = {
      ...{ cpuMs: cpuMs - this.#cpuMs, wallMs: now - this.#sinceMs },
      rssMib: (Number(fields[21]) * pageBytes) / 2 ** 20,
    };
    this.#cpuMs = cpuMs;
    this.#sinceMs = now;
    return spent;
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null || this.#child.pid === undefined) return;
    this.#child.kill("SIGTERM");
    const kill = systemClock.timer(endsWithinMs, () => this.#child.kill("SIGKILL"));
    await this.#ended;
    kill[Symbol.dispose]();
  }

  async #ready(name: string, to: { port: number; model: string; key?: string }, signal: AbortSignal): Promise<void> {
    const agent = keptAlive();
    const endpoint = new HttpEndpoint(to, { agent });
    const untilMs = systemClock.now() + readyWithinMs;
    let why = "";
    try {
      while (systemClock.now() < untilMs) {
        signal.throwIfAborted();
        if (this.#child.exitCode !== null) throw new SlipstreamError("unavailable", `${name} ended with ${this.#child.exitCode}`);
        try {
          await endpoint.complete({ prompt: "a", maxTokens: 1, stop: [], session: "ready" }, AbortSignal.any([signal]), () => {});
          return;
        } catch (thrown) {
          why = SlipstreamError.from(thrown).message;
        }
        await systemClock.sleep(askEveryMs, signal);
      }
      throw new SlipstreamError("unavailable", `${name} does not serve after ${readyWithinMs / 1_000} s: ${why}`);
    } finally {
      agent.destroy();
    }
  }
}

/** One that nobody listens on now. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return port;
}
