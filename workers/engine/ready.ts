// ready: waits until an engine's server says that it serves. A model takes minutes to load, so being refused is no failure until
// `startMs` are over; that its process has ended is one at once.
import type { Clock } from "../../lib/clock.ts";
import { SlipstreamError } from "../../lib/errors.ts";
import type { Log } from "../../lib/log.ts";
import type { HttpEngine } from "./http.ts";

const firstPauseMs = 50;
const pauseMaxMs = 1_000;
const sayEveryMs = 15_000;

interface Deps {
  readonly clock: Clock;
  readonly http: Pick<HttpEngine, "ask">;
  readonly log?: Log;
  readonly exited?: Promise<SlipstreamError>;
  /** Ends the waiting. */
  readonly signal?: AbortSignal;
}

export async function untilReady({ startMs }: { startMs: number }, { clock, http, log, exited, signal }: Deps): Promise<void> {
  const startedMs = clock.now();
  let ended: SlipstreamError | undefined;
  void exited?.then((why) => {
    ended = why;
  });
  let saidMs = startedMs;
  for (let pauseMs = firstPauseMs, last = "it has not answered"; ; pauseMs = Math.min(pauseMaxMs, pauseMs * 1.5)) {
    try {
      const { status } = await http.ask("/health", undefined, { timeoutMs: 5_000, ...(signal && { signal }) });
      // Not every server has the page; one that says so is there.
      if (status === 200 || status === 404 || status === 405) return;
      last = `it answers with status ${status}`;
    } catch (thrown) {
      last = SlipstreamError.from(thrown).message;
    }
    if (ended) throw ended;
    signal?.throwIfAborted();
    const now = clock.now();
    if (now - startedMs >= startMs) throw new SlipstreamError("unavailable", `no engine within ${startMs} ms: ${last}`);
    if (now - saidMs >= sayEveryMs) {
      saidMs = now;
      log?.info({ seconds: Math.round((now - startedMs) / 1_000), last }, "waiting for the engine");
    }
    await clock.sleep(pauseMs, signal);
  }
}
