// stores: what is followed, by kind, however many namespaces it comes from.
import type { Reflector } from "./kube/kube.ts";
import type { KindName, KubeObject } from "./objects.ts";
import type { Stores } from "./observe/observe.ts";

export class FollowedStores implements Stores {
  readonly #reflectors = new Map<KindName, Reflector[]>();

  add(kind: KindName, reflector: Reflector): void {
    this.#reflectors.set(kind, [...(this.#reflectors.get(kind) ?? []), reflector]);
  }

  get(kind: KindName, key: string): KubeObject | undefined {
    for (const { store } of this.#reflectors.get(kind) ?? []) {
      const found = store.get(key);
      if (found) return found;
    }
    return undefined;
  }

  all(kind: KindName): readonly KubeObject[] {
    return (this.#reflectors.get(kind) ?? []).flatMap(({ store }) => store.all());
  }

  by(kind: KindName, index: string, value: string): readonly KubeObject[] {
    return (this.#reflectors.get(kind) ?? []).flatMap(({ store }) => store.by(index, value));
  }

  /** Kinds that have not been listed yet. */
  missing(): string[] {
    return [...this.#reflectors].filter(([, all]) => all.some(({ synced }) => !synced)).map(([kind]) => kind);
  }
}
