// pretended: machines of a cluster that are only said to be there, beside the real ones: kwok says what their kubelets would, by the
// stages of kwok-stages.yaml. For breadth: hundreds of GPUs and pods at the price of what is written of them. Each has eight GPUs and a
// taint, so that nothing goes there which does not ask for them; what runs there answers nobody.
import { join } from "node:path";
import { root } from "../child.ts";
import type { Sandbox } from "./sandbox.ts";

export const pretendedLabels = { "slipstream.dev/pretended": "true", "nvidia.com/gpu.product": "NVIDIA-L40S" } as const;
export const pretendedTaint = { key: "slipstream.dev/pretended", value: "true", effect: "NoSchedule" } as const;
export const pretendedGpus = 8;

export function startPretended(
  sandbox: Sandbox,
  programs: { readonly kwok: string; readonly kubectl: string },
  count: number,
): void {
  const kubeconfig = join(sandbox.folder, "kubeconfig");
  sandbox.serve("kwok", [
    ...[programs.kwok, "--kubeconfig", kubeconfig, "--config", join(root, "tools/cluster/kwok-stages.yaml")],
    ...["--manage-all-nodes=false", "--manage-nodes-with-label-selector=slipstream.dev/pretended=true"],
    "--node-lease-duration-seconds=40",
  ]);
  const nodes = { apiVersion: "v1", kind: "List", items: Array.from({ length: count }, (_, i) => pretendedNode(i + 1)) };
  sandbox.run([programs.kubectl, "--kubeconfig", kubeconfig, "apply", "-f", "-"], { input: JSON.stringify(nodes) });
}

function pretendedNode(number: number) {
  const name = `pretended-${number}`;
  const capacity = {
    cpu: "64",
    memory: "512Gi",
    pods: "110",
    "ephemeral-storage": "500Gi",
    "nvidia.com/gpu": String(pretendedGpus),
  };
  return {
    ...{ apiVersion: "v1", kind: "Node" },
    metadata: { name, labels: { "kubernetes.io/hostname": name, ...pretendedLabels } },
    spec: { taints: [pretendedTaint] },
    status: { capacity, allocatable: capacity },
  };
}
