// caller: which tenant an HTTP request is of, by the same keys as gRPC.
import type { FastifyRequest } from "fastify";
import type { Router } from "../wire.ts";

export function tenantOf(router: Router, request: FastifyRequest): string {
  return router.ingress.tenant((name) => [request.headers[name]].flat()[0]);
}
