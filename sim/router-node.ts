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
import type { Router } from "../router/router.ts";
import { runSession } from "../router/session-service.ts";
import { wireRouter } from "../router/wire.ts";
import { tokensMax } from "./books.ts";
import type { Said } from "./chatter.ts";
import { keyOf } from "./editor.ts";
import type { PlantedBug } from "./faults.ts";
import type { SessionHandler } from "./network.ts";
import { plant } from "./planted-rooms.ts";
import { RecordedMetrics } from "./recorded-metrics.ts";

export interface RouterNodeOptions {
  readonly name: string;
  readonly workers: readonly string[];
  readonly tenants: readonly string[];
  readonly queueMax: number;
  readonly plant?: PlantedBug;
}

interface Deps {
  readonly clock: Clock;
  readonly random: Random;
  readonly bus: Bus;
  readonly connect: (address: string, channel: "inline" | "bulk") => Duplex<WorkerFrame, RouterFrame>;
  /** All its connections break. */
  readonly cut: () => void;
}

/** One process of a router, from its start to its death. */
interface Life {
  readonly router: Router;
  readonly recorded: RecordedMetrics<typeof routerMetricTable>;
  dead: boolean;
}

/** How often a router that has started is asked whether it is ready. */
const readyPollMs = 5;

export class RouterNode {
  readonly name: string;
  readonly session: SessionHandler;
  readonly #options: RouterNodeOptions;
  readonly #deps: Deps;
  readonly #lives: Life[] = [];
  /** Between a death and the moment in which the next process is ready nobody listens. */
  #listens = true;
  #closed = false;

  constructor(options: RouterNodeOptions, deps: Deps) {
    this.name = options.name;
    this.#options = options;
    this.#deps = deps;
    this.#start();
    this.session = async (stream, call) => runSession(this.#router, stream, this.#router.ingress.tenant(call.metadata));
  }

  get #life(): Life {
    return this.#lives.at(-1) as Life;
  }

  get #router(): Router {
    return this.#life.router;
  }

  /** Does anybody listen at its address? */
  get listens(): boolean {
    return this.#listens;
  }

  #start(): void {
    const { name, tenants, workers, queueMax, plant: bug } = this.#options;
    const holder = (tenant: string) => (bug === "mixedTenants" ? (tenants[0] ?? tenant) : tenant);
    const keys = KeyRing.of(tenants.map((tenant) => ({ tenant: holder(tenant), text: keyOf(tenant) })));
    const recorded = new RecordedMetrics(routerMetricTable);
    const settings = { ...readRouterConfig({}), name, workers: [...workers], queueMax };
    const life: { dead: boolean } = { dead: false };
    const { bus } = this.#deps;
    // What a dead process would say never leaves it.
    const own: Bus = {
      ...{ shared: bus.shared, close: () => bus.close() },
      subscribe: (pattern, options) => bus.subscribe(pattern, options),
      listen: (pattern, take) => bus.listen(pattern, (message) => life.dead || take(message)),
      get connected() {
        return bus.connected;
      },
      publish: (subject, data) => life.dead || bus.publish(subject, data),
      append: (subject, data, id) => (life.dead ? new Promise(() => {}) : bus.append(subject, data, id)),
    };
    const router = wireRouter(settings, {
      ...this.#deps,
      ...{ bus: own, keys: () => keys, log: silentLog, metrics: recorded.metrics },
      measured: (rooms) => plant(bug, rooms),
    });
    this.#lives.push(Object.assign(life, { router, recorded }));
  }

  /** The process is killed; another one starts when `ms` have passed, and listens when it is ready. */
  die(ms: number): void {
    if (!this.#listens || this.#closed) return;
    this.#listens = false;
    this.#life.dead = true;
    this.#deps.cut();
    void this.#router.close();
    this.#deps.clock.timer(ms, () => {
      if (this.#closed) return;
      this.#start();
      this.#whenReady();
    });
  }

  #whenReady(): void {
    if (this.#router.missing().length === 0) this.#listens = true;
    else if (!this.#closed) this.#deps.clock.timer(readyPollMs, () => this.#whenReady());
  }

  /** A Generate call, as its handler runs it. */
  async generate(requestId: string, tenant: string, content: string, signal: AbortSignal): Promise<Said> {
    const life = this.#life;
    if (!this.#listens) return lost;
    const known = this.#router.ingress.tenant((name) => (name === "x-api-key" ? keyOf(tenant) : undefined));
    const request = create(GenerateRequestSchema, {
      requestId,
      messages: [{ role: Role.USER, content }],
      sampling: { maxTokens: tokensMax.chat },
    });
    const path = this.#router.run(this.#router.ingress.generate(request, known, signal), {});
    let text = "";
    for (;;) {
      const step = await path.next();
      if (life.dead) return lost;
      if (step.done) return { outcome: step.value.outcome, text, detail: step.value.detail ?? "" };
      text += step.value.text;
    }
  }

  /** As its metrics count them, whatever became of their text. */
  get completionTokens(): number {
    return this.#lives.reduce((sum, { recorded }) => sum + recorded.count("completion_tokens_total"), 0);
  }

  /** Second workers asked for a generation. */
  get hedges(): number {
    return this.#lives.reduce((sum, { recorded }) => sum + recorded.count("hedges_total", { end: "sent" }), 0);
  }

  /** Processes so far. */
  get lives(): number {
    return this.#lives.length;
  }

  unrest(): string[] {
    const { queue, dispatch, settle, fleet } = this.#router.rooms;
    const found = this.#life.recorded.unrest(["queued", "sessions", "documents"]);
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
    const { queueMax } = this.#options;
    const most = Math.max(...this.#lives.map(({ recorded }) => recorded.max("queued")));
    return most > queueMax ? [`${most} triggers were queued in a lane, of ${queueMax}`] : [];
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#router.close();
  }
}

const lost = { outcome: "lost", text: "", detail: "" } as const;
