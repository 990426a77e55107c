// burst: a cluster in, a pool of pretend GPUs in it that follows its load out, and `slipstream bench burst` typed at it from outside.
import { spawn } from "node:child_process";
import type { Cluster } from "./cluster.ts";

const burstPool = "docs/examples/burst-pool.yaml";
const service = "burst";

/** The chart, the pool and its service, until they are ready; and beside the cluster's own files what a person needs to type at it. */
export function installBurst(cluster: Cluster, say: (line: string) => void): void {
  for (const line of [
    'helm install slipstream charts/slipstream -n slipstream-system --create-namespace -f charts/slipstream/values-dev.yaml -f "$IMAGES" --wait --timeout 10m',
    `kubectl apply -f ${burstPool}`,
    `kubectl wait --for=condition=Ready completionservice/${service} -n code --timeout=10m`,
    `kubectl get secret ${service}-keys -n code -o jsonpath='{.data.key}' | base64 -d > ${fileOf(cluster, "key")}`,
    `kubectl get secret ${service}-router-tls -n code -o jsonpath='{.data.ca\\.crt}' | base64 -d > ${fileOf(cluster, "crt")}`,
  ]) {
    say(line.slice(0, 90));
    cluster.shell(line);
  }
}

const fileOf = ({ sandbox }: Cluster, kind: "key" | "crt") => `${sandbox.folder}/${service}.${kind}`;

/** Says what it says as it goes; resolves with its exit status. */
export function benchBurst(cluster: Cluster, words: readonly string[]): Promise<number> {
  const reach = ["--address", `${service}.code.svc:7411`, "--ca", fileOf(cluster, "crt"), "--token", `@${fileOf(cluster, "key")}`];
  const [program = "", ...rest] = cluster.sandbox.inside([
    ...[process.execPath, "bin/slipstream.js", "bench", "burst", ...reach],
    ...["--namespace", "code", "--pool", "elastic", ...words],
  ]);
  const child = spawn(program, rest, { stdio: ["ignore", "inherit", "inherit"], env: { ...process.env, ...cluster.env } });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve(code ?? 128));
  });
}
