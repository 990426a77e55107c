// asking: a generation and its prompt in, what schedule and queue want to know of it out.
import type { Asking, Prompt, ServedModel, Work } from "./completion.ts";
import type { Path } from "./path.ts";
import type { Size, Waited } from "./queue/queue.ts";

const notYet: Waited = { waitedMs: 0, greedy: false, ahead: () => 0 };

export function askingOf(
  { session, document, lane, sampling }: Pick<Work, "session" | "document" | "lane" | "sampling">,
  prompt: Prompt,
  dueMs: number,
  waited: Waited = notYet,
): Asking {
  const { model, pool } = prompt;
  const where = pool === undefined ? { model } : { model, pool };
  return { session, document, lane, ...where, prompt, maxTokens: sampling.maxTokens, dueMs, ...waited };
}

type Served = Pick<Prompt, "model" | "pool">;

/** Objects beside the text. */
const entryBytes = 512;
/** What a generation is taken to cost its tenant where nothing is predicted. */
const unknownMs = 100;

/** What it keeps in memory while it waits, and the worker time that it will take of which model's workers. */
export function sizeOf(serviceMs: number, prompt: Prompt): Size {
  return {
    bytes: prompt.bytes * 2 + prompt.blocks.length + entryBytes,
    costMs: serviceMs > 0 ? serviceMs : unknownMs,
    model: workersOf(prompt),
  };
}

/** Whom it may wait for, as a name: who waits for others is before nobody of these. */
function workersOf({ model, pool }: Served): string {
  return pool === undefined ? model : `${model} of ${pool}`;
}

/** As a prompt for it would say it. */
export function servedBy(model: ServedModel | undefined): Served | undefined {
  return model && { model: model.name, ...(model.pool === undefined ? {} : { pool: model.pool }) };
}

/**
 * How long it would stand in the queue now, for workers of that model: not at all while its session's worker has a slot that its
 * tenant may have, for those who wait hold out for others.
 */
export function queueMs(
  { queue, fleet }: Pick<Path, "queue" | "fleet">,
  { lane, tenant, session }: Pick<Work, "lane" | "tenant" | "session">,
  served: Served | undefined,
): number {
  if (served && !queue.isGreedy(tenant) && fleet.hasRoom(session, lane, served)) return 0;
  return queue.predictedWaitMs(lane, tenant, served && workersOf(served));
}
