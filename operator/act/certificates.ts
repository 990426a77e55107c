// certificates: the Secrets that pods mount for their links: there before the pods, renewed long before they end, and signed by
// who is believed now. Keys of callers are made once and kept: their text in one Secret, their hashes beside the certificate.
import { type Clock, wallOf, writtenTime } from "../../lib/clock.ts";
import { createKey, digestOf } from "../../lib/keys/key.ts";
import { adminTenant } from "../../lib/keys/key-ring.ts";
import type { Random } from "../../lib/random.ts";
import type { OperatorMetrics } from "../metrics.ts";
import { type Cluster, type KubeObject, kinds } from "../objects.ts";
import { labels, managedBy, type WantedCertificate } from "../pool.ts";
import { type AuthorityOptions, issue, type Kept, renewed, renewShare, type Signer, signerOf } from "./authority.ts";

interface Deps {
  readonly cluster: Pick<Cluster, "get" | "apply">;
  readonly clock: Clock;
  readonly random: Random;
  readonly metrics?: Pick<OperatorMetrics, "certificates_issued_total">;
  /** Key lines of those who may read the operator's own figures: they may read those of all that it runs. */
  readonly administrators?: () => string;
}

const untilAnnotation = "slipstream.dev/certificate-until";
const forAnnotation = "slipstream.dev/certificate-for";
const seenMax = 10_000;

export class Certificates {
  readonly #options: AuthorityOptions & { readonly namespace: string };
  readonly #deps: Deps;
  readonly #looked = new Map<string, number>();
  /** One at a time for a namespace: two would make two authorities. */
  readonly #authorities = new Map<string, Promise<Signer>>();

  constructor(options: AuthorityOptions & { readonly namespace: string }, deps: Deps) {
    this.#options = options;
    this.#deps = deps;
  }

  async ensure(wanted: WantedCertificate): Promise<void> {
    const { clock, cluster } = this.#deps;
    const key = `${wanted.namespace}/${wanted.secret}/${wanted.owner.metadata.uid}`;
    const looked = this.#looked.get(key);
    if (looked !== undefined && clock.now() - looked < this.#options.lookEveryMs) return;
    const live = await cluster.get(kinds.Secret, wanted.namespace, wanted.secret);
    const signer = await this.#signer(wanted.namespace);
    const lines = wanted.keys ? await this.#keys(wanted, wanted.keys) : undefined;
    const marked = [signer.id, wanted.commonName, ...wanted.hosts, lines ?? ""].join(" ");
    if (!live || !this.#stands(live, marked, wanted.owner)) await this.#issue(wanted, signer, marked, lines);
    if (this.#looked.size >= seenMax) this.#looked.clear();
    this.#looked.set(key, clock.now());
  }

  #stands(live: KubeObject, marked: string, owner: KubeObject): boolean {
    const { annotations = {}, ownerReferences = [] } = live.metadata;
    const until = wallOf(annotations[untilAnnotation] ?? "");
    const renewAt = until - this.#options.certificateMs * (1 - renewShare);
    const isOurs = ownerReferences.some(({ uid }) => uid === owner.metadata.uid);
    return (
      isOurs &&
      annotations[forAnnotation] === mark(marked) &&
      this.#deps.clock.wall() < renewAt &&
      live["data"]?.["tls.key"] !== undefined
    );
  }

  async #issue(wanted: WantedCertificate, signer: Signer, marked: string, lines: string | undefined): Promise<void> {
    const { clock, cluster, metrics } = this.#deps;
    const { certificateMs } = this.#options;
    const { cert, key } = await issue(signer, wanted, clock.wall(), certificateMs);
    const annotations = { [untilAnnotation]: writtenTime(clock.wall() + certificateMs), [forAnnotation]: mark(marked) };
    const data = { "tls.crt": cert, "tls.key": key, "ca.crt": signer.bundle, ...(lines === undefined ? {} : { keys: lines }) };
    await cluster.apply(secret(wanted, wanted.secret, data, annotations));
    metrics?.certificates_issued_total.inc({ for: wanted.owner.kind });
  }

  /** Lines of a key file; the keys' own text is kept in a Secret of its own and read back from there. */
  async #keys(wanted: WantedCertificate, { secret: name, tenant }: NonNullable<WantedCertificate["keys"]>): Promise<string> {
    const { cluster, random } = this.#deps;
    const live = await cluster.get(kinds.Secret, wanted.namespace, name);
    const names = tenant ? { admin: adminTenant, key: "default" } : { admin: adminTenant };
    const texts = Object.fromEntries(
      Object.keys(names).map((each) => [each, decode(live?.["data"]?.[each]) || createKey(random).text] as const),
    );
    const complete = Object.keys(names).every((each) => decode(live?.["data"]?.[each]) !== "");
    const isOurs = live?.metadata.ownerReferences?.some(({ uid }) => uid === wanted.owner.metadata.uid) ?? false;
    if (!complete || !isOurs) await cluster.apply(secret(wanted, name, texts, {}));
    const made = Object.entries(names)
      .map(([each, who]) => `${who} ${texts[each]?.split("_")[1]} sha256:${digestOf(texts[each] ?? "").toString("hex")}\n`)
      .join("");
    return `${made}${this.#deps.administrators?.() ?? ""}`;
  }

  #signer(namespace: string): Promise<Signer> {
    const before = this.#authorities.get(namespace) ?? Promise.resolve();
    const next = Promise.resolve(before)
      .catch(() => undefined)
      .then(() => this.#authority(namespace));
    this.#authorities.set(namespace, next);
    return next;
  }

  async #authority(namespace: string): Promise<Signer> {
    const { cluster, clock } = this.#deps;
    const name = `slipstream-links.${namespace}`;
    const live = await cluster.get(kinds.Secret, this.#options.namespace, name);
    const kept = Object.fromEntries(
      Object.entries(live?.["data"] ?? {}).map(([file, text]) => [file, decode(text as string)]),
    ) as Kept;
    const wanted = await renewed(kept, clock.wall(), this.#options);
    if (wanted !== kept)
      await cluster.apply({
        apiVersion: "v1",
        kind: "Secret",
        metadata: {
          name,
          namespace: this.#options.namespace,
          labels: { [labels.managed]: managedBy, [labels.component]: "authority" },
        },
        type: "Opaque",
        data: encoded(wanted as Record<string, string>),
      });
    return signerOf(wanted);
  }
}

function secret(
  { namespace, owner }: WantedCertificate,
  name: string,
  data: Record<string, string>,
  annotations: Record<string, string>,
): KubeObject {
  const { name: ownerName, uid = "" } = owner.metadata;
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: {
      ...{ name, namespace, annotations },
      labels: { "app.kubernetes.io/name": "slipstream", [labels.managed]: managedBy },
      ownerReferences: [
        { apiVersion: owner.apiVersion, kind: owner.kind, name: ownerName, uid, controller: true, blockOwnerDeletion: false },
      ],
    },
    type: "Opaque",
    data: encoded(data),
  };
}

const encoded = (data: Record<string, string>) =>
  Object.fromEntries(Object.entries(data).map(([file, text]) => [file, Buffer.from(text, "utf8").toString("base64")]));
const decode = (text: string | undefined) => (text === undefined ? "" : Buffer.from(text, "base64").toString("utf8"));
/** Annotations are for people too: the digest of what was asked for. */
const mark = (text: string) => digestOf(text).toString("hex").slice(0, 16);
