// install: what a person applies before the operator runs: custom resources, policies, roles, priorities, and namespaces of a test.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import type { Kube } from "../../operator/kube/kube.ts";
import { root } from "../../tools/child.ts";
import type { Loose } from "./cluster-objects.ts";
import { until } from "./until.ts";

const clusterWide =
  /^(Namespace|Node|CustomResourceDefinition|ValidatingAdmission|PriorityClass|Cluster|GPUClass|DeviceClass|ResourceSlice)/;

function pluralOf(kind: string): string {
  if (kind === "NetworkPolicy" || kind === "ValidatingAdmissionPolicy") return `${kind.toLowerCase().slice(0, -1)}ies`;
  return /(ss|x|ch)$/.test(kind.toLowerCase()) || kind === "ModelCache"
    ? `${kind.toLowerCase()}${kind === "ModelCache" ? "s" : "es"}`
    : `${kind.toLowerCase()}s`;
}

export async function send(
  kube: Kube,
  method: "POST" | "PUT" | "PATCH" | "DELETE",
  object: Loose,
  query = "",
  path?: string,
): Promise<{ status: number; message: string; body: Loose }> {
  const { apiVersion, kind, metadata } = object;
  const base = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const space = clusterWide.test(kind) ? "" : `/namespaces/${metadata?.namespace ?? "default"}`;
  const own = path ?? `${base}${space}/${pluralOf(kind)}${method === "POST" ? "" : `/${metadata.name}`}`;
  const headers = { "content-type": method === "PATCH" ? "application/merge-patch+json" : "application/json" };
  const wanted = { method, path: `${own}${query}`, headers, body: JSON.stringify(object) };
  const { status, stream } = await kube.connection.ask(wanted, AbortSignal.timeout(30_000));
  let text = "";
  for await (const part of stream) text += part;
  const body = JSON.parse(text) as Loose;
  return { status, message: body.message ?? "", body };
}

function documentsIn(folder: string): Loose[] {
  return readdirSync(join(root, folder))
    .filter((name) => name.endsWith(".yaml"))
    .flatMap((name) =>
      parseAllDocuments(readFileSync(join(root, folder, name), "utf8")).map((document) => document.toJS() as Loose),
    );
}

export async function installed(kube: Kube, namespaces: readonly string[]): Promise<void> {
  for (const name of ["slipstream-system", ...namespaces])
    await must(kube, { apiVersion: "v1", kind: "Namespace", metadata: { name } });
  for (const folder of ["charts/slipstream/install/crds", "charts/slipstream/install"])
    for (const object of documentsIn(folder)) await must(kube, object);
  const probe = {
    apiVersion: "slipstream.dev/v1alpha1",
    kind: "GPUClass",
    metadata: { name: "probe" },
    spec: { devicePlugin: "a.b/c", memory: "1Gi" },
  };
  await until(
    "the custom resources are served",
    async () => (await send(kube, "POST", probe, "?dryRun=All").catch(() => ({ status: 0 }))).status === 201,
    30_000,
  );
}

async function must(kube: Kube, object: Loose): Promise<void> {
  const { status, message } = await send(kube, "POST", object, "?fieldValidation=Strict");
  if (status !== 201) throw new Error(`${object.kind} ${object.metadata.name}: ${status} ${message}`);
}
