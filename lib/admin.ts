// admin: the operator's port of a process. /healthz (alive), /readyz (ready, or 503 with what is missing), /metrics, and where
// a process has them /status (its own figures as JSON) and further pages.
import { type FastifyInstance, fastify } from "fastify";
import type { Registry } from "prom-client";
import { parseAddress } from "./address.ts";
import { listening } from "./listen.ts";

export interface Admin {
  readonly name: string;
  readonly port: number;
  readonly app: FastifyInstance;
  close(): Promise<void>;
}

/** `missing` names what the process still waits for; empty means ready. */
export async function startAdmin(
  options: { address: string },
  deps: {
    registry: Registry;
    missing: () => readonly string[];
    status?: () => Promise<object>;
    pages?: (app: FastifyInstance) => void;
  },
): Promise<Admin> {
  const app = fastify({ logger: false, bodyLimit: 1 << 16 });
  app.get("/healthz", () => ({ status: "ok" }));
  app.get("/readyz", (_request, reply) => {
    const missing = deps.missing();
    return reply.code(missing.length === 0 ? 200 : 503).send({ status: missing.length === 0 ? "ready" : "waiting", missing });
  });
  app.get("/metrics", async (_request, reply) => reply.type(deps.registry.contentType).send(await deps.registry.metrics()));
  const { status } = deps;
  if (status) app.get("/status", () => status());
  deps.pages?.(app);
  const { host, port } = parseAddress(options.address);
  await listening("admin", options.address, () => app.listen({ host, port }));
  return { name: "admin", port: (app.server.address() as { port: number }).port, app, close: () => app.close() };
}
