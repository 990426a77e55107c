// process-fleet: a pool of real processes on a pretended cluster: the operator, a router and, for each pod that the operator makes, a
// worker with the environment that its pod says, over a real nats-server. What a kubelet would do is to start and end them.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Loose } from "./cluster-objects.ts";
import { type Running, start } from "./command.ts";
import { startNats } from "./nats.ts";
import { Operated } from "./operated.ts";

const any = "127.0.0.1:0";
/** Of a pod in a cluster: here everybody is on loopback, in the clear. */
const elsewhere = /^SLIPSTREAM_(WORKER_(ADDRESS|ADVERTISE|ADMIN_ADDRESS|TLS_|KEYS_FILE|CLIENTS_)|NATS_)/;

export class ProcessFleet implements AsyncDisposable {
  readonly world: Operated;
  readonly folder = mkdtempSync(join(tmpdir(), "slipstream-fleet-"));
  readonly #nats: Awaited<ReturnType<typeof startNats>>;
  readonly #running: Running[] = [];
  readonly #workers = new Map<string, Promise<Running>>();
  #looking: NodeJS.Timeout | undefined;

  private constructor(world: Operated, nats: Awaited<ReturnType<typeof startNats>>) {
    this.world = world;
    this.#nats = nats;
  }

  /** `objects` are applied; the operator leads and the router listens when it resolves. */
  static async start(...objects: Loose[]): Promise<ProcessFleet> {
    const made = new ProcessFleet(await Operated.start(), await startNats());
    made.world.put(...objects);
    writeFileSync(
      made.kubeconfig,
      `current-context: c\ncontexts: [{ name: c, context: { cluster: c, user: u, namespace: slipstream-system } }]\nclusters: [{ name: c, cluster: { server: "http://127.0.0.1:${made.world.server.port}" } }]\nusers: [{ name: u, user: { token: operator-process } }]\n`,
    );
    try {
      await made.#begin("operator", /"leads"/, {
        ...{ SLIPSTREAM_NATS_SERVERS: made.#nats.address, SLIPSTREAM_OPERATOR_KUBECONFIG: made.kubeconfig },
        SLIPSTREAM_OPERATOR_ADMIN_ADDRESS: any,
      });
      await made.#begin("router", /"listening"/, {
        ...made.#space,
        ...{ SLIPSTREAM_ROUTER_GRPC_ADDRESS: any, SLIPSTREAM_ROUTER_HTTP_ADDRESS: any, SLIPSTREAM_ROUTER_ADMIN_ADDRESS: any },
      });
    } catch (thrown) {
      await made[Symbol.asyncDispose]();
      throw thrown;
    }
    made.#looking = setInterval(() => made.#look(), 100);
    return made;
  }

  get kubeconfig(): string {
    return join(this.folder, "kubeconfig");
  }

  get router(): string {
    return `127.0.0.1:${/"?grpc"?:(\d+)/.exec(this.#running[1]?.out() ?? "")?.[1]}`;
  }

  get pods(): Loose[] {
    return this.world.of("pods").filter(({ metadata }) => metadata.labels?.["slipstream.dev/pool"] !== undefined);
  }

  pool(name: string): Loose {
    return this.world.get("workerpools", name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#looking);
    const workers = await Promise.allSettled(this.#workers.values());
    const all = [...this.#running, ...workers.flatMap((each) => (each.status === "fulfilled" ? [each.value] : []))];
    for (const each of all.reverse()) await each.end("SIGTERM");
    await this.world[Symbol.asyncDispose]();
    await this.#nats[Symbol.asyncDispose]();
    rmSync(this.folder, { recursive: true, force: true });
  }

  get #space() {
    return { SLIPSTREAM_NATS_SERVERS: this.#nats.address, SLIPSTREAM_NATS_SPACE: "code" };
  }

  async #begin(what: string, ready: RegExp, env: Record<string, string>): Promise<void> {
    this.#running.push(await start(process.execPath, ["bin/slipstream.js", what], ready, env));
  }

  /** Pods that are new begin; those that are gone get the signal that a kubelet sends. */
  #look(): void {
    const there = new Map(this.pods.map((pod) => [pod.metadata.name as string, pod]));
    for (const [name, pod] of there) {
      if (this.#workers.has(name)) continue;
      const made = start(process.execPath, ["bin/slipstream.js", "worker"], /"listening"/, {
        ...environmentOf(pod),
        ...this.#space,
        ...{ SLIPSTREAM_WORKER_ADDRESS: any, SLIPSTREAM_WORKER_ADMIN_ADDRESS: any },
      });
      made.catch(() => undefined);
      this.#workers.set(name, made);
    }
    for (const [name, made] of this.#workers) {
      if (there.has(name)) continue;
      this.#workers.delete(name);
      void made.then((worker) => worker.end("SIGTERM")).catch(() => undefined);
    }
  }
}

/** As the kubelet gives it, fields of the pod filled in. */
function environmentOf({ metadata, spec }: Loose): Record<string, string> {
  const agent = spec.containers.find(({ name }: Loose) => name === "agent");
  const field = (path: string): string =>
    path === "metadata.name" ? metadata.name : (metadata.labels[/^metadata\.labels\['(.*)'\]$/.exec(path)?.[1] ?? ""] ?? "");
  return Object.fromEntries(
    (agent.env as Loose[])
      .filter(({ name }) => name.startsWith("SLIPSTREAM_") && !elsewhere.test(name))
      .map(({ name, value, valueFrom }) => [name, value ?? field(valueFrom?.fieldRef?.fieldPath ?? "")]),
  );
}
