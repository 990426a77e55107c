// child: what the processes of this bench have in common: orders as JSON in the first argument, figures by message when the
// parent asks, an end when the parent says so, or is gone.
import process from "node:process";
import { systemClock } from "../../lib/clock.ts";
import { SlipstreamError } from "../../lib/errors.ts";
import { type Lifecycle, run } from "../../lib/lifecycle.ts";
import { silentLog } from "../../lib/log.ts";

/** CPU and memory of a process since it was last asked. */
export interface Spent {
  readonly cpuMs: number;
  readonly wallMs: number;
  readonly rssMib: number;
}

/** What a child says: that it is up (and where), what it counted, or why it cannot. */
export type Said =
  | { readonly kind: "ready"; readonly port: number; readonly ports?: readonly number[] }
  | { readonly kind: "figures"; readonly figures: unknown; readonly spent: Spent }
  | { readonly kind: "failed"; readonly message: string };

interface Part {
  readonly port: number;
  /** Where it listens at more than one. */
  readonly ports?: readonly number[];
  /** What was counted since it was last asked. */
  readonly take: () => Promise<object> | object;
}

export async function runChild(start: (orders: unknown, lifecycle: Lifecycle) => Promise<Part>): Promise<void> {
  const say = (said: Said) => void process.send?.(said);
  // A terminal's interrupt goes to the whole group: the parent ends its children in good order.
  process.on("SIGINT", () => {});
  process.exitCode = await run(
    { graceMs: 2_000 },
    {
      clock: systemClock,
      log: silentLog,
      complain: (message) => say({ kind: "failed", message }),
      on: (signal, act) => {
        if (signal !== "SIGTERM") return;
        process.on("SIGTERM", act);
        process.once("disconnect", act);
      },
    },
    async (lifecycle) => {
      const orders: unknown = JSON.parse(process.argv[2] ?? "null");
      if (typeof orders !== "object" || orders === null || !process.send)
        throw new SlipstreamError("invalid_request", "this process is started by slipstream bench alone");
      const part = await start(orders, lifecycle);
      let cpu = process.cpuUsage();
      let sinceMs = systemClock.now();
      process.on("message", async () => {
        const used = process.cpuUsage(cpu);
        cpu = process.cpuUsage();
        const now = systemClock.now();
        const spent = {
          cpuMs: (used.user + used.system) / 1_000,
          wallMs: now - sinceMs,
          rssMib: process.memoryUsage().rss / 2 ** 20,
        };
        sinceMs = now;
        say({ kind: "figures", figures: await part.take(), spent });
      });
      say({ kind: "ready", port: part.port, ...(part.ports && { ports: part.ports }) });
    },
  );
  if (process.connected) process.disconnect();
}
