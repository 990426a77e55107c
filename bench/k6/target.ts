// target: what a load test runs against: `slipstream up` with its built-in model, a router with simulated workers, or a router that
// runs already. Processes are on loopback, on any port, and are ended by their id.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../../lib/clock.ts";
import { SlipstreamError } from "../../lib/errors.ts";
import { packageRoot } from "../../lib/package-root.ts";
import type { Source } from "../../sim/trace/generate.ts";
import { BenchProcess } from "../keys/process.ts";
import type { RouterOrders } from "../keys/router-process.ts";
import { allOn } from "../keys/switches.ts";
import type { WorkerOrders } from "../keys/worker-process.ts";

export interface TargetOptions {
  /** "up", "workers", or where a router listens. */
  readonly target: string;
  /** Of a router that runs already: "" is none. */
  readonly http: string;
  readonly workers: number;
  readonly slots: number;
  readonly agreement: number;
  readonly seed: number;
  /** False: a worker that stalls is waited for. */
  readonly failover: boolean;
  /** What will be typed: simulated workers know a share of it. */
  readonly sources: readonly Source[];
}

export interface Target {
  readonly name: string;
  readonly grpc: string;
  readonly http: string;
  /** Resident memory of the router's process in MiB; undefined where it is not ours. */
  rssMib(): number | undefined;
  /** The first worker's process is stopped, as one that hangs. */
  stall(): void;
  end(): Promise<void>;
}

const readyWithinMs = 60_000;
const endsWithinMs = 5_000;

export async function startTarget(options: TargetOptions): Promise<Target> {
  if (options.target === "up") return startUp();
  if (options.target === "workers") return startWorkers(options);
  return {
    name: options.target,
    grpc: options.target,
    http: options.http,
    rssMib: () => undefined,
    stall: () => {},
    end: async () => {},
  };
}

export async function startUp(): Promise<Target> {
  const anywhere = ["--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0", "--admin", "127.0.0.1:0"];
  const child = spawn(process.execPath, [join(packageRoot(), "bin/slipstream.js"), "up", ...anywhere], {
    cwd: packageRoot(),
    stdio: ["ignore", "pipe", "inherit"],
  });
  const text = await said(child, /admin\s+http:\S+/);
  const at = (label: string) => new RegExp(`${label}\\s+(?:http://)?(127\\.0\\.0\\.1:\\d+)`).exec(text)?.[1] ?? "";
  return {
    ...{ name: "slipstream up (built-in model on this machine's processor)", grpc: at("gRPC"), http: at("HTTP") },
    rssMib: () => rssOf(child.pid),
    stall: () => {},
    end: () => ended(child),
  };
}

async function startWorkers(options: TargetOptions): Promise<Target> {
  const { workers: count, slots, agreement, seed, failover, sources } = options;
  const processes: BenchProcess[] = [];
  try {
    const workers = await Promise.all(
      Array.from({ length: count }, async (_, nth) => {
        const orders: WorkerOrders = {
          ...{ name: `w${nth}`, profile: "l40s-7b-eagle3", profileEnd: "mid", slots, seed, agreement },
          ...{ sources: sources.map(({ path }) => path), suffixFirst: true, embedded: false },
        };
        const started = await BenchProcess.start("worker", orders);
        processes.push(started.process);
        return started;
      }),
    );
    const orders: RouterOrders = {
      workers: workers.map(({ address }) => address),
      ...{ switches: allOn, sessionsMax: 20_000, failover },
    };
    const router = await BenchProcess.start("router", orders);
    processes.push(router.process);
    const what = `router and ${count} simulated workers of ${slots} slots (L40S-7B by estimate, mid)`;
    return {
      name: `${what}${failover ? "" : ", failover off"}`,
      ...{ grpc: router.address, http: router.addresses[1] ?? "" },
      rssMib: () => rssOf(router.process.pid),
      stall: () => workers[0]?.process.signal("SIGSTOP"),
      end: async () => {
        // A stopped process hears nothing else.
        workers[0]?.process.signal("SIGCONT");
        await Promise.all(processes.map((each) => each.end()));
      },
    };
  } catch (thrown) {
    await Promise.all(processes.map((each) => each.end()));
    throw thrown;
  }
}

/** Resolves with all it has said when that matches. */
function said(child: ChildProcess, ready: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    const fail = (why: string) => {
      late[Symbol.dispose]();
      child.kill("SIGKILL");
      reject(new SlipstreamError("unavailable", `slipstream up ${why}`));
    };
    const late = systemClock.timer(readyWithinMs, () => fail("is not ready in time"));
    child.once("exit", (code) => fail(`ended with ${code}`));
    child.stdout?.setEncoding("utf8").on("data", (part: string) => {
      text += part;
      if (!ready.test(text)) return;
      late[Symbol.dispose]();
      child.removeAllListeners("exit");
      resolve(text);
    });
  });
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const over = once(child, "exit");
  child.kill("SIGTERM");
  const kill = systemClock.timer(endsWithinMs, () => child.kill("SIGKILL"));
  await over;
  kill[Symbol.dispose]();
}

/** As the kernel of Linux says it; elsewhere it is not known. */
function rssOf(pid: number | undefined): number | undefined {
  try {
    const kib = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return kib === undefined ? undefined : Math.round(Number(kib) / 1_024);
  } catch {
    return undefined;
  }
}
