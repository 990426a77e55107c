// main: the operator process: settings in; admin port, bus and operator up; ended on a signal, or when another one leads.
import { startAdmin } from "../lib/admin.ts";
import type { Bus } from "../lib/bus/bus.ts";
import { systemClock } from "../lib/clock.ts";
import type { Env } from "../lib/config.ts";
import { Credentials } from "../lib/credentials.ts";
import { SlipstreamError } from "../lib/errors.ts";
import { guarded, openPort } from "../lib/exposure.ts";
import { run } from "../lib/lifecycle.ts";
import { createLog, type Log } from "../lib/log.ts";
import { processRegistry } from "../lib/metrics.ts";
import { systemRandom } from "../lib/random.ts";
import { namespacesOf, type OperatorConfig, readOperatorConfig } from "./config.ts";
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
    });
    const admin = await startAdmin(
      { address: config.adminAddress, offer: credentials.offer },
      { clock: systemClock, keys: credentials.keys, registry, missing: () => operator.missing() },
    );
    lifecycle.use(admin);
    lifecycle.use({ name: "operator", close: () => operator.close() });
    log.info({ adminPort: admin.port, server: target.server }, "following the cluster");
    await operator.run();
  });
}

function optionsOf(config: OperatorConfig, namespace: string) {
  return {
    setting: { image: config.image, namespace, natsServers: config.natsServers, bus: config.natsServers.length > 0 },
    namespaces: namespacesOf(config),
    lease: { namespace, name: config.lease, leaseMs: config.leaseMs, renewMs: config.renewMs, retryMs: config.retryMs },
    name: config.name,
    atOnce: config.atOnce,
    kube: { rest: { perSecond: config.perSecond, burst: config.burst } },
    authority: { certificateMs: config.certificateMs, authorityMs: config.authorityMs, settleMs: config.settleMs },
  };
}

async function joinBus(config: OperatorConfig, log: Log): Promise<Bus | undefined> {
  if (config.natsServers.length === 0) return undefined;
  const { NatsBus } = await import("../lib/bus/nats.ts");
  const { name, natsServers: servers } = config;
  return new NatsBus({ ...config, servers, name, connectTimeoutMs: 5_000 }, { clock: systemClock, log });
}
