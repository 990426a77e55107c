// real-vllm: a real vLLM on this machine's processor, with a tiny model, started and ended as often as is asked. What is brought by
// `npm run tools -- vllm` runs it; the models are made once by tools/vllm/tiny_models.py.
import { execFile } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { systemClock } from "../../lib/clock.ts";
import type { Env } from "../../lib/config.ts";
import { SlipstreamError } from "../../lib/errors.ts";
import { packageRoot } from "../../lib/package-root.ts";
import { EngineProcess } from "../../workers/engine/engine-process.ts";
import { HttpEngine } from "../../workers/engine/http.ts";
import { GrpcWire, isGrpc } from "../../workers/engine/vllm/grpc/wire.ts";
import { type Drafting, speculativeConfig } from "../../workers/engine/vllm/speculative-config.ts";

export interface RealOptions {
  /** The Python of the tool. */
  readonly python: string;
  /** Folder of the models; made when it is empty. */
  readonly models: string;
  readonly speculation?: Drafting;
  readonly seats?: number;
  readonly contextTokens?: number;
  /** KV blocks of 32 tokens, instead of as many as fit its GiB. */
  readonly blocks?: number;
  /** Serves gRPC instead of HTTP: it has no counters then. */
  readonly grpc?: boolean;
  readonly args?: readonly string[];
  /** Of the engine's process, as this one's. */
  readonly env: Env;
}

/** As the family of its prompts is known by. */
export const modelName = "slipstream-fim-13m";
/** Beside other programs it takes ten times as long as alone. */
const startWithinMs = 900_000;
/** Its server shares the processor with its kernels, which may keep it waiting for seconds on a busy machine. */
const metricsTimeoutMs = 30_000;

export class RealVllm {
  readonly url: string;
  readonly model = modelName;
  readonly process: EngineProcess;

  private constructor(url: string, process: EngineProcess) {
    this.url = url;
    this.process = process;
  }

  static async start(options: RealOptions): Promise<RealVllm> {
    await makeModels(options);
    const [port, events, replay] = await freePorts(3);
    const { seats = 8, contextTokens = 2_048, speculation, blocks } = options;
    const draft = speculation && {
      ...speculation,
      ...(speculation.method === "draft_model" && { model: join(options.models, "draft") }),
    };
    const kv = {
      ...{ enable_kv_cache_events: true, publisher: "zmq", topic: "" },
      ...{ endpoint: `tcp://*:${events}`, replay_endpoint: `tcp://127.0.0.1:${replay}` },
    };
    const command = [
      ...[options.python, "-m", "vllm.entrypoints.cli.main", "serve", join(options.models, "target")],
      ...["--host", "127.0.0.1", "--port", String(port), "--served-model-name", modelName],
      // Half precision has near ties everywhere; what is compared token by token is computed in float32.
      ...["--dtype", "float32", "--max-model-len", String(contextTokens), "--max-num-seqs", String(seats)],
      ...["--enforce-eager", "--block-size", "32", "--scheduling-policy", "priority", "--enable-prompt-tokens-details"],
      ...["--kv-events-config", JSON.stringify(kv)],
      ...(draft ? ["--speculative-config", speculativeConfig(draft)] : []),
      ...(blocks === undefined ? [] : ["--num-gpu-blocks-override", String(blocks)]),
      ...(options.grpc ? ["--grpc"] : ["--enable-scale-out"]),
      ...(options.args ?? []),
    ];
    const engine = new EngineProcess({ command, env: { ...options.env, ...environment } }, { clock: systemClock });
    const started = new RealVllm(`${options.grpc ? "grpc" : "http"}://127.0.0.1:${port}`, engine);
    try {
      await started.#ready();
    } catch (thrown) {
      await engine.kill();
      throw thrown;
    }
    return started;
  }

  /** Has all of it stand still, for so long; undefined: for good. */
  freeze(ms: number | undefined): void {
    const { pid } = this.process;
    if (pid === undefined) return;
    const tell = (signal: NodeJS.Signals) => {
      try {
        process.kill(-pid, signal);
      } catch {
        // It has ended meanwhile.
      }
    };
    tell("SIGSTOP");
    if (ms !== undefined) systemClock.timer(ms, () => tell("SIGCONT"));
  }

  /** Its counters, as it exposes them. */
  async metrics(): Promise<string> {
    const http = new HttpEngine({ url: this.url, connectionsMax: 1 }, { clock: systemClock });
    try {
      return (await http.ask("/metrics", undefined, { timeoutMs: metricsTimeoutMs })).text;
    } finally {
      http.close();
    }
  }

  async #ready(): Promise<void> {
    const deps = { clock: systemClock };
    const wire = isGrpc(this.url)
      ? new GrpcWire({ url: this.url }, deps)
      : new HttpEngine({ url: this.url, connectionsMax: 1 }, deps);
    const health = () => (wire instanceof GrpcWire ? wire.health() : wire.ask("/health"));
    let ended: SlipstreamError | undefined;
    void this.process.exited.then((why) => {
      ended = why;
    });
    try {
      for (const startedMs = systemClock.now(); systemClock.now() - startedMs < startWithinMs; await systemClock.sleep(250)) {
        if (ended) throw ended;
        if ((await health().catch(() => undefined))?.status === 200) return;
      }
      throw new SlipstreamError("unavailable", `vLLM did not start within ${startWithinMs} ms; ${this.process.lastWords}`);
    } finally {
      wire.close();
    }
  }
}

/** One thread, loopback, nothing asked of other machines. */
const environment = {
  ...{ VLLM_CPU_KVCACHE_SPACE: "1", VLLM_CPU_OMP_THREADS_BIND: "nobind", OMP_NUM_THREADS: "1", VLLM_HOST_IP: "127.0.0.1" },
  ...{ HF_HUB_OFFLINE: "1", VLLM_NO_USAGE_STATS: "1", DO_NOT_TRACK: "1", VLLM_SERVER_DEV_MODE: "1" },
  VLLM_ALLOW_RUNTIME_LORA_UPDATING: "1",
};

async function makeModels({ python, models }: RealOptions): Promise<void> {
  if (existsSync(join(models, "adapter", "adapter_config.json"))) return;
  mkdirSync(models, { recursive: true });
  await promisify(execFile)(python, [join(packageRoot(), "tools", "vllm", "tiny_models.py"), models]);
}

/** Ports that nobody listens on at the moment. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports = await Promise.all(
    servers.map(
      (server) =>
        new Promise<number>((resolve, reject) => {
          server.once("error", reject);
          server.listen(0, "127.0.0.1", () => resolve((server.address() as { port: number }).port));
        }),
    ),
  );
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
