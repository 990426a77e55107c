// lws: LeaderWorkerSets on a real control plane: their definition and webhooks as their module ships them, and their controller as a
// process of its own. The module is read where Go keeps it; nothing of it is copied.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse, parseAllDocuments } from "yaml";
import type { Kube } from "../../operator/kube/kube.ts";
import { kinds } from "../../operator/objects.ts";
import { root } from "../../tools/child.ts";
import { command } from "../../tools/command.ts";
import { findTool } from "../../tools/toolbox.ts";
import { Authority } from "./certificates.ts";
import type { Loose } from "./cluster-objects.ts";
import type { ControlPlane } from "./control-plane.ts";
import { send } from "./install.ts";
import { freePort } from "./ports.ts";
import { until } from "./until.ts";

export const lws = findTool("lws");

async function moduleFolder(): Promise<string> {
  const words = ["go", "list", "-m", "-f", "{{.Dir}}", "sigs.k8s.io/lws"];
  return (await command(words, "go does not know the module", { cwd: join(root, "tools/lws") })).trim();
}

/** The definition alone: objects are taken, and nobody acts on them. */
export async function defineLeaderWorkerSets(kube: Kube): Promise<void> {
  const folder = join(await moduleFolder(), "config/crd/bases");
  for (const file of readdirSync(folder)) {
    const { status, message } = await send(kube, "POST", parse(readFileSync(join(folder, file), "utf8")));
    if (status !== 201) throw new Error(`${file}: ${status} ${message}`);
  }
  await until("LeaderWorkerSets are served", () => kube.cluster.serves(kinds.LeaderWorkerSet), 60_000);
}

/** The controller, with the webhooks by which it sets defaults and tells pods who leads them. */
export async function runLeaderWorkerSets(plane: ControlPlane, kube: Kube): Promise<void> {
  if (lws.path === undefined) throw new Error(lws.missing);
  const [port, certDir] = [await freePort(), join(plane.folder, "lws")];
  const authority = await Authority.create("webhooks");
  const { cert, key } = await authority.issue({ hosts: ["127.0.0.1"] });
  mkdirSync(certDir);
  writeFileSync(join(certDir, "tls.crt"), cert);
  writeFileSync(join(certDir, "tls.key"), key, { mode: 0o600 });
  const config = join(certDir, "config.yaml");
  writeFileSync(
    config,
    JSON.stringify({
      ...{ apiVersion: "config.lws.x-k8s.io/v1alpha1", kind: "Configuration", internalCertManagement: { enable: false } },
      ...{ webhook: { port, host: "127.0.0.1", certDir }, metrics: { bindAddress: "0" }, health: { healthProbeBindAddress: "0" } },
      leaderElection: { leaderElect: false },
    }),
  );
  plane.run("lws", lws.path, ["--config", config]);
  const text = readFileSync(join(await moduleFolder(), "config/webhook/manifests.yaml"), "utf8");
  for (const document of parseAllDocuments(text)) {
    const made = document.toJS() as Loose;
    for (const hook of made.webhooks) {
      const { path } = hook.clientConfig.service;
      hook.clientConfig = { url: `https://127.0.0.1:${port}${path}`, caBundle: Buffer.from(authority.cert).toString("base64") };
      // As its own installation narrows them: pods of others are no business of theirs.
      if (path.endsWith("-pod"))
        hook.objectSelector = { matchExpressions: [{ key: "leaderworkerset.sigs.k8s.io/name", operator: "Exists" }] };
    }
    const { status, message } = await send(kube, "POST", made, "", `/apis/${made.apiVersion}/${made.kind.toLowerCase()}s`);
    if (status !== 201) throw new Error(`${made.kind}: ${status} ${message}`);
  }
}
