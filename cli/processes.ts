// processes: `slipstream router` and `slipstream worker`, configured by environment alone.
import type { Command } from "./command.ts";

const help = (name: string) => `Usage: slipstream ${name}

Runs a ${name} until SIGINT or SIGTERM, then drains. Settings come from the environment (SLIPSTREAM_${name.toUpperCase()}_…):
docs/reference/config.md lists them.

Example:
  ${name === "router" ? "SLIPSTREAM_ROUTER_WORKERS=127.0.0.1:7421 slipstream router" : "SLIPSTREAM_WORKER_ADDRESS=127.0.0.1:7421 slipstream worker"}
`;

export const router: Command = async (args, io) => {
  if (args.length > 0) return usage("router", args, io);
  return (await import("../router/main.ts")).main(io.env, io);
};

export const worker: Command = async (args, io) => {
  if (args.length > 0) return usage("worker", args, io);
  return (await import("../workers/main.ts")).main(io.env, io);
};

function usage(name: string, args: readonly string[], io: Parameters<Command>[1]): number {
  const asked = args.includes("--help") || args.includes("-h");
  if (asked) io.out(help(name));
  else io.complain(`slipstream ${name}: takes no arguments; --help says more`);
  return asked ? 0 : 64;
}
