// explain-pages: what became of triggers, as JSON on the admin port: /explain/ID for one, /explain?last=N for those of late, all or
// (kind=slow, failed, superseded) those of one kind.
import type { FastifyInstance } from "fastify";
import { type Explain, notable } from "./explain/explain.ts";

const lastMax = 1_000;

export function addExplain(app: FastifyInstance, explain: Explain): void {
  app.get<{ Querystring: { last?: string; kind?: string } }>("/explain", (request, reply) => {
    const last = Number(request.query.last ?? 20);
    if (!Number.isInteger(last) || last < 1 || last > lastMax)
      return reply.code(400).send({ error: { code: "invalid_request", message: `last: not a number from 1 to ${lastMax}` } });
    const kind = notable.find((each) => each === request.query.kind);
    if (request.query.kind !== undefined && kind === undefined)
      return reply.code(400).send({ error: { code: "invalid_request", message: `kind: not one of ${notable.join(", ")}` } });
    return reply.send({ triggers: explain.last(last, kind) });
  });
  app.get<{ Params: { id: string } }>("/explain/:id", (request, reply) => {
    const found = explain.find(request.params.id);
    if (found) return reply.send(found);
    return reply.code(404).send({ error: { code: "not_found", message: "no trigger of late has this id" } });
  });
}
