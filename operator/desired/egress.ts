// egress: where routers and workers may reach out to when the installer has the rest denied: names, the bus, what they are linked to,
// and what he allows beside it.
import type { Json } from "../objects.ts";

const busPort = 4_222;

export const onPort = (port: number, protocol: "TCP" | "UDP" = "TCP") => ({ port, protocol });

interface Outward {
  /** Further rules; absent: where pods reach out to is no matter of the policy. */
  readonly allowed: readonly Json[] | undefined;
  /** host:port of each. */
  readonly servers: readonly string[];
  readonly links: readonly Json[];
}

/** policyTypes and egress of a NetworkPolicy. Names and the bus may be anywhere. */
export function outward({ allowed, servers, links }: Outward): Json {
  if (allowed === undefined) return { policyTypes: ["Ingress"] };
  const bus = [...new Set(servers.map((server) => Number(/:(\d+)$/.exec(server)?.[1] ?? busPort)))];
  return {
    policyTypes: ["Ingress", "Egress"],
    egress: [
      { ports: [onPort(53, "UDP"), onPort(53)] },
      ...(bus.length > 0 ? [{ ports: bus.map((port) => onPort(port)) }] : []),
      ...links,
      ...allowed,
    ],
  };
}

/** An endpoint elsewhere, as it stands in a pool. */
export function toEndpoint(endpoint: string | undefined): Json[] {
  if (endpoint === undefined || !URL.canParse(endpoint)) return [];
  const { port, protocol } = new URL(endpoint);
  return [{ ports: [onPort(Number(port || (protocol === "http:" ? 80 : 443)))] }];
}
