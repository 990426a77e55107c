// exposed: which ports of a router, and which of its links, other machines would reach unguarded.
import type { Credentials } from "../lib/credentials.ts";
import { openCall, openPort } from "../lib/exposure.ts";
import type { RouterConfig } from "./config.ts";

export function exposed(config: RouterConfig, { keys, offer }: Credentials, links: { tls: boolean }): string[] {
  const tls = offer !== undefined;
  const asks = keys !== undefined || offer?.mutual === true;
  const certificate = "SLIPSTREAM_ROUTER_TLS_CERT and SLIPSTREAM_ROUTER_TLS_KEY";
  const who = `${certificate}, and SLIPSTREAM_ROUTER_KEYS_FILE or SLIPSTREAM_ROUTER_TLS_CLIENT_CA`;
  const admins = `${certificate}, and SLIPSTREAM_ROUTER_KEYS_FILE with an administrator's key`;
  const ours = "SLIPSTREAM_ROUTER_LINK_CA, SLIPSTREAM_ROUTER_LINK_CERT and SLIPSTREAM_ROUTER_LINK_KEY";
  return [
    openPort({ setting: "SLIPSTREAM_ROUTER_GRPC_ADDRESS", address: config.grpcAddress, tls, asks, remedy: who }),
    openPort({ setting: "SLIPSTREAM_ROUTER_HTTP_ADDRESS", address: config.httpAddress, tls, asks, remedy: who }),
    openPort({
      ...{ setting: "SLIPSTREAM_ROUTER_ADMIN_ADDRESS", address: config.adminAddress },
      ...{ tls, asks: keys !== undefined, remedy: admins },
    }),
    ...called(config).map(({ setting, address }) => openCall({ setting, address, tls: links.tls, remedy: ours })),
  ].flat();
}

/** Where workers are, or are looked for: those that announce themselves on a bus elsewhere are elsewhere too. */
function called({ workers, workersDns, natsServers }: RouterConfig): { setting: string; address: string }[] {
  const by = (setting: string) => (address: string) => ({ setting, address });
  return [
    ...workers.map(by("SLIPSTREAM_ROUTER_WORKERS")),
    ...workersDns.map(by("SLIPSTREAM_ROUTER_WORKERS_DNS")),
    ...natsServers.map((address) => ({ setting: "SLIPSTREAM_NATS_SERVERS", address })),
  ];
}
