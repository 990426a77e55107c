// answer: a Trigger run by the one path, and what came of it given to an HTTP client: whole, or piece by piece as its API
// writes them. A reader that is slow is waited for, up to the trigger's end; one that does not take even the end is cut off.
import type { FastifyReply } from "fastify";
import { SlipstreamError } from "../../lib/errors.ts";
import type { Delta, Ending, Milestones, Trigger } from "../completion.ts";
import { headerOf } from "./caller.ts";
import { errorEvent } from "./refusals.ts";
import type { Api, Call } from "./route.ts";

/** A trigger that has ended with text, or with none that anybody minds. */
export interface Ended {
  readonly trigger: Trigger;
  readonly text: string;
  readonly ending: Ending;
  readonly at: Milestones;
  /** Monotonic ms of the end. */
  readonly nowMs: number;
}

export interface Answering {
  readonly api: Api;
  /** Of editors that ask at every key and never cancel: that there is nothing is no error to them. */
  readonly quiet?: boolean;
}

/** How an API writes a stream. */
export interface Manner extends Answering {
  readonly type: "text/event-stream" | "application/x-ndjson";
  piece(text: string, first: boolean): string;
  end(ended: Ended): string;
  /** After an error: what clients wait for. */
  readonly last?: string;
}

/** How long a reader may take for what is left when all is said. */
const lingerMs = 30_000;

export async function whole(call: Call<unknown>, trigger: Trigger, { quiet = false }: Answering): Promise<Ended> {
  const at: Milestones = {};
  const path = pathOf(call, trigger, at);
  let text = "";
  for (let step = await path.next(); ; step = await path.next()) {
    if (!step.done) {
      text += step.value.text;
      continue;
    }
    call.reply.header("slipstream-outcome", step.value.outcome);
    const error = errorOf(step.value, quiet);
    if (error) throw error;
    // Of a text that was given up half-way nobody has a use.
    const kept = step.value.outcome === "superseded" || step.value.outcome === "cancelled" ? "" : text;
    return { trigger, text: kept, ending: step.value, at, nowMs: call.router.clock.now() };
  }
}

export async function streamed(call: Call<unknown>, trigger: Trigger, manner: Manner): Promise<FastifyReply> {
  const { reply, router } = call;
  const at: Milestones = {};
  const path = pathOf(call, trigger, at);
  // The first step decides between an HTTP error and a stream: after the headers it is too late for a status.
  const first = await path.next();
  const early = first.done ? errorOf(first.value, manner.quiet) : undefined;
  if (early) throw early;
  reply.hijack();
  const { raw } = reply;
  raw.writeHead(200, { ...reply.getHeaders(), "content-type": manner.type, "cache-control": "no-cache" } as Record<string, string>);
  let text = "";
  for (let step = first; ; step = await path.next()) {
    if (!step.done) {
      const piece = manner.piece(step.value.text, text === "");
      text += step.value.text;
      if (!raw.write(piece)) await drained(reply, trigger.signal);
      continue;
    }
    const error = errorOf(step.value, manner.quiet);
    const ended = { trigger, text, ending: step.value, at, nowMs: router.clock.now() };
    raw.end(error ? errorEvent(manner.api, error) + (manner.last ?? "") : manner.end(ended));
    const linger = router.clock.timer(lingerMs, () => raw.destroy());
    raw.once("close", () => linger[Symbol.dispose]());
    return reply;
  }
}

function pathOf({ router, request, reply }: Call<unknown>, trigger: Trigger, at: Milestones): AsyncGenerator<Delta, Ending> {
  // By it `slipstream explain` finds the trigger.
  reply.header("x-request-id", trigger.id);
  return router.run(trigger, at, headerOf(request, "traceparent"));
}

/** Endings that say why there is no text become errors; an empty completion is an answer. */
function errorOf(ending: Ending, quiet = false): SlipstreamError | undefined {
  if (ending.error) return ending.error;
  // Refused because it would have been late is what being late is to an editor.
  if (quiet && (ending.outcome !== "refused" || ending.reason === "deadline")) return undefined;
  const detail = ending.detail ?? ending.reason ?? ending.outcome;
  const retry = ending.retryAfterMs === undefined ? {} : { retryAfterMs: ending.retryAfterMs };
  if (ending.outcome === "refused")
    return new SlipstreamError(
      ending.code ?? (ending.reason === "quota" ? "overloaded" : "invalid_request"),
      sentence(ending),
      retry,
    );
  if (ending.outcome === "gated") return new SlipstreamError("overloaded", detail, retry);
  if (ending.outcome === "expired") return new SlipstreamError("deadline_exceeded", "no text before the deadline");
  if (ending.outcome === "cancelled" || ending.outcome === "superseded") return new SlipstreamError("cancelled", detail);
  return undefined;
}

/** A refusal's detail begins with its code, which an HTTP client has elsewhere. */
function sentence({ detail, reason, code, outcome }: Ending): string {
  if (detail === undefined) return reason ?? outcome;
  return code !== undefined && detail.startsWith(`${code}: `) ? detail.slice(code.length + 2) : detail;
}

/** An abort that has been is not told again. */
function drained(reply: FastifyReply, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      reply.raw.off("drain", done);
      signal.removeEventListener("abort", done);
      resolve();
    };
    reply.raw.once("drain", done);
    signal.addEventListener("abort", done, { once: true });
  });
}
