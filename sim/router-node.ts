// router-node: one router of a simulated world, wired as the process wires it, with recorded metrics. What is not given back
// at rest and which bounds were exceeded is read off it.
import { create } from "@bufbuild/protobuf";
import type { Bus } from "../lib/bus/bus.ts";
import type { Clock } from "../lib/clock.ts";
import type { Duplex } from "../lib/grpc/duplex.ts";
import { KeyRing } from "../lib/keys/key-ring.ts";
import { silentLog } from "../lib/log.ts";
import type { Random } from "../lib/random.ts";
import { GenerateRequestSchema, Role } from "../proto/gen/slipstream/v1/completion_pb.ts";
import type { RouterFrame, WorkerFrame } from "../proto/gen/slipstream/v1/worker_pb.ts";
import { readRouterConfig } from "../router/config.ts";
import { routerMetricTable } from "../router/metrics.ts";
import { runSession } from "../router/session-service.ts";
import { type Router, wireRouter } from "../router/wire.ts";
import type { Said } from "./chatter.ts";
import { keyOf } from "./editor.ts";
import type { SessionHandler } from "./network.ts";
import { RecordedMetrics } from "./recorded-metrics.ts";

export interface RouterNodeOptions {
  readonly name: string;
  readonly workers: readonly string[];
  readonly tenants: readonly string[];
  readonly queueMax: number;
  /** A planted bug: every token is taken for the first tenant's. */
  readonly mixTenants: boolean;
}

interface Deps {
  readonly clock: Clock;
  readonly random: Random;
  readonly bus: Bus;
  readonly connect: (address: string, channel: "inline" | "bulk") => Duplex<WorkerFrame, RouterFrame>;
}

export class RouterNode {
  readonly name: string;
  readonly session: SessionHandler;
  readonly #router: Router;
  readonly #queueMax: number;
  readonly #recorded = new RecordedMetrics(routerMetricTable);

  constructor(options: RouterNodeOptions, deps: Deps) {
    this.name = options.name;
    this.#queueMax = options.queueMax;
    const holder = (tenant: string) => (options.mixTenants ? (options.tenants[0] ?? tenant) : tenant);
    const keys = KeyRing.of(options.tenants.map((tenant) => ({ tenant: holder(tenant), text: keyOf(tenant) })));
    const settings = {
      ...readRouterConfig({}),
      name: options.name,
      workers: [...options.workers],
      queueMax: options.queueMax,
    };
    this.#router = wireRouter(settings, { ...deps, keys: () => keys, log: silentLog, metrics: this.#recorded.metrics });
    this.session = async (stream, call) => runSession(this.#router, stream, this.#router.ingress.tenant(call.metadata));
  }

  /** A Generate call, as its handler runs it. */
  async generate(requestId: string, tenant: string, content: string, signal: AbortSignal): Promise<Said> {
    const known = this.#router.ingress.tenant((name) => (name === "x-api-key" ? keyOf(tenant) : undefined));
    const request = create(GenerateRequestSchema, {
      requestId,
      messages: [{ role: Role.USER, content }],
      sampling: { maxTokens: 48 },
    });
    const path = this.#router.run(this.#router.ingress.generate(request, known, signal), {});
    let text = "";
    for (;;) {
      const step = await path.next();
      if (step.done) return { outcome: step.value.outcome, text, detail: step.value.detail ?? "" };
      text += step.value.text;
    }
  }

  /** As its metrics count them, whatever became of their text. */
  get completionTokens(): number {
    return this.#recorded.count("completion_tokens_total");
  }

  unrest(): string[] {
    const { queue, dispatch, settle, fleet } = this.#router.rooms;
    const found = this.#recorded.unrest(["queued", "sessions", "documents"]);
    if (queue.length > 0) found.push(`${queue.length} triggers are queued`);
    if (dispatch.outstanding > 0) found.push(`${dispatch.outstanding} generations are outstanding`);
    if (settle.size > 0) found.push(`${settle.size} documents have a live trigger`);
    for (const worker of fleet.snapshot().workers)
      if (worker.outstanding > 0) found.push(`${worker.outstanding} credits of ${worker.name} are booked`);
    if (this.#router.missing().length > 0) found.push(`it waits for ${this.#router.missing().join(", ")}`);
    return found;
  }

  /** Credits that were taken and not given back must be those of generations under way: said while work goes on. */
  imbalance(): string[] {
    const { dispatch, fleet } = this.#router.rooms;
    const booked = fleet.snapshot().workers.reduce((sum, worker) => sum + worker.outstanding, 0);
    const { outstanding } = dispatch;
    return booked === outstanding ? [] : [`${booked} credits are booked for ${outstanding} generations under way`];
  }

  excess(): string[] {
    const most = this.#recorded.max("queued");
    return most > this.#queueMax ? [`${most} triggers were queued in a lane, of ${this.#queueMax}`] : [];
  }

  async close(): Promise<void> {
    await this.#router.close();
  }
}
