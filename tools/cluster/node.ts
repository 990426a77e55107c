// node: one machine of a cluster in a sandbox: a network of its own with a bridge for its pods, containerd and runc, a real kubelet and
// kube-proxy. Its files are in memory and go with the sandbox.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { again } from "./again.ts";
import { clusterDns, kubeconfigOf, kubeconfigs, podRange, serviceRange } from "./control.ts";
import { outsideAddress, type Sandbox } from "./sandbox.ts";

export interface NodePrograms {
  /** Kubelet and kube-proxy in one. */
  readonly machine: string;
  readonly containerd: string;
  readonly ctr: string;
  readonly plugins: string;
}

export const pauseImage = "localhost/pause:1";

export class ClusterNode {
  readonly name: string;
  readonly address: string;
  readonly #sandbox: Sandbox;
  readonly #programs: NodePrograms;
  readonly #number: number;

  constructor(sandbox: Sandbox, programs: NodePrograms, number: number) {
    this.#sandbox = sandbox;
    this.#programs = programs;
    this.#number = number;
    this.name = `node-${number}`;
    this.address = `10.99.0.${10 + number}`;
  }

  get #home(): string {
    return `/run/${this.name}`;
  }

  get #pods(): string {
    return `10.88.${this.#number}.0/24`;
  }

  /** A cable to the bridge outside, and the ways to pods and Services. */
  wire(): void {
    const { name, address } = this;
    const script = `
set -e
mkdir -p ${this.#home}/cni
ip netns add ${name}
ip link add ${name} type veth peer name eth0 netns ${name}
ip link set ${name} master nodes up
ip -n ${name} link set lo up
ip -n ${name} addr add ${address}/24 dev eth0
ip -n ${name} link set eth0 up
ip -n ${name} route add default via ${outsideAddress}
ip route add ${this.#pods} via ${address}
${this.#number === 1 ? `ip route add ${serviceRange} via ${address}` : ""}
nsenter --net=/run/netns/${name} sh -c 'echo 1 > /proc/sys/net/ipv4/ip_forward; echo 1 > /proc/sys/net/bridge/bridge-nf-call-iptables'
`;
    this.#sandbox.run(["bash", "-c", script]);
  }

  /** The runtime, with the images that its pods start from. Resolves when it has them all. */
  async startRuntime(archives: readonly string[]): Promise<void> {
    const { containerd, ctr, plugins } = this.#programs;
    const config = join(this.#sandbox.folder, `${this.name}-containerd.toml`);
    writeFileSync(config, containerdConfig(this.#home, plugins));
    writeFileSync(join(this.#sandbox.folder, `${this.name}-cni.json`), JSON.stringify(podNetwork(this.#home, this.#pods)));
    this.#sandbox.run(["cp", join(this.#sandbox.folder, `${this.name}-cni.json`), `${this.#home}/cni/10-pods.conflist`]);
    this.#sandbox.serve(`${this.name}-containerd`, [containerd, "--config", config], this.name);
    const control = [ctr, "--address", `${this.#home}/containerd.sock`, "--namespace", "k8s.io"];
    for (let waited = 0; this.#sandbox.try([...control, "version"]).status !== 0; waited += 100) {
      if (waited > 20_000)
        throw new Error(`containerd does not answer; its log is ${this.#sandbox.logOf(`${this.name}-containerd`)}`);
      await sleep(100);
    }
    for (const archive of archives) await this.#sandbox.runs([...control, "images", "import", archive]);
  }

  /** Kubelet and proxy, which begin anew if they end. The node says by itself when it is ready. */
  startKubelet(): void {
    const { machine } = this.#programs;
    const file = (name: string, text: string) => {
      const path = join(this.#sandbox.folder, `${this.name}-${name}`);
      writeFileSync(path, text, { mode: 0o600 });
      return path;
    };
    this.#sandbox.serve(
      `${this.name}-kubelet`,
      again([
        ...[machine, "kubelet", "--config", file("kubelet.json", JSON.stringify(kubeletConfig(this.#home, this.address)))],
        ...["--kubeconfig", file("kubeconfig", kubeconfigOf(kubeconfigs.node(this.name))), "--hostname-override", this.name],
        ...["--node-ip", this.address, "--root-dir", `${this.#home}/kubelet`],
      ]),
      this.name,
    );
    this.#sandbox.serve(
      `${this.name}-kube-proxy`,
      again([
        ...[machine, "kube-proxy", "--proxy-mode", "iptables", "--cluster-cidr", podRange, "--hostname-override", this.name],
        ...["--kubeconfig", file("proxy-kubeconfig", kubeconfigOf(kubeconfigs.proxy)), "--conntrack-max-per-core", "0"],
        ...["--conntrack-tcp-timeout-established", "0s", "--conntrack-tcp-timeout-close-wait", "0s"],
        ...["--iptables-min-sync-period", "100ms", "--iptables-sync-period", "30s"],
      ]),
      this.name,
    );
  }
}

const kubeletConfig = (home: string, address: string) => ({
  apiVersion: "kubelet.config.k8s.io/v1beta1",
  kind: "KubeletConfiguration",
  address,
  // Only what is in the sandbox reaches this address.
  authentication: { anonymous: { enabled: true }, webhook: { enabled: false } },
  authorization: { mode: "AlwaysAllow" },
  cgroupDriver: "cgroupfs",
  cgroupsPerQOS: false,
  enforceNodeAllocatable: [],
  failCgroupV1: false,
  failSwapOn: false,
  makeIPTablesUtilChains: false,
  clusterDNS: [clusterDns],
  clusterDomain: "cluster.local",
  resolvConf: "/run/cluster/resolv.conf",
  containerRuntimeEndpoint: `unix://${home}/containerd.sock`,
  podLogsDir: `/var/log/${home.slice("/run/".length)}`,
  evictionHard: { "memory.available": "1%", "nodefs.available": "1%", "imagefs.available": "1%" },
  imageGCHighThresholdPercent: 100,
  imageGCLowThresholdPercent: 99,
});

const podNetwork = (home: string, subnet: string) => ({
  cniVersion: "1.0.0",
  name: "pods",
  plugins: [
    {
      ...{ type: "bridge", bridge: "pods", isGateway: true, hairpinMode: true },
      ipam: {
        ...{ type: "host-local", dataDir: `${home}/addresses`, ranges: [[{ subnet }]] },
        routes: [{ dst: "0.0.0.0/0" }],
      },
    },
    { type: "portmap", capabilities: { portMappings: true } },
  ],
});

/** `restrict_oom_score_adj`: a machine that is itself a container may not lower the score. */
const containerdConfig = (home: string, plugins: string) => `version = 2
root = "${home}/containerd"
state = "${home}/containerd-state"
disabled_plugins = ["io.containerd.internal.v1.opt"]
[grpc]
  address = "${home}/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${pauseImage}"
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "${plugins}"
    conf_dir = "${home}/cni"
`;
