// operated: a whole operator against the pretend apiserver and its controllers, over real HTTP, with short pauses.
import type { Bus } from "../../lib/bus/bus.ts";
import { type Clock, systemClock } from "../../lib/clock.ts";
import { silentLog } from "../../lib/log.ts";
import { seeded } from "../../lib/random.ts";
import { Operator, type OperatorOptions } from "../../operator/wire.ts";
import type { Loose } from "./cluster-objects.ts";
import { FakeApiserver } from "./fake-apiserver.ts";
import { type Behaviour, FakeControllers } from "./fake-controllers.ts";
import { until } from "./until.ts";

const plurals: Readonly<Record<string, string>> = {
  WorkerPool: "workerpools",
  CompletionService: "completionservices",
  ModelCache: "modelcaches",
  GPUClass: "gpuclasses",
};

export class Operated implements AsyncDisposable {
  readonly server: FakeApiserver;
  readonly controllers: FakeControllers;
  readonly operators: Operator[] = [];

  private constructor(server: FakeApiserver, behaviour: Behaviour) {
    this.server = server;
    this.controllers = new FakeControllers(server.storage, behaviour);
  }

  static async start(behaviour: Behaviour = {}): Promise<Operated> {
    const server = await FakeApiserver.start();
    return new Operated(server, behaviour);
  }

  /** One more operator; of several one leads. */
  operator(
    more: {
      name?: string;
      bus?: Bus;
      clock?: Clock;
      lease?: Partial<OperatorOptions["lease"]>;
      authority?: OperatorOptions["authority"];
      rest?: NonNullable<OperatorOptions["kube"]>["rest"];
      seed?: number;
    } = {},
  ): Operator {
    const { name = `operator-${this.operators.length}`, bus, clock = systemClock, seed = 1 } = more;
    const operator = new Operator(
      {
        setting: { image: "slipstream:test", namespace: "slipstream-system", natsServers: [], bus: bus !== undefined },
        namespaces: [],
        lease: { namespace: "slipstream-system", name: "lease", leaseMs: 60_000, renewMs: 40_000, retryMs: 200, ...more.lease },
        name,
        atOnce: 4,
        kube: {
          rest: { perSecond: 100_000, burst: 100_000, pauseMs: 2, pauseMaxMs: 20, ...more.rest },
          reflector: { pauseMs: 2, pauseMaxMs: 20 } as never,
        },
        queue: { pauseMs: 5, pauseMaxMs: 50 } as never,
        ...(more.authority ? { authority: more.authority } : {}),
      },
      {
        target: this.server.target(name),
        clock,
        random: seeded(seed * 7919 + this.operators.length),
        log: silentLog,
        ...(bus ? { bus } : {}),
      },
    );
    this.operators.push(operator);
    void operator.run().catch(() => undefined);
    return operator;
  }

  put(...objects: Loose[]): void {
    for (const object of objects) this.server.storage.create(plurals[object.kind] as string, object);
  }

  of(plural: string): Loose[] {
    return this.server.storage.of(plural);
  }

  get(plural: string, name: string, namespace: string | undefined = "code"): Loose {
    return this.server.storage.objects.get(this.server.storage.key(plural, namespace, name));
  }

  condition(plural: string, name: string, type = "Ready"): Loose {
    return this.get(plural, name)?.status?.conditions?.find((each: Loose) => each.type === type);
  }

  /** Ready is told as wanted, and then nothing changes any more for a while: but leases, which are renewed all the time. */
  async settled(what: string, holds: () => boolean): Promise<void> {
    await until(what, holds, 60_000);
    const changes = () => this.server.storage.audit.filter(({ key }) => !key.startsWith("leases")).length;
    for (let before = -1; before !== changes(); ) {
      before = changes();
      await new Promise((resolve) => setTimeout(resolve, 60));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const operator of this.operators) await operator.kill();
    await this.server[Symbol.asyncDispose]();
  }
}
