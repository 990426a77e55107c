// The operator as a process, with a real nats-server, a real router and a simulated worker: a pod is warm when its worker says so, and
// the latency that a pool shows is what its router measured.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { afterAll, expect, test } from "vitest";
import { GrpcClient } from "../../lib/grpc/client.ts";
import { CompleteRequestSchema, CompletionService } from "../../proto/gen/slipstream/v1/completion_pb.ts";
import { cpuPool, service } from "../support/cluster-objects.ts";
import { type Running, slipstream, start } from "../support/command.ts";
import { natsServer, startNats } from "../support/nats.ts";
import { Operated } from "../support/operated.ts";
import { until } from "../support/until.ts";

const running: Running[] = [];
const folder = mkdtempSync(join(tmpdir(), "slipstream-signals-"));
afterAll(async () => {
  for (const each of running.reverse()) await each.end("SIGTERM");
  rmSync(folder, { recursive: true, force: true });
});

test.skipIf(natsServer.path === undefined)(
  "a pool's warm-up and latency come from its worker and its router, over NATS",
  async () => {
    await using nats = await startNats();
    await using world = await Operated.start();
    const engine = { type: "Simulated", profile: "l40s-3b-eagle3" };
    world.put(cpuPool((pool) => (pool.spec.engine = engine)));
    world.put(service((made) => (made.spec.tiers = [{ name: "inline", pools: ["dev"] }])));
    const kubeconfig = join(folder, "kubeconfig");
    writeFileSync(
      kubeconfig,
      `current-context: c\ncontexts: [{ name: c, context: { cluster: c, user: u, namespace: slipstream-system } }]\nclusters: [{ name: c, cluster: { server: "http://127.0.0.1:${world.server.port}" } }]\nusers: [{ name: u, user: { token: operator-process } }]\n`,
    );
    const bus = { SLIPSTREAM_NATS_SERVERS: nats.address };
    const inSpace = { ...bus, SLIPSTREAM_NATS_SPACE: "code" };
    const operator = await start(process.execPath, ["bin/slipstream.js", "operator"], /"leads"/, {
      ...{ ...bus, SLIPSTREAM_OPERATOR_KUBECONFIG: kubeconfig, SLIPSTREAM_OPERATOR_ADMIN_ADDRESS: "127.0.0.1:0" },
    });
    running.push(operator);
    await until("a pod waits for its worker", () =>
      world.of("pods").some(({ metadata }) => metadata.labels["slipstream.dev/pool"] === "dev"),
    );
    await until("it is told", () => world.condition("workerpools", "dev", "Warm")?.reason === "Warming");
    const [pod] = world.of("pods").filter(({ metadata }) => metadata.labels["slipstream.dev/pool"] === "dev");
    const any = "127.0.0.1:0";
    running.push(
      await start(process.execPath, ["bin/slipstream.js", "worker"], /"listening"/, {
        ...{
          ...inSpace,
          SLIPSTREAM_WORKER_NAME: pod.metadata.name,
          SLIPSTREAM_WORKER_POOL: "dev",
          SLIPSTREAM_WORKER_ENGINE: "simulated",
        },
        ...{ SLIPSTREAM_WORKER_PROFILE: engine.profile, SLIPSTREAM_WORKER_ADDRESS: any, SLIPSTREAM_WORKER_ADMIN_ADDRESS: any },
      }),
    );
    await until("the pool is ready", () => world.condition("workerpools", "dev")?.status === "True", 30_000);
    expect(world.get("workerpools", "dev").status.slo).toBeUndefined();
    const router = await start(process.execPath, ["bin/slipstream.js", "router"], /worker joined/, {
      ...{
        ...inSpace,
        SLIPSTREAM_ROUTER_GRPC_ADDRESS: any,
        SLIPSTREAM_ROUTER_HTTP_ADDRESS: any,
        SLIPSTREAM_ROUTER_ADMIN_ADDRESS: any,
      },
    });
    running.push(router);
    const client = new GrpcClient({ address: `127.0.0.1:${/"grpc":(\d+)/.exec(router.out())?.[1]}` });
    let asking = true;
    const typing = (async () => {
      for (let i = 0; asking; i++) {
        const call = client.serverStream(
          CompletionService.method.complete,
          create(CompleteRequestSchema, { triggerId: `t${i}`, prefix: `const total${i} = ` }),
        );
        for await (const _ of call);
        await new Promise((resolve) => setTimeout(resolve, 30));
      }
    })().catch(() => undefined);
    await until(
      "the pool shows what its router measured",
      () => /^\d+ms$/.test(world.get("workerpools", "dev").status?.slo?.p95 ?? ""),
      40_000,
    );
    asking = false;
    await typing;
    client.close();
    expect(["True", "False"]).toContain(world.condition("workerpools", "dev", "SLOMet").status);
    process.stdout.write(
      `${JSON.stringify(world.get("workerpools", "dev").status.slo)} ${JSON.stringify(world.get("workerpools", "dev").status.speculative ?? {})}\n`,
    );
    const { code, out } = await slipstream(["doctor", "--kubeconfig", kubeconfig]);
    expect(out).toContain("PriorityClasses slipstream-inline");
    expect(code).toBe(0);
    expect(await operator.end("SIGTERM")).toBe(0);
    expect(world.get("leases", "slipstream-operator", "slipstream-system").spec.holderIdentity).toBe("");
  },
  400_000,
);
