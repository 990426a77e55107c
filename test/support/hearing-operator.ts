// hearing-operator: an operator on a control plane that hears routers and workers on a bus, not started yet.
import { systemClock } from "../../lib/clock.ts";
import { silentLog } from "../../lib/log.ts";
import { systemRandom } from "../../lib/random.ts";
import { Operator, type OperatorDeps } from "../../operator/wire.ts";

export function hearingOperator(
  { name, leaseMs }: { readonly name: string; readonly leaseMs: number },
  deps: Pick<OperatorDeps, "target" | "bus" | "metrics">,
): Operator {
  return new Operator(
    {
      setting: { image: "slipstream:test", namespace: "slipstream-system", natsServers: ["nats:4222"], bus: true },
      ...{ namespaces: [], name, atOnce: 4 },
      lease: { namespace: "slipstream-system", name: "slipstream-operator", leaseMs, renewMs: (2 * leaseMs) / 3, retryMs: 500 },
    },
    { ...deps, clock: systemClock, random: systemRandom(), log: silentLog },
  );
}
