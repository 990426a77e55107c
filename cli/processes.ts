// processes: `slipstream router` and `slipstream worker`, configured by environment alone.
import type { Command } from "./command.ts";

const help = (name: string) => `Usage: slipstream ${name} [--insecure]

Runs a ${name} until SIGINT or SIGTERM, then drains. Settings come from the environment (SLIPSTREAM_${name.toUpperCase()}_…):
docs/reference/config.md lists them. A port that other machines reach needs TLS and asks who calls
(docs/operations/security.md); --insecure lets it be without.

Example:
  ${name === "router" ? "SLIPSTREAM_ROUTER_WORKERS=127.0.0.1:7421 slipstream router" : "SLIPSTREAM_WORKER_ADDRESS=127.0.0.1:7421 slipstream worker"}
`;

export const router: Command = async (args, io) => {
  if (args.length > 0 && !isInsecure(args)) return usage("router", args, io);
  const env = isInsecure(args) ? { ...io.env, SLIPSTREAM_ROUTER_INSECURE: "true" } : io.env;
  return (await import("../router/main.ts")).main(env, io);
};

export const worker: Command = async (args, io) => {
  if (args.length > 0 && !isInsecure(args)) return usage("worker", args, io);
  const env = isInsecure(args) ? { ...io.env, SLIPSTREAM_WORKER_INSECURE: "true" } : io.env;
  return (await import("../workers/main.ts")).main(env, io);
};

const isInsecure = (args: readonly string[]) => args.length === 1 && args[0] === "--insecure";

function usage(name: string, args: readonly string[], io: Parameters<Command>[1]): number {
  const asked = args.includes("--help") || args.includes("-h");
  if (asked) io.out(help(name));
  else io.complain(`slipstream ${name}: takes no arguments but --insecure; --help says more`);
  return asked ? 0 : 64;
}
