// fake-storage: what an apiserver keeps, small: objects with versions and generations, the history that watches go on from, field
// managers of server-side apply, and removal of what is owned by what is gone. Lists are taken whole, but conditions by type.
import { randomUUID } from "node:crypto";
import type { Loose } from "./cluster-objects.ts";

export interface StoredEvent {
  readonly version: number;
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  readonly object: Loose;
}

export class StatusError extends Error {
  readonly status: number;
  readonly reason: string;
  constructor(status: number, reason: string, message: string) {
    super(message);
    this.status = status;
    this.reason = reason;
  }
}

const copy = (value: Loose): Loose => structuredClone(value);
const isMap = (value: Loose) => typeof value === "object" && value !== null && !Array.isArray(value);
const equal = (a: Loose, b: Loose) => JSON.stringify(a) === JSON.stringify(b);

export class FakeStorage {
  readonly objects = new Map<string, Loose>();
  readonly #applied = new Map<string, Map<string, Loose>>();
  readonly #untold: StoredEvent[] = [];
  history: StoredEvent[] = [];
  /** Watches from before this are too old. */
  compacted = 0;
  version = 1;
  readonly listeners = new Set<(event: StoredEvent) => void>();
  /** Every write that changed something, in words: the audit log. */
  readonly audit: { readonly verb: string; readonly key: string; readonly user: string }[] = [];

  key(plural: string, namespace: string | undefined, name: string): string {
    return `${plural}/${namespace ?? ""}/${name}`;
  }

  of(plural: string, namespace?: string): Loose[] {
    const start = namespace === undefined ? `${plural}/` : `${plural}/${namespace}/`;
    return [...this.objects].filter(([key]) => key.startsWith(start)).map(([, object]) => object);
  }

  create(plural: string, object: Loose, user = "test"): Loose {
    const key = this.key(plural, object.metadata.namespace, object.metadata.name);
    if (this.objects.has(key)) throw new StatusError(409, "AlreadyExists", `${key} already exists`);
    const made = copy(object);
    Object.assign(made.metadata, { uid: randomUUID(), creationTimestamp: new Date().toISOString(), generation: 1 });
    return this.#write("create", key, plural, made, user);
  }

  replace(plural: string, object: Loose, user = "test"): Loose {
    const key = this.key(plural, object.metadata.namespace, object.metadata.name);
    const live = this.#live(key);
    if (object.metadata.resourceVersion !== undefined && object.metadata.resourceVersion !== live.metadata.resourceVersion)
      throw new StatusError(409, "Conflict", "the object has been modified");
    return this.#write("update", key, plural, copy(object), user);
  }

  /** Changes an object as its own writer would: tests and the pretend controllers. */
  change(plural: string, namespace: string | undefined, name: string, change: (object: Loose) => void): Loose {
    const key = this.key(plural, namespace, name);
    const next = copy(this.#live(key));
    change(next);
    return this.#write("update", key, plural, next, "test");
  }

  apply(plural: string, body: Loose, how: { manager: string; force: boolean; part: string | undefined; user: string }): Loose {
    const { manager, force, part, user } = how;
    const key = this.key(plural, body.metadata.namespace, body.metadata.name);
    const live = this.objects.get(key);
    if (!live && part !== undefined) throw new StatusError(404, "NotFound", `${key} not found`);
    const managers = this.#applied.get(key) ?? new Map<string, Loose>();
    const { apiVersion, kind, metadata, status, ...rest } = copy(body);
    const { name: _, namespace: __, ...ownMetadata } = metadata;
    const wanted = part === "status" ? { status } : { metadata: ownMetadata, ...rest };
    const before = managers.get(manager) ?? {};
    for (const [other, owned] of managers)
      if (other !== manager && !force && clashes(wanted, owned))
        throw new StatusError(409, "Conflict", `Apply failed: conflict with "${other}"`);
    const base = live
      ? copy(live)
      : { apiVersion, kind, metadata: { name: metadata.name, ...(metadata.namespace ? { namespace: metadata.namespace } : {}) } };
    const others = [...managers].filter(([other]) => other !== manager).map(([, owned]) => owned);
    takeAway(base, before, wanted, others);
    const next = merge(base, wanted);
    managers.set(manager, wanted);
    this.#applied.set(key, managers);
    if (!live) {
      Object.assign(next.metadata, { uid: randomUUID(), creationTimestamp: new Date().toISOString(), generation: 1 });
      return this.#write("create", key, plural, next, user);
    }
    if (equal(next, live)) return live;
    return this.#write("apply", key, plural, next, user);
  }

  patch(plural: string, namespace: string, name: string, patch: Loose, user: string): Loose {
    const key = this.key(plural, namespace, name);
    const live = this.#live(key);
    if (patch.metadata?.uid !== undefined && patch.metadata.uid !== live.metadata.uid)
      throw new StatusError(409, "Conflict", "the uid differs");
    const next = copy(live);
    for (const condition of patch.status?.conditions ?? []) {
      next.status ??= {};
      const others = (next.status.conditions ?? []).filter((each: Loose) => each.type !== condition.type);
      next.status.conditions = [...others, condition];
    }
    for (const [name, value] of Object.entries(patch.metadata?.annotations ?? {})) {
      next.metadata.annotations = { ...next.metadata.annotations, [name]: value };
      if (value === null) delete next.metadata.annotations[name];
    }
    if (patch.series) next.series = patch.series;
    return equal(next, live) ? live : this.#write("patch", key, plural, next, user);
  }

  delete(plural: string, namespace: string | undefined, name: string, uid?: string, user = "test"): void {
    const key = this.key(plural, namespace, name);
    const live = this.#live(key);
    if (uid !== undefined && uid !== live.metadata.uid) throw new StatusError(409, "Conflict", "the uid differs");
    this.objects.delete(key);
    this.#applied.delete(key);
    this.audit.push({ verb: "delete", key, user });
    this.#tell("DELETED", { ...live, metadata: { ...live.metadata, resourceVersion: String(++this.version) } });
    for (const [each, object] of [...this.objects]) {
      const owners = object.metadata.ownerReferences ?? [];
      if (!owners.some((owner: Loose) => owner.uid === live.metadata.uid)) continue;
      const [theirs = "", theirNamespace = "", theirName = ""] = each.split("/");
      this.delete(theirs, theirNamespace === "" ? undefined : theirNamespace, theirName, undefined, "garbage-collector");
    }
  }

  /** What was before now is forgotten: who watches from there must list anew. */
  compact(): void {
    this.compacted = this.version;
    this.history = [];
  }

  #live(key: string): Loose {
    const live = this.objects.get(key);
    if (!live) throw new StatusError(404, "NotFound", `${key} not found`);
    return live;
  }

  #write(verb: string, key: string, plural: string, next: Loose, user: string): Loose {
    const live = this.objects.get(key);
    if (live && !equal(live.spec, next.spec)) next.metadata.generation = (live.metadata.generation ?? 0) + 1;
    next.metadata.resourceVersion = String(++this.version);
    this.objects.set(key, next);
    if (plural !== "events") this.audit.push({ verb, key, user });
    this.#tell(live ? "MODIFIED" : "ADDED", next);
    return next;
  }

  #tell(type: StoredEvent["type"], object: Loose): void {
    const event = { version: this.version, type, object: copy(object) };
    this.history.push(event);
    if (this.history.length > 20_000) this.compact();
    // What a listener changes is told after what it was told of, to everybody in one order.
    this.#untold.push(event);
    if (this.#untold.length > 1) return;
    for (let next = this.#untold[0]; next; next = this.#untold[0]) {
      for (const listener of [...this.listeners]) listener(next);
      this.#untold.shift();
    }
  }
}

function merge(base: Loose, wanted: Loose): Loose {
  if (!isMap(base) || !isMap(wanted)) return wanted;
  const next = { ...base };
  for (const [name, value] of Object.entries(wanted)) if (value !== undefined) next[name] = merge(base[name], value);
  return next;
}

/** What one manager names no more goes, but where another has named it too. */
function takeAway(base: Loose, before: Loose, wanted: Loose, others: readonly Loose[]): void {
  for (const [name, value] of Object.entries(before)) {
    if (!isMap(base)) return;
    const theirs = others.map((owned) => owned?.[name]).filter((owned) => owned !== undefined);
    if (isMap(value) && (wanted?.[name] !== undefined || theirs.length > 0)) takeAway(base[name], value, wanted?.[name], theirs);
    else if (wanted?.[name] === undefined && theirs.length === 0) delete base[name];
  }
}

function clashes(wanted: Loose, owned: Loose): boolean {
  if (isMap(wanted) && isMap(owned))
    return Object.entries(wanted).some(([name, value]) => name in owned && clashes(value, owned[name]));
  return !equal(wanted, owned);
}
