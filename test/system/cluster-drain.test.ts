// One worker less under people who type: the operator, NATS, a router and the workers are real processes; only the cluster pretends. The
// worker that shall go is asked, its generations end, its pod goes, its process with it, and nobody's completion fails.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { afterAll, expect, test } from "vitest";
import { SlipstreamError } from "../../lib/errors.ts";
import { GrpcClient } from "../../lib/grpc/client.ts";
import { CompleteRequestSchema, CompletionService } from "../../proto/gen/slipstream/v1/completion_pb.ts";
import { cpuPool, type Loose, service } from "../support/cluster-objects.ts";
import { type Running, start } from "../support/command.ts";
import { natsServer, startNats } from "../support/nats.ts";
import { Operated } from "../support/operated.ts";
import { until } from "../support/until.ts";

const running: Running[] = [];
const folder = mkdtempSync(join(tmpdir(), "slipstream-drain-"));
afterAll(async () => {
  for (const each of running.reverse()) await each.end("SIGTERM");
  rmSync(folder, { recursive: true, force: true });
});

const any = "127.0.0.1:0";
const slipstream = (words: string, ready: RegExp, env: Record<string, string>) =>
  start(process.execPath, ["bin/slipstream.js", words], ready, env);

test.skipIf(natsServer.path === undefined)(
  "a worker is taken away under people who type: asked first, empty before it goes, and no completion fails",
  async () => {
    await using nats = await startNats();
    await using world = await Operated.start();
    const engine = { type: "Simulated", profile: "l40s-3b-eagle3" };
    const scaling = { mode: "External", minReplicas: 1, maxReplicas: 3 };
    world.put(cpuPool((pool) => Object.assign(pool.spec, { engine, scaling, replicas: 3 })));
    world.put(service((made) => (made.spec.tiers = [{ name: "inline", pools: ["dev"] }])));
    const kubeconfig = join(folder, "kubeconfig");
    writeFileSync(
      kubeconfig,
      `current-context: c\ncontexts: [{ name: c, context: { cluster: c, user: u, namespace: slipstream-system } }]\nclusters: [{ name: c, cluster: { server: "http://127.0.0.1:${world.server.port}" } }]\nusers: [{ name: u, user: { token: operator-process } }]\n`,
    );
    const bus = { SLIPSTREAM_NATS_SERVERS: nats.address };
    const inSpace = { ...bus, SLIPSTREAM_NATS_SPACE: "code" };
    running.push(
      await slipstream("operator", /"leads"/, {
        ...{ ...bus, SLIPSTREAM_OPERATOR_KUBECONFIG: kubeconfig, SLIPSTREAM_OPERATOR_ADMIN_ADDRESS: any },
      }),
    );
    const podsOf = () => world.of("pods").filter(({ metadata }) => metadata.labels["slipstream.dev/pool"] === "dev");
    await until("three pods wait for their workers", () => podsOf().length === 3);
    const workers = new Map<string, Running>();
    for (const { metadata } of podsOf()) {
      const own = { SLIPSTREAM_WORKER_NAME: metadata.name, SLIPSTREAM_WORKER_POOL: "dev", SLIPSTREAM_WORKER_ENGINE: "simulated" };
      const made = await slipstream("worker", /"listening"/, {
        ...{ ...inSpace, ...own, SLIPSTREAM_WORKER_PROFILE: engine.profile },
        ...{ SLIPSTREAM_WORKER_ADDRESS: any, SLIPSTREAM_WORKER_ADMIN_ADDRESS: any },
      });
      workers.set(metadata.name, made);
      running.push(made);
    }
    const pool = (): Loose => world.get("workerpools", "dev");
    await until("the pool serves", () => pool().status?.ready === "3/3", 30_000);
    const router = await slipstream("router", /worker joined[\s\S]*worker joined[\s\S]*worker joined/, {
      ...{
        ...inSpace,
        SLIPSTREAM_ROUTER_GRPC_ADDRESS: any,
        SLIPSTREAM_ROUTER_HTTP_ADDRESS: any,
        SLIPSTREAM_ROUTER_ADMIN_ADDRESS: any,
      },
    });
    running.push(router);
    const client = new GrpcClient({ address: `127.0.0.1:${/"grpc":(\d+)/.exec(router.out())?.[1]}` });
    let over = false;
    const ended: string[] = [];
    const typing = Array.from({ length: 6 }, async (_, person) => {
      for (let i = 0; !over; i++) {
        const asked = create(CompleteRequestSchema, {
          ...{ triggerId: `p${person}t${i}`, prefix: `const total${person}x${i} = `, suffix: "\n", deadlineMs: 10_000 },
        });
        try {
          for await (const _ of client.serverStream(CompletionService.method.complete, asked));
          ended.push("answered");
        } catch (thrown) {
          ended.push(SlipstreamError.from(thrown).code);
        }
      }
    });
    await until("people are served", () => ended.length > 50, 30_000);
    world.server.storage.change("workerpools", "code", "dev", (object) => {
      object.spec.replicas = 2;
    });
    await until("one is asked to leave", () => pool().status.drainingReplicas === 1, 20_000);
    const leaving = podsOf().find(({ metadata }) => metadata.annotations?.["slipstream.dev/leaving-since"])?.metadata.name;
    const [leaver] = [workers.get(leaving)];
    await until("its agent knows", () => /asked to leave/.test(leaver?.out() ?? ""), 10_000);
    await until("its pod is gone", () => podsOf().length === 2, 30_000);
    expect(podsOf().some(({ metadata }) => metadata.name === leaving)).toBe(false);
    // As a kubelet ends it.
    expect(await leaver?.end("SIGTERM")).toBe(0);
    const before = ended.length;
    await until("people are served on", () => ended.length > before + 50, 30_000);
    over = true;
    await Promise.all(typing);
    client.close();
    const failed = ended.filter((how) => how !== "answered");
    process.stdout.write(`${ended.length} completions, ${failed.length} failed; ${pool().status.ready} serve\n`);
    expect(failed).toEqual([]);
  },
  400_000,
);
