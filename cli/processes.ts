// processes: `slipstream router`, `slipstream worker` and `slipstream operator`, configured by environment; the worker's engine
// also by option.
import { SlipstreamError } from "../lib/errors.ts";
import type { Command, Io } from "./command.ts";
import { options, refuseWords, whole } from "./options.ts";

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
  --probe URL        say what the engine at URL (http://, https:// or grpc://) is and can do, and what to change for Slipstream;
                     starts nothing. Ends with 1 when something is lacking
  --json             of --probe: one JSON object

Options of --probe --verify, which holds the engine at URL to what every engine keeps for the agent (docs/operations/engines.md):
some minutes of generations on a server that nobody else should use meanwhile. It is asked as a worker with the settings of the
environment would ask it. Ends with 0 when all held, 1 when something is broken.
  --verify           try it, item by item
  --report FILE      write the report as JSON into FILE, to send on: versions, what held and what did not, times. It has no prompts but
                     the contract's own samples, and no addresses
  --with-url         say in the report where the engine was
  --seats N          the generations that the engine runs at once (vLLM: --max-num-seqs): tries the order of lanes beyond them
  --sleep            puts it to sleep and wakes it, where it can

  slipstream worker --probe http://127.0.0.1:8000
  slipstream worker --probe http://127.0.0.1:8000 --verify --seats 8 --report vllm.json
  SLIPSTREAM_WORKER_TOKENIZER=/models/qwen slipstream worker --probe grpc://127.0.0.1:50051 --verify
`;

const routerOptions = `
Options (each stands for a setting; port 0 takes any free one):
  --grpc HOST:PORT   editors and products connect here (SLIPSTREAM_ROUTER_GRPC_ADDRESS)
  --http HOST:PORT   status page, endpoints that other clients know (SLIPSTREAM_ROUTER_HTTP_ADDRESS)
  --admin HOST:PORT  health and metrics (SLIPSTREAM_ROUTER_ADMIN_ADDRESS)
`;

const routerSettings = {
  insecure: "SLIPSTREAM_ROUTER_INSECURE",
  grpc: "SLIPSTREAM_ROUTER_GRPC_ADDRESS",
  http: "SLIPSTREAM_ROUTER_HTTP_ADDRESS",
  admin: "SLIPSTREAM_ROUTER_ADMIN_ADDRESS",
} as const;

const workerSettings = {
  insecure: "SLIPSTREAM_WORKER_INSECURE",
  engine: "SLIPSTREAM_WORKER_ENGINE",
  "engine-url": "SLIPSTREAM_WORKER_ENGINE_URL",
  "model-name": "SLIPSTREAM_WORKER_MODEL_NAME",
} as const;

export const router: Command = async (args, io) => {
  const { values, positionals } = options(args, {
    insecure: { type: "boolean" },
    grpc: { type: "string" },
    http: { type: "string" },
    admin: { type: "string" },
  });
  if (values.help) return told(io, help("router", routerOptions));
  refuseWords(positionals);
  return (await import("../router/main.ts")).main({ ...io.env, ...given(routerSettings, values) }, io);
};

export const worker: Command = async (args, io) => {
  const { values, positionals } = options(args, {
    insecure: { type: "boolean" },
    engine: { type: "string" },
    "engine-url": { type: "string" },
    "model-name": { type: "string" },
    probe: { type: "string" },
    json: { type: "boolean", default: false },
    verify: { type: "boolean", default: false },
    report: { type: "string" },
    "with-url": { type: "boolean", default: false },
    seats: { type: "string" },
    sleep: { type: "boolean", default: false },
  });
  if (values.help) return told(io, help("worker", workerOptions));
  refuseWords(positionals);
  goesWith("--verify", values.verify, ["report", "with-url", "seats", "sleep"], values);
  goesWith("--probe URL", values.probe !== undefined, ["verify", "json"], values);
  if (values.probe !== undefined) return probing(values.probe, values, io);
  return (await import("../workers/main.ts")).main({ ...io.env, ...given(workerSettings, values) }, io);
};

export const operator: Command = async (args, io) => {
  const { values, positionals } = options(args, { insecure: { type: "boolean" } });
  if (values.help) return told(io, help("operator"));
  refuseWords(positionals);
  const env = values.insecure ? { ...io.env, SLIPSTREAM_OPERATOR_INSECURE: "true" } : io.env;
  return (await import("../operator/main.ts")).main(env, io);
};

interface Probing {
  readonly json: boolean;
  readonly verify: boolean;
  readonly report?: string | undefined;
  readonly "with-url": boolean;
  readonly seats?: string | undefined;
  readonly sleep: boolean;
}

async function probing(url: string, { json, report, sleep, ...values }: Probing, io: Io): Promise<number> {
  if (!values.verify) return (await import("./probe.ts")).probe(url, json, io);
  const seats = values.seats === undefined ? undefined : whole("seats", values.seats, 1, 1_000);
  return (await import("./verify.ts")).verify({ url, json, report, sleep, seats, withUrl: values["with-url"] }, io);
}

/** An option that says more of another one, which is not there. */
function goesWith(other: string, there: boolean, names: readonly string[], values: Readonly<Record<string, unknown>>): void {
  const alone = names.find((name) => values[name] !== undefined && values[name] !== false);
  if (!there && alone !== undefined)
    throw new SlipstreamError("invalid_request", `--${alone} goes with ${other}; --help shows the options`, { field: alone });
}

/** The settings that options stand for. */
function given(names: Readonly<Record<string, string>>, values: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(names).flatMap(([option, name]) => (values[option] === undefined ? [] : [[name, String(values[option])]])),
  );
}

function told(io: Parameters<Command>[1], text: string): number {
  io.out(text);
  return 0;
}
