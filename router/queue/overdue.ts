// overdue: who waits in vain. Who waits in a lane in the order of being served, and how fast slots turn over of late, in; who will
// not have one in time, by how much, out. Long before the latest start is over: by then its answer could be had elsewhere.
// Pure arithmetic: it is asked each time someone is put before others, or the pace changes.

/** Of one that waits. */
export interface Due {
  readonly work: { readonly tenant: string };
  readonly model: string;
  /** After which it could not be in time if it had a slot at once; absent: it has time. */
  readonly startByMs: number | undefined;
}

/** How long a slot is held, and how many of a model's are. */
export interface Pace {
  readonly serviceMs: number;
  readonly held: (model: string) => number;
}

/** Of a model: how many come before, and of each tenant. */
interface Before {
  all: number;
  readonly tenants: Map<string, number>;
}

export function* overdue<T extends Due>(order: Iterable<T>, now: number, pace: Pace): Generator<[entry: T, lateByMs: number]> {
  const waiting = [...order];
  const models = new Map<string, Before>();
  for (const { model, work } of waiting) {
    const known = models.get(model) ?? { all: 0, tenants: new Map() };
    models.set(model, known);
    known.all += 1;
    known.tenants.set(work.tenant, 0);
  }
  for (const entry of waiting) {
    const { model, work, startByMs } = entry;
    const held = pace.held(model);
    const { all, tenants } = models.get(model) as Before;
    const own = tenants.get(work.tenant) as number;
    // Tenants take turns: of each other one as many are served before it as of its own.
    const first = Math.min(all - 1, (own + 1) * tenants.size - 1);
    const waitMs = (pace.serviceMs * (first + 1)) / held;
    const lateByMs = startByMs === undefined || held === 0 ? 0 : now + waitMs - startByMs;
    // Who will not be served is before nobody.
    if (lateByMs > 0) yield [entry, lateByMs];
    else tenants.set(work.tenant, own + 1);
  }
}

/** What one of the tenant that came now would wait. */
export function waitOf(order: Iterable<Pick<Due, "work">>, tenant: string, serviceMs: number, held: number): number {
  let [all, own] = [0, 0];
  const tenants = new Set([tenant]);
  for (const { work } of order) {
    all += 1;
    if (work.tenant === tenant) own += 1;
    else tenants.add(work.tenant);
  }
  if (all === 0) return 0;
  const first = Math.min(all, (own + 1) * tenants.size - 1);
  return (serviceMs * (first + 1)) / Math.max(1, held);
}
