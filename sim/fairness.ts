// fairness: what became of each tenant's triggers in, tenants that were served nothing while others were out. Of those that
// wanted something: typed ahead, gated or superseded is nobody's fault.
import type { TriggerRecord } from "./typist.ts";

/** So many that chance does not explain it. */
const enough = 12;
const wanted: ReadonlySet<string> = new Set(["generated", "joined", "empty", "refused", "expired"]);
const served: ReadonlySet<string> = new Set(["generated", "joined", "empty"]);

export function starved(tenants: ReadonlyMap<string, readonly Pick<TriggerRecord, "outcome">[]>): string[] {
  const counts = [...tenants].map(([tenant, records]) => ({
    tenant,
    wanted: records.filter(({ outcome }) => wanted.has(outcome)).length,
    served: records.filter(({ outcome }) => served.has(outcome)).length,
  }));
  const others = (tenant: string) => counts.some((other) => other.tenant !== tenant && other.served >= enough);
  return counts.flatMap((each) =>
    each.wanted >= enough && each.served === 0 && others(each.tenant)
      ? [`${each.tenant} starves: nothing of ${each.wanted} triggers was served, while another tenant was`]
      : [],
  );
}
