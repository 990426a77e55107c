// kube: the operator's own client against the pretend apiserver, with short pauses.
import { systemClock } from "../../lib/clock.ts";
import { type Log, silentLog } from "../../lib/log.ts";
import { seeded } from "../../lib/random.ts";
import { Kube, type KubeOptions } from "../../operator/kube/kube.ts";
import type { ClientMetrics } from "../../operator/metrics.ts";
import type { FakeApiserver } from "./fake-apiserver.ts";

export function kubeOf(
  server: FakeApiserver,
  options: Partial<KubeOptions> & { user?: string; log?: Log; metrics?: ClientMetrics } = {},
): Kube {
  const { user = "operator", log = silentLog, metrics, ...rest } = options;
  return new Kube(
    {
      manager: "slipstream",
      rest: { perSecond: 1_000, burst: 1_000, pauseMs: 2, ...rest.rest },
      reflector: { pauseMs: 2, pauseMaxMs: 50, ...rest.reflector } as never,
      connection: rest.connection ?? {},
    },
    { target: server.target(user), clock: systemClock, random: seeded(1), log, ...(metrics ? { metrics } : {}) },
  );
}
