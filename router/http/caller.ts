// caller: who makes an HTTP call: the tenant, by the same keys as gRPC; the client within it; and whether it is still there.
import type { FastifyReply, FastifyRequest } from "fastify";
import { SlipstreamError } from "../../lib/errors.ts";
import type { Router } from "../router.ts";

export function tenantOf(router: Router, request: FastifyRequest): string {
  return router.ingress.tenant((name) => headerOf(request, name));
}

export function headerOf(request: FastifyRequest, name: string): string | undefined {
  return [request.headers[name]].flat()[0];
}

/**
 * A client asks anew on another connection while the one before still waits, so that only the address tells it from others;
 * a proxy says for whom it calls.
 */
export function whoAsks(request: FastifyRequest, user: string | null | undefined): string {
  return JSON.stringify([request.ip, headerOf(request, "x-forwarded-for"), headerOf(request, "user-agent"), user ?? ""]);
}

/** Aborts when the client leaves before it has its answer. Connections outlive calls: it is the answer's end that counts. */
export function leaving(reply: FastifyReply): AbortSignal {
  const controller = new AbortController();
  const { raw } = reply;
  raw.once("close", () => {
    if (!raw.writableFinished) controller.abort(new SlipstreamError("cancelled", "the client went away"));
  });
  return controller.signal;
}
