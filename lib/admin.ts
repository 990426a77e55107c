// admin: the operator's port of a process. /healthz (alive), /readyz (ready, or 503 with what is missing), /metrics, and where
// a process has them /status (its own figures as JSON) and further pages. Where other machines reach it, it speaks the process's
// TLS, and all but the two probes and a page's own files ask for an administrator's key. On loopback nobody is asked, so there
// the Host must be a name of loopback: a page elsewhere can point a name of its own at this machine, and cannot change the Host.
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from "fastify";
import type { Registry } from "prom-client";
import { isLoopback, isLoopbackHost, parseAddress } from "./address.ts";
import type { Clock } from "./clock.ts";
import { SlipstreamError } from "./errors.ts";
import { adminTenant, type KeyRing } from "./keys/key-ring.ts";
import { presentedKey, unauthenticated } from "./keys/presented.ts";
import { listening } from "./listen.ts";
import { httpServer, type TlsOffer } from "./tls/server.ts";

export interface Admin {
  readonly name: string;
  readonly port: number;
  readonly app: FastifyInstance;
  close(): Promise<void>;
}

/** `missing` names what the process still waits for; empty means ready. */
export async function startAdmin(
  options: { address: string; offer?: TlsOffer | undefined },
  deps: {
    registry: Registry;
    missing: () => readonly string[];
    clock: Pick<Clock, "wall">;
    /** API keys as they are now, an administrator's among them. */
    keys?: (() => KeyRing) | undefined;
    status?: () => Promise<object>;
    /** Returns the paths that nobody is asked a key for: files that say nothing of this process. */
    pages?: (app: FastifyInstance) => readonly string[];
  },
): Promise<Admin> {
  const open = isLoopback(options.address);
  // A probe shows no certificate; whoever reads figures brings a key.
  const offer = open || !options.offer ? undefined : { ...options.offer, mutual: false };
  const app = fastify({ logger: false, bodyLimit: 1 << 16, serverFactory: (handler) => httpServer(offer, handler) });
  const free = new Set(probes);
  if (open) app.addHook("onRequest", loopbackNames);
  else if (deps.keys) administratorsOnly(app, free, deps.keys, deps.clock);
  app.get("/healthz", () => ({ status: "ok" }));
  app.get("/readyz", (_request, reply) => {
    const missing = deps.missing();
    return reply.code(missing.length === 0 ? 200 : 503).send({ status: missing.length === 0 ? "ready" : "waiting", missing });
  });
  app.get("/metrics", async (_request, reply) => reply.type(deps.registry.contentType).send(await deps.registry.metrics()));
  const { status } = deps;
  if (status) app.get("/status", () => status());
  for (const path of deps.pages?.(app) ?? []) free.add(path);
  const { host, port } = parseAddress(options.address);
  await listening("admin", options.address, () => app.listen({ host, port }));
  return { name: "admin", port: (app.server.address() as { port: number }).port, app, close: () => app.close() };
}

const probes: readonly string[] = ["/healthz", "/readyz"];

function loopbackNames(request: FastifyRequest, reply: FastifyReply, done: () => void): void {
  if (isLoopbackHost(request.headers.host)) done();
  else void reply.code(403).send({ error: { code: "permission_denied", message: "Host: not a name of this machine" } });
}

function administratorsOnly(
  app: FastifyInstance,
  free: ReadonlySet<string>,
  keys: () => KeyRing,
  clock: Pick<Clock, "wall">,
): void {
  app.addHook("onRequest", (request, _reply, done) => {
    if (free.has(request.url)) return done();
    const found = keys().find(
      presentedKey((name) => [request.headers[name]].flat()[0]),
      clock.wall(),
    );
    if ("refused" in found) throw unauthenticated("unknown API key");
    if (found.tenant !== adminTenant)
      throw new SlipstreamError("permission_denied", "authorization: not an administrator's key", { field: "authorization" });
    done();
  });
  app.setErrorHandler((thrown: unknown, _request, reply) => {
    const { code, message, row } = SlipstreamError.from(thrown);
    return reply.code(row.http).send({ error: { code, message: code === "internal" ? "internal error" : message } });
  });
}
