// processes: `slipstream router`, `slipstream worker` and `slipstream operator`, configured by environment; the worker's engine
// also by option.
import type { Command } from "./command.ts";
import { options, refuseWords } from "./options.ts";

const examples: Readonly<Record<string, string>> = {
  router: "SLIPSTREAM_ROUTER_WORKERS=127.0.0.1:7421 slipstream router",
  worker: "SLIPSTREAM_WORKER_ADDRESS=127.0.0.1:7421 slipstream worker",
  operator: "SLIPSTREAM_OPERATOR_KUBECONFIG=~/.kube/config slipstream operator",
};

const help = (name: string, more = "") => `Usage: slipstream ${name} [--insecure]${more === "" ? "" : " [OPTIONS]"}

Runs a ${name} until SIGINT or SIGTERM, then drains. Settings come from the environment (SLIPSTREAM_${name.toUpperCase()}_…):
docs/reference/config.md lists them. A port that other machines reach needs TLS and asks who calls
(docs/operations/security.md); --insecure lets it be without.
${more}
Example:
  ${examples[name]}
`;

const workerOptions = `
Options (each stands for a setting):
  --engine NAME      embedded, vllm, simulated (SLIPSTREAM_WORKER_ENGINE)
  --engine-url URL   where the engine serves (SLIPSTREAM_WORKER_ENGINE_URL)
  --model-name NAME  the model it must serve (SLIPSTREAM_WORKER_MODEL_NAME)
  --probe URL        say what the engine at URL is and can do, and what to change for Slipstream; starts nothing
  --json             of --probe: one JSON object
`;

const settings = {
  insecure: "SLIPSTREAM_WORKER_INSECURE",
  engine: "SLIPSTREAM_WORKER_ENGINE",
  "engine-url": "SLIPSTREAM_WORKER_ENGINE_URL",
  "model-name": "SLIPSTREAM_WORKER_MODEL_NAME",
} as const;

export const router: Command = async (args, io) => {
  const { values, positionals } = options(args, { insecure: { type: "boolean" } });
  if (values.help) return told(io, help("router"));
  refuseWords(positionals);
  const env = values.insecure ? { ...io.env, SLIPSTREAM_ROUTER_INSECURE: "true" } : io.env;
  return (await import("../router/main.ts")).main(env, io);
};

export const worker: Command = async (args, io) => {
  const { values, positionals } = options(args, {
    insecure: { type: "boolean" },
    engine: { type: "string" },
    "engine-url": { type: "string" },
    "model-name": { type: "string" },
    probe: { type: "string" },
    json: { type: "boolean", default: false },
  });
  if (values.help) return told(io, help("worker", workerOptions));
  refuseWords(positionals);
  if (values.probe !== undefined) return (await import("./probe.ts")).probe(String(values.probe), values.json === true, io);
  const env = { ...io.env };
  for (const [option, name] of Object.entries(settings)) {
    const value = values[option as keyof typeof settings];
    if (value !== undefined) env[name] = String(value);
  }
  return (await import("../workers/main.ts")).main(env, io);
};

export const operator: Command = async (args, io) => {
  const { values, positionals } = options(args, { insecure: { type: "boolean" } });
  if (values.help) return told(io, help("operator"));
  refuseWords(positionals);
  const env = values.insecure ? { ...io.env, SLIPSTREAM_OPERATOR_INSECURE: "true" } : io.env;
  return (await import("../operator/main.ts")).main(env, io);
};

function told(io: Parameters<Command>[1], text: string): number {
  io.out(text);
  return 0;
}
