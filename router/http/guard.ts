// guard: who may talk HTTP to us. A page on the internet can make a browser send requests to loopback; it cannot forge the
// Host of its own name or hide its Origin. Both are checked on every request, upgrades to WebSocket included.
import type { FastifyInstance } from "fastify";
import { parseAddress } from "../../lib/address.ts";
import { SlipstreamError } from "../../lib/errors.ts";

const loopbackNames = new Set(["localhost", "127.0.0.1", "::1"]);

/** Refuses requests whose Host or Origin is none of ours. `hosts` are names besides loopback and the address itself. */
export function guard(app: FastifyInstance, options: { address: string; hosts: readonly string[] }): void {
  const allowed = new Set(
    [...loopbackNames, parseAddress(options.address).host, ...options.hosts].map((host) => host.toLowerCase()),
  );
  const known = (url: string) => {
    try {
      return allowed.has(new URL(url).hostname.toLowerCase().replace(/^\[|\]$/g, ""));
    } catch {
      return false;
    }
  };
  app.addHook("onRequest", (request, _reply, done) => {
    const { host, origin } = request.headers;
    if (!host || !known(`http://${host}`))
      return done(new SlipstreamError("permission_denied", "Host: not a name of this server", { field: "Host" }));
    // A sandboxed page says "null"; it is nobody we know.
    if (origin !== undefined && !known(origin))
      return done(new SlipstreamError("permission_denied", "Origin: not allowed", { field: "Origin" }));
    done();
  });
}
