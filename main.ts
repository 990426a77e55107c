// main: the binary. Picks the command and imports only what that one needs; a command returns its exit code.
import type { Command, Io } from "./cli/command.ts";
import { keepAlive } from "./lib/clock.ts";
import { SlipstreamError } from "./lib/errors.ts";

interface Entry {
  readonly group: "run" | "use";
  readonly summary: string;
  readonly load: () => Promise<Command>;
}

const commands: Readonly<Record<string, Entry>> = {
  up: {
    group: "run",
    summary: "everything on this machine: router, built-in model, status page",
    load: async () => (await import("./up.ts")).up,
  },
  router: {
    group: "run",
    summary: "a router (settings: docs/reference/config.md)",
    load: async () => (await import("./cli/processes.ts")).router,
  },
  worker: {
    group: "run",
    summary: "a worker agent beside an engine",
    load: async () => (await import("./cli/processes.ts")).worker,
  },
  operator: {
    group: "run",
    summary: "pools, routers and models of a Kubernetes cluster",
    load: async () => (await import("./cli/processes.ts")).operator,
  },
  lsp: {
    group: "run",
    summary: "a language server for inline completion, which an editor starts",
    load: async () => (await import("./cli/lsp.ts")).lsp,
  },
  complete: { group: "use", summary: "complete FILE:LINE:COL", load: async () => (await import("./cli/complete.ts")).complete },
  status: { group: "use", summary: "what a running router does", load: async () => (await import("./cli/status.ts")).status },
  doctor: {
    group: "use",
    summary: "what is wrong with a cluster or this machine, and what to do",
    load: async () => (await import("./cli/doctor.ts")).doctor,
  },
  drain: {
    group: "use",
    summary: "take a router or a worker out of service without a lost key",
    load: async () => (await import("./cli/drain.ts")).drain,
  },
  explain: {
    group: "use",
    summary: "what became of a trigger, step by step",
    load: async () => (await import("./cli/explain.ts")).explain,
  },
  fetch: {
    group: "use",
    summary: "bring a model's files into a folder, proved",
    load: async () => (await import("./cli/fetch.ts")).fetch,
  },
  key: { group: "use", summary: "make an API key for a tenant", load: async () => (await import("./cli/key.ts")).key },
  bench: { group: "use", summary: "measure on this machine", load: async () => (await import("./cli/bench.ts")).bench },
  plan: {
    group: "use",
    summary: "how many GPUs so many developers need",
    load: async () => (await import("./cli/plan.ts")).plan,
  },
  eval: {
    group: "use",
    summary: "how good completions are, on code never trained on",
    load: async () => (await import("./cli/eval.ts")).evaluate,
  },
  trace: {
    group: "use",
    summary: "generate, record, inspect and play typing traces",
    load: async () => (await import("./cli/trace.ts")).trace,
  },
};

function help(): string {
  const list = (group: Entry["group"]) =>
    Object.entries(commands)
      .filter(([, entry]) => entry.group === group)
      .map(([name, { summary }]) => `  ${name.padEnd(10)} ${summary}`)
      .join("\n");
  return `Usage: slipstream COMMAND [OPTIONS]

Run:
${list("run")}

Use:
${list("use")}

slipstream COMMAND --help says more of each, with examples. slipstream --version prints the version.

Examples:
  slipstream up
  slipstream complete src/server.ts:42:17
  slipstream status
`;
}

async function main(args: readonly string[], io: Io): Promise<number> {
  const [name, ...rest] = args;
  if (name === undefined || name === "--help" || name === "-h" || name === "help") {
    io.out(help());
    return name === undefined ? 64 : 0;
  }
  if (name === "--version" || name === "-v") {
    io.out(`${(await import("./lib/version.ts")).version}\n`);
    return 0;
  }
  const entry = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (!entry) {
    io.complain(`slipstream: no command "${name}"; there are: ${Object.keys(commands).join(", ")}`);
    return 64;
  }
  try {
    return await (await entry.load())(rest, io);
  } catch (thrown) {
    const error = SlipstreamError.from(thrown);
    io.complain(`slipstream ${name}: ${error.message}`);
    if (error.code === "internal" && error.cause instanceof Error) io.complain(error.cause.stack ?? "");
    return error.row.exit;
  }
}

// grpc-js names a server by its IP address in a handshake, which Node warns of; a person cannot change that.
process.noDeprecation = true;
// A reader that has seen enough (`slipstream … | head`) is no failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
});
// A clock's timers never keep a process alive; a command that waits for one does.
const running = keepAlive();
process.exitCode = await main(process.argv.slice(2), {
  env: process.env,
  out: (text) => void process.stdout.write(text),
  complain: (sentence) => void process.stderr.write(`${sentence}\n`),
  on: (signal, act) => void process.on(signal, act),
  force: (exit) => process.exit(exit),
});
running[Symbol.dispose]();
