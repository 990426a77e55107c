// bench: `slipstream bench NAME`: figures of this machine, with what they mean.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { benchCancel, type Cancelled } from "../bench/cancel.ts";
import { benchDocument } from "../bench/document.ts";
import { benchEngine } from "../bench/engine.ts";
import { trainedPackages } from "../bench/spans.ts";
import { benchSpeculation } from "../bench/speculation.ts";
import { otherWays, plainWay, type Way } from "../bench/speculation-report.ts";
import { systemClock } from "../lib/clock.ts";
import { SlipstreamError } from "../lib/errors.ts";
import { silentLog } from "../lib/log.ts";
import { packageRoot } from "../lib/package-root.ts";
import { seeded } from "../lib/random.ts";
import { EmbeddedEngine } from "../workers/engine/embedded/embedded.ts";
import { SimulatedEngine } from "../workers/engine/simulated/simulated.ts";
import { drawnCancels, drawnDocument, drawnEngine, drawnSpeculation } from "./bench-tables.ts";
import type { Command, Io } from "./command.ts";
import { options, whole } from "./options.ts";
import { progressOn } from "./progress.ts";

const help = `Usage: slipstream bench NAME [OPTIONS]

burst         how a pool of a cluster follows when three times as many people type for a while; it has options of its own:
              slipstream bench burst --help
cancel        from a Cancel to the engine's stop, in prefill and in decode, on the embedded engine and on the
              simulated one (an H100 with a 7B model, by estimate)
keys          what keystrokes cost through a real router with simulated workers, and with one mechanism off at a time;
              it has options of its own: slipstream bench keys --help
fleet         two routers on a real nats-server: how soon a key at one ends the older text at the other, and what it costs
              that NATS is killed; it has options of its own: slipstream bench fleet --help
peers         our router and others (SMG, vllm-router, Envoy, none) side by side, before the same workers and typists; it has
              options of its own: slipstream bench peers --help
router        what a router costs a generation and adds to it, with workers that answer at fixed moments; it has options of its
              own: slipstream bench router --help
guard         has this tree become worse than it was (npm run bench:guard): slipstream bench guard --help
k6            load tests by the real k6 (loadtest/), over gRPC and HTTP: slipstream bench k6 --help
faults        what people see when a worker is killed, frozen or slowed under load; it has options of its own: slipstream
              bench faults --help
layout        prompt tokens that a key costs, by the form of the model's family, and with one rule of the prompt's layout off
              at a time; it has options of its own: slipstream bench layout --help
vllm          a real vLLM behind the agent: how soon it stops, what the agent costs, what a key makes it compute; it has options
              of its own: slipstream bench vllm --help
tensorrt      how soon a TensorRT-LLM stops what nobody wants, over gRPC and over HTTP, before a stand-in; --hints: what it is worth to
              tell it which cached blocks may go; it has options of its own: slipstream bench tensorrt --help
lsp           what a person waits for at the language server: a first text in a folder of 10,000 files, a key's way to the
              router; it has options of its own: slipstream bench lsp --help
document      what a key costs the router's processor against the length of its document (1 KB, 100 KB, 1 MB)
engine        the embedded engine: prompt and decode rates, what reused KV saves, abort latency
scale         which autoscaling policy keeps first lines in time through unseen days, and for how many GPU hours; it has options
              of its own: slipstream bench scale --help
schedule      what a placement costs among 1,000 workers; what leases, hedging and late binding are worth, what overload and
              floods do, in simulated fleets; it has options of its own: slipstream bench schedule --help
speculation   throughput over plain decoding on held-out code: fixed draft lengths, lookups, the controller; as it
              is on this machine, and under an emulated accelerator (real tokens, padded passes)

Options:
  --json        one JSON object instead of a table
  --cancels N   cancel, engine: of each kind (default 200)
  --keys N      document: of each kind (default 1000)
  --rounds N    engine: prompts, cold and warm (default 30)
  --threads N   cancel, engine: of the embedded engine (default: the machine's cores less one)
  --spans N     speculation: places in code (default 120)
  --pace LIST   speculation: emulated target passes in ms (default 3,8,12); "none" for as it is alone
  --ways LIST   speculation: what is compared with the controller and plain decoding (default 1,2,3,4,6,8,lookup: draft
                lengths, and lookups); "none" for nothing else, which takes a sixth of the time
  --paced-only  speculation: leave out the machine as it is
  --tokens N    speculation: tokens of a completion (default 24)
  --seed N      speculation: which places (default 1)
  --model PATH, --draft PATH   another pair than the built-in one

Ctrl-C ends a run early and reports what was measured.

Examples:
  slipstream bench cancel --cancels 1000 --json
  slipstream bench engine
  slipstream bench speculation --spans 200 --pace 8
  slipstream bench speculation --ways none --pace none
`;

const benches = { cancel, document, engine, speculation } as const;

const table = {
  cancels: { type: "string", default: "200" },
  keys: { type: "string", default: "1000" },
  rounds: { type: "string", default: "30" },
  threads: { type: "string" },
  spans: { type: "string", default: "120" },
  pace: { type: "string", default: "3,8,12" },
  ways: { type: "string", default: "1,2,3,4,6,8,lookup" },
  tokens: { type: "string", default: "24" },
  seed: { type: "string", default: "1" },
  model: { type: "string" },
  draft: { type: "string" },
  "paced-only": { type: "boolean", default: false },
  json: { type: "boolean", default: false },
} as const;

type Values = Record<keyof typeof table, string | boolean | undefined>;

export const bench: Command = async (args, io) => {
  if (args[0] === "burst") return (await import("./bench-burst.ts")).benchBurstCommand(args.slice(1), io);
  if (args[0] === "fleet") return (await import("./bench-fleet.ts")).benchFleetCommand(args.slice(1), io);
  if (args[0] === "layout") return (await import("./bench-layout.ts")).benchLayoutCommand(args.slice(1), io);
  if (args[0] === "keys") return (await import("./bench-keys.ts")).benchKeysCommand(args.slice(1), io);
  if (args[0] === "scale") return (await import("./bench-scale.ts")).benchScaleCommand(args.slice(1), io);
  if (args[0] === "schedule") return (await import("./bench-schedule.ts")).benchScheduleCommand(args.slice(1), io);
  if (args[0] === "guard") return (await import("./bench-guard.ts")).benchGuardCommand(args.slice(1), io);
  if (args[0] === "k6") return (await import("./bench-k6.ts")).benchK6Command(args.slice(1), io);
  if (args[0] === "lsp") return (await import("./bench-lsp.ts")).benchLspCommand(args.slice(1), io);
  if (args[0] === "vllm") return (await import("./bench-vllm.ts")).benchVllmCommand(args.slice(1), io);
  if (args[0] === "tensorrt") return (await import("./bench-tensorrt.ts")).benchTensorRtCommand(args.slice(1), io);
  if (args[0] === "faults") return (await import("./bench-faults.ts")).benchFaultsCommand(args.slice(1), io);
  if (args[0] === "peers") return (await import("./bench-peers.ts")).benchPeersCommand(args.slice(1), io);
  if (args[0] === "router") return (await import("./bench-router.ts")).benchRouterCommand(args.slice(1), io);
  const { values, positionals } = options(args, table);
  if (values.help) {
    io.out(help);
    return 0;
  }
  const [name = ""] = positionals;
  if (positionals.length !== 1 || !Object.hasOwn(benches, name)) {
    const own = [
      "burst",
      "faults",
      "fleet",
      "guard",
      "k6",
      "keys",
      "layout",
      "lsp",
      "peers",
      "router",
      "scale",
      "schedule",
      "tensorrt",
      "vllm",
    ];
    const known = [...Object.keys(benches), ...own].join(", ");
    const one = positionals.length === 1 ? `no bench "${name}"` : "one bench is wanted";
    throw new SlipstreamError("invalid_request", `${one}; there are: ${known}; --help says more`);
  }
  const interrupted = new AbortController();
  io.on("SIGINT", () => interrupted.abort());
  return benches[name as keyof typeof benches](values as Values, io, interrupted.signal);
};

async function cancel(values: Values, io: Io, signal: AbortSignal): Promise<number> {
  const cancels = whole("cancels", String(values.cancels), 1, 100_000);
  const report: Cancelled[] = [];
  const simulated = async () =>
    new SimulatedEngine(
      { profile: "h100-7b-eagle3", profileEnd: "mid", seed: 1, slots: 8 },
      { clock: systemClock, random: seeded(1) },
    );
  for (const start of [() => startEmbedded(values), simulated]) {
    const engine = await start();
    try {
      report.push(...(await benchCancel(engine, { cancels, signal, progress: progressOn(io) })));
    } finally {
      await engine.close();
    }
  }
  io.out(values.json ? `${JSON.stringify({ cancels: report })}\n` : drawnCancels(report));
  return 0;
}

async function document(values: Values, io: Io, signal: AbortSignal): Promise<number> {
  const report = await benchDocument({ keys: whole("keys", String(values.keys), 1, 1_000_000), signal });
  io.out(values.json ? `${JSON.stringify({ keys: report })}\n` : drawnDocument(report));
  return 0;
}

async function engine(values: Values, io: Io, signal: AbortSignal): Promise<number> {
  const asked = {
    rounds: whole("rounds", String(values.rounds), 1, 10_000),
    cancels: whole("cancels", String(values.cancels), 1, 100_000),
  };
  const started = await startEmbedded(values);
  try {
    const report = await benchEngine(started, { ...asked, signal, progress: progressOn(io) });
    io.out(values.json ? `${JSON.stringify(report)}\n` : drawnEngine(report));
    return 0;
  } finally {
    await started.close();
  }
}

async function speculation(values: Values, io: Io, signal: AbortSignal): Promise<number> {
  const root = packageRoot();
  const report = await benchSpeculation(
    {
      ...pair(values),
      packages: join(root, "node_modules"),
      trained: trainedPackages(readFileSync(join(root, "models", "training-packages.tsv"), "utf8")),
      spans: whole("spans", String(values.spans), 1, 10_000),
      ways: compared(String(values.ways)),
      paces: [...(values["paced-only"] ? [] : [0]), ...paces(String(values.pace))],
      maxTokens: whole("tokens", String(values.tokens), 2, 256),
      seed: whole("seed", String(values.seed), 0, 0xffff_ffff),
    },
    { log: silentLog, progress: progressOn(io), signal },
  );
  io.out(values.json ? `${JSON.stringify(report)}\n` : drawnSpeculation(report));
  return 0;
}

function pair(values: Values): { modelPath: string; draftPath: string | undefined } {
  const builtIn = (name: string) => join(packageRoot(), "models", name);
  const given = values.model !== undefined;
  return {
    modelPath: given ? String(values.model) : builtIn("slipstream-fim-13m-q8_0.gguf"),
    draftPath: values.draft !== undefined ? String(values.draft) : given ? undefined : builtIn("slipstream-draft-1m-q8_0.gguf"),
  };
}

function startEmbedded(values: Values): Promise<EmbeddedEngine> {
  const threads = values.threads === undefined ? {} : { threads: whole("threads", String(values.threads), 1, 256) };
  return EmbeddedEngine.start({ modelPath: pair(values).modelPath, ...threads }, { clock: systemClock, log: silentLog });
}

function paces(text: string): number[] {
  if (text === "none") return [];
  const list = text.split(",").map(Number);
  if (list.some((ms) => !(ms > 0 && ms <= 1_000)) || list.length > 8)
    throw new SlipstreamError("invalid_request", `--pace: "${text}" is not a list of at most 8 times in ms, or none`, {
      field: "pace",
    });
  return list;
}

function compared(text: string): Way[] {
  const list = text === "none" ? [] : text.split(",").map((name) => (name === "lookup" ? name : `model ${name}`));
  const unknown = list.find((name) => !otherWays.some((way) => way.name === name));
  if (unknown !== undefined)
    throw new SlipstreamError("invalid_request", `--ways: "${text}" is not a list of 1, 2, 3, 4, 6, 8 and lookup, or none`, {
      field: "ways",
    });
  return [plainWay, ...otherWays.filter(({ name }) => name === "auto" || list.includes(name))];
}
