// start: the tracing of a process by its settings, or none; flushed when the process ends. A collector that is away is said in
// the log, at most once a minute.
import type { Clock } from "../clock.ts";
import type { Lifecycle } from "../lifecycle.ts";
import type { Log } from "../log.ts";
import { version } from "../version.ts";
import { Tracing } from "./tracing.ts";

const complainEveryMs = 60_000;

export function startTracing(
  config: { readonly otlpEndpoint: string; readonly name: string },
  service: string,
  deps: { lifecycle: Lifecycle; clock: Clock; log: Log },
): Tracing | undefined {
  const { lifecycle, clock, log } = deps;
  if (config.otlpEndpoint === "") return undefined;
  let quietUntilMs = Number.NEGATIVE_INFINITY;
  const tracing = new Tracing(
    {
      ...{ endpoint: config.otlpEndpoint, service, instance: config.name, version },
      ...{ everyMs: 1_000, batchMax: 512, pendingMax: 8_192 },
    },
    {
      clock,
      complain: (why, spans) => {
        if (clock.now() < quietUntilMs) return;
        quietUntilMs = clock.now() + complainEveryMs;
        log.warn({ endpoint: config.otlpEndpoint, why, spans, dropped: tracing.dropped }, "spans could not be sent");
      },
    },
  );
  lifecycle.use({ name: "tracing", close: () => tracing.flush() });
  return tracing;
}
