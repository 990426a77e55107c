// drain-pages: the admin port of a process for whoever takes it out of service: POST /drain begins (?leave=MS: how long it says that it is
// not ready before it does more), GET /drain says how far it is, DELETE /drain takes it back, where nobody else asks for it.
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { invalid, SlipstreamError } from "./errors.ts";

export interface Drainable {
  /** What is left, as JSON. */
  readonly told: object;
  /** `leaveMs` undefined: as long as its settings say. */
  begin(leaveMs: number | undefined): void;
  undo(): void;
}

const leaveMsMax = 600_000;

/** `drain` is undefined until there is something to take out. */
export function drainPages(app: FastifyInstance, drain: () => Drainable | undefined): readonly string[] {
  const refuse = (reply: FastifyReply, { code, message, row }: SlipstreamError) =>
    reply.code(row.http).send({ error: { code, message } });
  const page = (act: (drain: Drainable, leaveMs: number | undefined) => void, status = 200) => {
    return async (request: FastifyRequest, reply: FastifyReply) => {
      // No web page takes a process out, not even one that a browser beside it has open.
      if (request.headers.origin !== undefined)
        return refuse(reply, new SlipstreamError("permission_denied", "origin: not for web pages", { field: "origin" }));
      const known = drain();
      if (!known) return refuse(reply, new SlipstreamError("unavailable", "it is starting: nothing is served yet"));
      const leaveMs = leaveOf(request.query as { leave?: unknown });
      if (leaveMs instanceof SlipstreamError) return refuse(reply, leaveMs);
      act(known, leaveMs);
      // Whoever is to know is told in this turn.
      await Promise.resolve();
      return reply.code(status).send(known.told);
    };
  };
  app.get(
    "/drain",
    page(() => {}),
  );
  app.post(
    "/drain",
    page((known, leaveMs) => known.begin(leaveMs), 202),
  );
  app.delete(
    "/drain",
    page((known) => known.undo()),
  );
  return [];
}

function leaveOf({ leave }: { leave?: unknown }): number | undefined | SlipstreamError {
  if (leave === undefined) return undefined;
  const ms = typeof leave === "string" && /^\d{1,9}$/.test(leave) ? Number(leave) : Number.NaN;
  return ms <= leaveMsMax ? ms : invalid("leave", `is not a whole number of milliseconds from 0 to ${leaveMsMax}`);
}
