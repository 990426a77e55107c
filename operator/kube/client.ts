// client: what is asked of a cluster, as calls. Writes are server-side applies under the operator's name: a field that it does not
// name is not its own, and what it named before and does not name now is taken away by the apiserver.
import { type Cluster, type Json, type Kind, type KubeObject, kindOf } from "../objects.ts";
import { holds, isApplied, marked } from "./apply.ts";
import { pathOf, query } from "./paths.ts";
import { Refused, type Rest } from "./rest.ts";

const json = { "content-type": "application/json" };
const applied = { "content-type": "application/apply-patch+yaml" };
const strategic = { "content-type": "application/strategic-merge-patch+json" };
const merge = { "content-type": "application/merge-patch+json" };
const pageSize = 500;

export class Client implements Cluster {
  readonly #manager: string;
  readonly #rest: Rest;

  /** `manager` owns the fields that are applied. */
  constructor(options: { manager: string }, deps: { rest: Rest }) {
    this.#manager = options.manager;
    this.#rest = deps.rest;
  }

  async get(kind: Kind, namespace: string | undefined, name: string): Promise<KubeObject | undefined> {
    return absent(() => this.#rest.call({ method: "GET", path: pathOf(kind, namespace, name) }));
  }

  async list(kind: Kind, namespace?: string, selector?: string): Promise<readonly KubeObject[]> {
    const objects: KubeObject[] = [];
    let next: string | undefined;
    do {
      const words = { limit: String(pageSize), labelSelector: selector, continue: next };
      const page: Json = await this.#rest.call({ method: "GET", path: pathOf(kind, namespace) + query(words) });
      for (const item of page.items ?? []) objects.push({ ...item, apiVersion: kind.apiVersion, kind: kind.kind });
      next = page.metadata.continue || undefined;
    } while (next !== undefined);
    return objects;
  }

  create(object: KubeObject): Promise<KubeObject> {
    const path = pathOf(kindOf(object), object.metadata.namespace);
    return this.#rest.call({ method: "POST", path, headers: json, body: JSON.stringify(object) });
  }

  replace(object: KubeObject): Promise<KubeObject> {
    const path = pathOf(kindOf(object), object.metadata.namespace, object.metadata.name);
    return this.#rest.call({ method: "PUT", path, headers: json, body: JSON.stringify(object) });
  }

  async apply(object: KubeObject, live?: KubeObject): Promise<boolean> {
    if (live && isApplied(object, live)) return false;
    await this.#apply(marked(object));
    return true;
  }

  claim(object: KubeObject): Promise<void> {
    return this.#apply(object, undefined, "handover");
  }

  async applyStatus(object: KubeObject, live?: KubeObject): Promise<boolean> {
    if (live && same(object.status, live.status)) return false;
    await this.#apply(object, "status");
    return true;
  }

  async patchPodConditions(pod: KubeObject, conditions: readonly object[]): Promise<void> {
    const path = pathOf(kindOf(pod), pod.metadata.namespace, pod.metadata.name, "status");
    // Its uid: another pod of that name is not meant.
    const body = JSON.stringify({ metadata: { uid: pod.metadata.uid }, status: { conditions } });
    await absent(() => this.#rest.call({ method: "PATCH", path, headers: strategic, body }));
  }

  async annotatePod(pod: KubeObject, annotations: Readonly<Record<string, string | null>>): Promise<void> {
    const path = pathOf(kindOf(pod), pod.metadata.namespace, pod.metadata.name);
    const body = JSON.stringify({ metadata: { uid: pod.metadata.uid, annotations } });
    await absent(() => this.#rest.call({ method: "PATCH", path, headers: merge, body }));
  }

  async patchEvent(namespace: string, name: string, patch: object): Promise<void> {
    const path = `/apis/events.k8s.io/v1/namespaces/${namespace}/events/${name}`;
    await absent(() => this.#rest.call({ method: "PATCH", path, headers: merge, body: JSON.stringify(patch) }));
  }

  async remove(object: KubeObject): Promise<void> {
    const { namespace, name, uid } = object.metadata;
    const body = JSON.stringify({
      propagationPolicy: "Background",
      ...(uid === undefined ? {} : { preconditions: { uid } }),
    });
    await absent(() => this.#rest.call({ method: "DELETE", path: pathOf(kindOf(object), namespace, name), headers: json, body }));
  }

  async serves({ apiVersion, plural }: Kind): Promise<boolean> {
    const found = await absent(() =>
      this.#rest.call({ method: "GET", path: apiVersion.includes("/") ? `/apis/${apiVersion}` : "/api/v1" }),
    );
    return ((found as Json)?.resources ?? []).some((each: Json) => each.name === plural);
  }

  /** Each part of an object has a manager of its own, and so has what is handed over. */
  async #apply(object: KubeObject, part?: string, as = part): Promise<void> {
    const { namespace, name } = object.metadata;
    const words = query({ fieldManager: as === undefined ? this.#manager : `${this.#manager}-${as}`, force: "true" });
    const path = pathOf(kindOf(object), namespace, name, part) + words;
    await this.#rest.call({ method: "PATCH", path, headers: applied, body: JSON.stringify(object) });
  }
}

/** Both ways, so that what is no longer said is taken away; the order of fields means nothing. */
const same = (wanted: Json, live: Json) => holds(wanted, live) && holds(live, wanted);

/** What is not there is an answer, not an error; so is another object of its name. Any other conflict did nothing, and is tried again. */
async function absent<T>(call: () => Promise<T>): Promise<T | undefined> {
  try {
    return await call();
  } catch (thrown) {
    if (thrown instanceof Refused && (thrown.status === 404 || isAnother(thrown))) return undefined;
    throw thrown;
  }
}

/** As an apiserver says it: "Precondition failed: UID in precondition: …, UID in object meta: …". */
const isAnother = ({ status, reason, message }: Refused) => status === 409 && reason === "Conflict" && /\buid\b/i.test(message);
