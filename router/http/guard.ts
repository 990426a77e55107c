// guard: who may talk HTTP to us. A page on the internet can make a browser send requests to loopback; it cannot forge the
// Host of its own name or hide its Origin. Both are checked on every request, upgrades to WebSocket included. Pages of listed
// origins may call and read answers (CORS); no others.
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { parseAddress } from "../../lib/address.ts";
import { SlipstreamError } from "../../lib/errors.ts";

const loopbackNames = new Set(["localhost", "127.0.0.1", "::1"]);
/** How long a browser need not ask again. */
const preflightS = 600;

export interface GuardOptions {
  readonly address: string;
  /** Names besides loopback and the address itself. */
  readonly hosts: readonly string[];
  /** Of pages that may call from a browser, as browsers write them. */
  readonly origins: readonly string[];
}

/** Refuses requests whose Host or Origin is none of ours. */
export function guard(app: FastifyInstance, { address, hosts, origins }: GuardOptions): void {
  const names = new Set([...loopbackNames, parseAddress(address).host, ...hosts].map((host) => host.toLowerCase()));
  const listed = new Set(origins);
  const known = (url: string) => {
    try {
      return names.has(new URL(url).hostname.toLowerCase().replace(/^\[|\]$/g, ""));
    } catch {
      return false;
    }
  };
  app.addHook("onRequest", (request, reply, done) => {
    const { host, origin } = request.headers;
    if (!host || !known(`http://${host}`))
      return done(new SlipstreamError("permission_denied", "Host: not a name of this server", { field: "Host" }));
    if (origin === undefined) return done();
    if (listed.has(origin)) {
      if (!letIn(origin, request, reply)) done();
      return;
    }
    // A sandboxed page says "null"; it is nobody we know.
    if (!known(origin)) return done(new SlipstreamError("permission_denied", "Origin: not allowed", { field: "Origin" }));
    done();
  });
}

/** Says that the page may; true: that was all it asked. */
function letIn(origin: string, request: FastifyRequest, reply: FastifyReply): boolean {
  void reply.headers({
    "access-control-allow-origin": origin,
    vary: "Origin",
    "access-control-expose-headers": "x-request-id, retry-after, slipstream-outcome",
  });
  const asked = request.headers["access-control-request-method"];
  if (request.method !== "OPTIONS" || asked === undefined) return false;
  void reply
    .headers({
      "access-control-allow-methods": "GET, POST",
      "access-control-allow-headers": [request.headers["access-control-request-headers"]].flat()[0] ?? "content-type",
      "access-control-max-age": preflightS,
    })
    .code(204)
    .send();
  return true;
}
