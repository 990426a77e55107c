// asking: a generation and its prompt in, what schedule and queue want to know of it out.
import type { Asking, Prompt, Work } from "./completion.ts";
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
export function workersOf({ model, pool }: { readonly model: string; readonly pool?: string | undefined }): string {
  return pool === undefined ? model : `${model} of ${pool}`;
}
