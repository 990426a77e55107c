// main: the operator process: settings in; admin port, bus and operator up; ended on a signal, or when another one leads.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { startAdmin } from "../lib/admin.ts";
import type { Bus } from "../lib/bus/bus.ts";
import { systemClock } from "../lib/clock.ts";
import type { Env } from "../lib/config.ts";
import { Credentials } from "../lib/credentials.ts";
import { SlipstreamError } from "../lib/errors.ts";
import { guarded, openPort } from "../lib/exposure.ts";
import { adminTenant } from "../lib/keys/key-ring.ts";
import { run } from "../lib/lifecycle.ts";
import { createLog, type Log } from "../lib/log.ts";
import { processRegistry } from "../lib/metrics.ts";
import { packageRoot } from "../lib/package-root.ts";
import { addPages, readPages } from "../lib/pages.ts";
import { systemRandom } from "../lib/random.ts";
import { noDefaults, readDefaults } from "./api/defaults.ts";
import { namespacesOf, type OperatorConfig, readOperatorConfig } from "./config.ts";
import { fleetOf } from "./fleet.ts";
import { findTarget } from "./kube/kube.ts";
import { createOperatorMetrics } from "./metrics.ts";
import { Operator } from "./wire.ts";

/** `slipstream operator`: settings from the environment. Resolves with the exit code. */
export async function main(env: Env, io: Omit<Parameters<typeof run>[1], "clock" | "log">): Promise<number> {
  const config = readOperatorConfig(env);
  if (config.renewMs >= config.leaseMs || config.retryMs >= config.renewMs)
    throw new SlipstreamError("config", "SLIPSTREAM_OPERATOR_LEASE_RETRY must be under LEASE_RENEW, and that under LEASE_DURATION");
  const log = createLog({ process: "operator", level: config.logLevel });
  return run({ graceMs: config.graceMs }, { clock: systemClock, log, ...io }, async (lifecycle) => {
    const registry = processRegistry();
    const metrics = createOperatorMetrics(registry);
    const deps = { clock: systemClock, random: systemRandom(), log };
    const credentials = lifecycle.use(new Credentials(config, "SLIPSTREAM_OPERATOR_", deps));
    guarded(
      openPort({
        ...{ setting: "SLIPSTREAM_OPERATOR_ADMIN_ADDRESS", address: config.adminAddress },
        ...{ tls: credentials.offer !== undefined, asks: credentials.keys !== undefined },
        remedy:
          "SLIPSTREAM_OPERATOR_TLS_CERT and SLIPSTREAM_OPERATOR_TLS_KEY, and SLIPSTREAM_OPERATOR_KEYS_FILE with an administrator's key",
      }),
      config.insecure,
    );
    const target = findTarget({ path: config.kubeconfig, context: config.context, env }, systemClock);
    const bus = await joinBus(config, log);
    if (bus) lifecycle.use({ name: "bus", close: () => bus.close() });
    const operator = new Operator(optionsOf(config, config.namespace || target.namespace), {
      ...deps,
      metrics,
      target,
      ...(bus && { bus }),
      administrators: () => administratorsIn(config.keysFile),
    });
    const admin = await startAdmin(
      { address: config.adminAddress, offer: credentials.offer },
      {
        ...{ clock: systemClock, keys: credentials.keys, registry, missing: () => operator.missing() },
        pages: (app) => {
          app.get("/fleet", () => fleetOf((kind) => operator.all(kind), { leads: operator.leading, missing: operator.missing() }));
          return addPages(app, readPages(join(packageRoot(), "dist", "console"), "operator"));
        },
      },
    );
    lifecycle.use(admin);
    lifecycle.use({ name: "operator", close: () => operator.close() });
    log.info({ adminPort: admin.port, server: target.server }, "following the cluster");
    await operator.run();
  });
}

function optionsOf(config: OperatorConfig, namespace: string) {
  return {
    setting: {
      ...{ image: config.image, namespace, natsServers: config.natsServers, bus: config.natsServers.length > 0 },
      defaults: defaultsOf(config),
    },
    namespaces: namespacesOf(config),
    lease: { namespace, name: config.lease, leaseMs: config.leaseMs, renewMs: config.renewMs, retryMs: config.retryMs },
    name: config.name,
    atOnce: config.atOnce,
    kube: { rest: { perSecond: config.perSecond, burst: config.burst } },
    authority: { certificateMs: config.certificateMs, authorityMs: config.authorityMs, settleMs: config.settleMs },
  };
}

/** Lines of a key file that may be swapped while it is read: what cannot be read now is read the next time. */
function administratorsIn(path: string): string {
  if (path === "") return "";
  try {
    const lines = readFileSync(path, "utf8").split("\n");
    return lines.flatMap((line) => (line.startsWith(`${adminTenant} `) ? [`${line.trim()}\n`] : [])).join("");
  } catch {
    return "";
  }
}

function defaultsOf({ defaults: path }: OperatorConfig) {
  if (path === "") return noDefaults;
  try {
    return readDefaults(readFileSync(path, "utf8"), path);
  } catch (thrown) {
    throw new SlipstreamError("config", `SLIPSTREAM_OPERATOR_DEFAULTS: ${(thrown as Error).message}`);
  }
}

async function joinBus(config: OperatorConfig, log: Log): Promise<Bus | undefined> {
  if (config.natsServers.length === 0) return undefined;
  const { NatsBus } = await import("../lib/bus/nats.ts");
  const { name, natsServers: servers } = config;
  return new NatsBus({ ...config, servers, name, connectTimeoutMs: 5_000 }, { clock: systemClock, log });
}
