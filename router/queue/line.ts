// line: who waits in one lane, and who is next. Tenants take turns by deficit round robin: each round gives a tenant `quantumMs` of
// worker time, and what it was served is taken off, so that a flood waits behind itself; a tenant that has just come goes
// first. Within a tenant the earliest deadline is first; within a session the newest, for it is what the person waits for.
// Pure state; bounded by the queue.
import type { Work } from "../completion.ts";

export interface Entry {
  readonly work: Pick<Work, "tenant" | "session" | "deadlineMs">;
  /** Worker time it will take. */
  readonly costMs: number;
  readonly bytes: number;
}

interface Tenant<T> {
  readonly name: string;
  readonly entries: T[];
  /** Worker time it may still be served in this round. */
  deficitMs: number;
}

export class Line<T extends Entry> {
  readonly #quantumMs: number;
  /** Those with someone waiting, whose turn it is first. */
  #ring: Tenant<T>[] = [];
  readonly #tenants = new Map<string, Tenant<T>>();
  #length = 0;

  constructor(options: { readonly quantumMs: number }) {
    this.#quantumMs = options.quantumMs;
  }

  get length(): number {
    return this.#length;
  }

  waitingOf(tenant: string): number {
    return this.#tenants.get(tenant)?.entries.length ?? 0;
  }

  add(entry: T): void {
    const { tenant: name, session, deadlineMs } = entry.work;
    let tenant = this.#tenants.get(name);
    if (!tenant) {
      tenant = { name, entries: [], deficitMs: this.#quantumMs };
      this.#tenants.set(name, tenant);
      this.#ring.unshift(tenant);
    }
    const { entries } = tenant;
    const before = entries.findIndex((other) => other.work.deadlineMs > deadlineMs || other.work.session === session);
    entries.splice(before < 0 ? entries.length : before, 0, entry);
    this.#length += 1;
  }

  /** It waits no more, served or not. */
  remove(entry: T): boolean {
    const tenant = this.#tenants.get(entry.work.tenant);
    const at = tenant?.entries.indexOf(entry) ?? -1;
    if (!tenant || at < 0) return false;
    tenant.entries.splice(at, 1);
    this.#length -= 1;
    if (tenant.entries.length === 0) {
      this.#tenants.delete(tenant.name);
      this.#ring.splice(this.#ring.indexOf(tenant), 1);
    }
    return true;
  }

  /** Served: its cost is its tenant's. */
  charge(entry: T): void {
    const tenant = this.#tenants.get(entry.work.tenant);
    if (!tenant) return;
    tenant.deficitMs -= entry.costMs;
    if (tenant.deficitMs > 0) return;
    // Its round is over: the next one's turn.
    this.#ring.splice(this.#ring.indexOf(tenant), 1);
    this.#ring.push(tenant);
    this.#round();
  }

  /** Everyone, in the order they would be served now, each tenant's in turn. Entries may be removed meanwhile. */
  *order(): Generator<T> {
    // Whoever has used up a round waits for those who have not.
    const turns = [...this.#ring.filter((each) => each.deficitMs > 0), ...this.#ring.filter((each) => each.deficitMs <= 0)];
    for (const tenant of turns) yield* [...tenant.entries];
  }

  /** The one to give up when there is no more room: the last of the tenant with most waiting. */
  get last(): T | undefined {
    let most: Tenant<T> | undefined;
    for (const tenant of this.#ring) if (!most || tenant.entries.length > most.entries.length) most = tenant;
    return most?.entries.at(-1);
  }

  /** When everybody has used up the round, the next begins: as many at once as the least needs to be served again. */
  #round(): void {
    const highest = Math.max(...this.#ring.map((tenant) => tenant.deficitMs));
    if (highest > 0) return;
    const rounds = Math.floor(-highest / this.#quantumMs) + 1;
    for (const tenant of this.#ring) tenant.deficitMs = Math.min(this.#quantumMs, tenant.deficitMs + rounds * this.#quantumMs);
  }
}
