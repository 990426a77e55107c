// Certificates of links that the operator renews under running processes: a worker and a router as the operator's own pod templates
// start them, their Secrets mounted as a kubelet does. Authorities follow one another; nothing is started anew and nothing fails.
import { X509Certificate } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as tlsConnect } from "node:tls";
import { afterAll, expect, test } from "vitest";
import { GrpcClient } from "../../lib/grpc/client.ts";
import { MountedSecret } from "../support/certificates.ts";
import { cpuPool, type Loose, service } from "../support/cluster-objects.ts";
import { type Running, start } from "../support/command.ts";
import { Operated } from "../support/operated.ts";
import { freePort } from "../support/ports.ts";
import { complete, ended, tls } from "../support/secured.ts";
import { until } from "../support/until.ts";

const running: Running[] = [];
const folder = mkdtempSync(join(tmpdir(), "slipstream-certificates-"));
afterAll(async () => {
  for (const each of running.reverse()) await each.end("SIGTERM");
  rmSync(folder, { recursive: true, force: true });
});

/** A new authority is believed for so long before it signs; every few seconds another is made. */
const authority = { authorityMs: 60_000, certificateMs: 20_000, settleMs: 4_000, lookEveryMs: 100 };

/** Every Secret in a folder, as a kubelet mounts and renews it. */
class Mounts {
  readonly #world: Operated;
  readonly #mounted = new Map<string, { secret: MountedSecret; version: string }>();
  readonly #timer: NodeJS.Timeout;

  constructor(world: Operated) {
    this.#world = world;
    this.#timer = setInterval(() => this.#look(), 100);
    this.#look();
  }

  folder = (name: string) => join(folder, name);

  close(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    for (const { metadata, data } of this.#world.of("secrets")) {
      if (metadata.namespace !== "code") continue;
      const files = Object.fromEntries(
        Object.entries(data as Record<string, string>).map(([name, text]) => [name, Buffer.from(text, "base64").toString("utf8")]),
      );
      const known = this.#mounted.get(metadata.name);
      if (known?.version === metadata.resourceVersion) continue;
      if (known) known.secret.swap(files);
      const secret = known?.secret ?? new MountedSecret(this.folder(metadata.name), files);
      this.#mounted.set(metadata.name, { secret, version: metadata.resourceVersion });
    }
  }
}

/** What the pod template says, with the folders and ports of this machine. */
function environment(
  { spec }: Loose,
  folders: Readonly<Record<string, string>>,
  own: Record<string, string>,
): Record<string, string> {
  const said = spec.template.spec.containers[0].env.flatMap(({ name, value }: Loose) =>
    value === undefined ? [] : [[name, value]],
  );
  const placed = said.map(([name, value]: [string, string]) => {
    const mount = Object.keys(folders).find((path) => value.startsWith(`${path}/`));
    return [name, mount === undefined ? value : value.replace(mount, folders[mount] as string)];
  });
  return { ...Object.fromEntries(placed), ...own };
}

/** The serial number of what a port shows to somebody new. */
function serialAt(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = tlsConnect({ port, host: "127.0.0.1", rejectUnauthorized: false, ALPNProtocols: ["h2", "http/1.1"] }, () => {
      resolve(socket.getPeerX509Certificate()?.serialNumber ?? "");
      socket.destroy();
    }).on("error", reject);
  });
}

test("authorities and certificates follow one another under a running worker and router, and no completion fails", async () => {
  await using world = await Operated.start();
  world.put(cpuPool((pool) => (pool.spec.engine = { type: "Simulated", profile: "l40s-3b-eagle3" })));
  world.put(service((made) => (made.spec.tiers = [{ name: "inline", pools: ["dev"] }])));
  world.operator({ authority });
  await world.settled("the service is ready", () => world.condition("completionservices", "acme")?.status === "True");
  const mounts = new Mounts(world);
  const ticking = setInterval(() => {
    for (const [plural, name] of [
      ["workerpools", "dev"],
      ["completionservices", "acme"],
    ] as const)
      world.server.storage.change(plural, "code", name, (object) => {
        object.metadata.annotations = { tick: String(performance.now()) };
      });
  }, 300);
  try {
    const any = "127.0.0.1:0";
    const deployment = (start: string) => world.of("deployments").find(({ metadata }) => metadata.name.startsWith(start));
    const workerPort = await freePort();
    running.push(
      await start(process.execPath, ["bin/slipstream.js", "worker"], /"listening"/, {
        ...environment(
          deployment("dev-"),
          { "/etc/slipstream/link": mounts.folder("dev-workers-link") },
          {
            ...{
              SLIPSTREAM_WORKER_ADDRESS: `127.0.0.1:${workerPort}`,
              SLIPSTREAM_WORKER_ADMIN_ADDRESS: any,
            },
            ...{ SLIPSTREAM_WORKER_ADVERTISE: "", SLIPSTREAM_WORKER_FILES_EVERY: "100ms", SLIPSTREAM_WORKER_NAME: "dev-0" },
          },
        ),
      }),
    );
    const policy = join(folder, "policy");
    mkdirSync(policy);
    writeFileSync(join(policy, "policy.json"), world.get("configmaps", "acme-policy").data["policy.json"]);
    const folders = {
      ...{ "/etc/slipstream/link": mounts.folder("acme-router-link"), "/etc/slipstream/tls": mounts.folder("acme-router-tls") },
      "/etc/slipstream/policy": policy,
    };
    const routerStarts = (name: string, port: number) =>
      start(process.execPath, ["bin/slipstream.js", "router"], /worker joined/, {
        ...environment(deployment("acme-router"), folders, {
          ...{
            SLIPSTREAM_ROUTER_NAME: name,
            SLIPSTREAM_ROUTER_GRPC_ADDRESS: `127.0.0.1:${port}`,
            SLIPSTREAM_ROUTER_HTTP_ADDRESS: any,
          },
          ...{
            SLIPSTREAM_ROUTER_ADMIN_ADDRESS: any,
            SLIPSTREAM_ROUTER_SPOOL: join(folder, name),
            SLIPSTREAM_ROUTER_FILES_EVERY: "100ms",
          },
          ...{ SLIPSTREAM_ROUTER_WORKERS_DNS: "", SLIPSTREAM_ROUTER_WORKERS: `127.0.0.1:${workerPort}` },
        }),
      });
    const routerPort = await freePort();
    running.push(await routerStarts("router-0", routerPort));
    const data = (name: string, file: string) => Buffer.from(world.get("secrets", name).data[file], "base64").toString("utf8");
    const metadata = { "x-api-key": data("acme-keys", "key") };
    const secure = () => tls(data("acme-router-tls", "ca.crt"), undefined, "acme.code.svc");
    const standing = new GrpcClient({ address: `127.0.0.1:${routerPort}`, tls: secure() });
    const said: string[] = [];
    let over = false;
    const typing = [
      (async () => {
        while (!over) said.push(await ended(standing, metadata));
      })(),
      (async () => {
        while (!over) said.push(await complete(routerPort, secure(), metadata));
      })(),
    ];
    const authorities = new Set<string>();
    const shown = { router: new Set<string>(), worker: new Set<string>() };
    await until(
      "three authorities have signed what worker and router show",
      async () => {
        authorities.add(
          new X509Certificate(
            Buffer.from(
              world.of("secrets").find((each) => each.metadata.namespace === "slipstream-system").data["ca.crt"],
              "base64",
            ),
          ).fingerprint256,
        );
        shown.router.add(await serialAt(routerPort));
        shown.worker.add(await serialAt(workerPort));
        return authorities.size >= 3 && shown.router.size >= 3 && shown.worker.size >= 3;
      },
      90_000,
    );
    // Who begins now has only certificates of today's authority; the worker has run since the first.
    running.push(await routerStarts("router-1", await freePort()));
    const before = said.length;
    await until("both went on", () => said.length >= before + 10);
    over = true;
    await Promise.all(typing);
    standing.close();
    expect(said.filter((word) => word !== "completed")).toEqual([]);
    process.stdout.write(
      `${authorities.size} authorities, ${shown.router.size} certificates of the router, ${shown.worker.size} of the worker, ${said.length} completions, 0 failed\n`,
    );
  } finally {
    clearInterval(ticking);
    mounts.close();
  }
}, 150_000);
