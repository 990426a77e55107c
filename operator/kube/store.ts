// store: objects of one kind as the apiserver last told them, found by key or by an index. Objects are shared and never changed;
// what nobody reads (managed fields, the last applied text) is dropped as they come in.
import { type Json, type KubeObject, keyOf } from "../objects.ts";

export type Index = (object: KubeObject) => readonly string[];

export interface Change {
  readonly key: string;
  /** undefined: it is new, or gone. */
  readonly before: KubeObject | undefined;
  readonly after: KubeObject | undefined;
}

export class Store {
  readonly #objects = new Map<string, KubeObject>();
  readonly #indexes: ReadonlyMap<string, { readonly of: Index; readonly keys: Map<string, Set<string>> }>;

  constructor(indexes: Readonly<Record<string, Index>> = {}) {
    this.#indexes = new Map(Object.entries(indexes).map(([name, of]) => [name, { of, keys: new Map() }]));
  }

  get size(): number {
    return this.#objects.size;
  }

  get(key: string): KubeObject | undefined {
    return this.#objects.get(key);
  }

  all(): readonly KubeObject[] {
    return [...this.#objects.values()];
  }

  by(index: string, value: string): readonly KubeObject[] {
    const keys = this.#indexes.get(index)?.keys.get(value) ?? [];
    return [...keys].flatMap((key) => this.#objects.get(key) ?? []);
  }

  set(object: KubeObject): Change {
    const key = keyOf(object);
    const before = this.#objects.get(key);
    const after = stripped(object);
    if (before) this.#unindex(key, before);
    this.#objects.set(key, after);
    for (const { of, keys } of this.#indexes.values())
      for (const value of of(after)) {
        const held = keys.get(value) ?? new Set();
        keys.set(value, held.add(key));
      }
    return { key, before, after };
  }

  delete(key: string): Change {
    const before = this.#objects.get(key);
    if (before) this.#unindex(key, before);
    this.#objects.delete(key);
    return { key, before, after: undefined };
  }

  /** Whole contents anew: what changed, what is gone included, whose last state is told. */
  replace(objects: readonly KubeObject[]): Change[] {
    const keys = new Set(objects.map(keyOf));
    const gone = [...this.#objects.keys()].filter((key) => !keys.has(key)).map((key) => this.delete(key));
    const changed = objects
      .filter((object) => this.#objects.get(keyOf(object))?.metadata.resourceVersion !== object.metadata.resourceVersion)
      .map((object) => this.set(object));
    return [...gone, ...changed];
  }

  #unindex(key: string, object: KubeObject): void {
    for (const { of, keys } of this.#indexes.values())
      for (const value of of(object)) {
        const held = keys.get(value);
        held?.delete(key);
        if (held?.size === 0) keys.delete(value);
      }
  }
}

const lastApplied = "kubectl.kubernetes.io/last-applied-configuration";

function stripped(object: KubeObject): KubeObject {
  const { managedFields, annotations, ...metadata } = object.metadata;
  const { [lastApplied]: __, ...own } = annotations ?? {};
  const replicasBy = scalerOf(managedFields);
  return {
    ...object,
    metadata: { ...metadata, ...(annotations ? { annotations: own } : {}), ...(replicasBy ? { replicasBy } : {}) },
  };
}

/** Of the managed fields one thing is of use: who else decides how many there shall be. */
function scalerOf(managedFields: unknown): { name: string; time?: string } | undefined {
  if (!Array.isArray(managedFields)) return undefined;
  const found = (managedFields as Json[]).find(
    ({ subresource, fieldsV1 }) => subresource === "scale" && fieldsV1?.["f:spec"]?.["f:replicas"] !== undefined,
  );
  return found && { name: String(found.manager), ...(found.time ? { time: String(found.time) } : {}) };
}
