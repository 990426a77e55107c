// control: a control plane in a sandbox, outside the nodes as in most clusters: etcd, apiserver, controller-manager, scheduler and the
// cluster's DNS. Nodes and proxies come with an identity and rights of their own.
import { generateKeyPairSync } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { outsideAddress, type Sandbox } from "./sandbox.ts";

export const serviceRange = "10.96.0.0/16";
export const podRange = "10.88.0.0/16";
const dnsAddress = "10.96.0.10";
export const clusterDns = dnsAddress;
const data = "/run/cluster";
const apiserver = `https://${outsideAddress}:6443`;

export interface Programs {
  readonly kubernetes: string;
  readonly kubectl: string;
  readonly coredns: string;
}

const adminToken = "administrator-of-this-cluster";
const nodeToken = (node: string) => `node-${node}`;
const proxyToken = "proxy-of-every-node";

export const kubeconfigOf = (token: string) => `apiVersion: v1
kind: Config
current-context: here
contexts: [{ name: here, context: { cluster: here, user: here } }]
clusters: [{ name: here, cluster: { server: "${apiserver}", certificate-authority: ${data}/certs/apiserver.crt } }]
users: [{ name: here, user: { token: ${token} } }]
`;

export const kubeconfigs = { admin: adminToken, node: nodeToken, proxy: proxyToken } as const;

/** Resolves when the apiserver is ready and the cluster's DNS answers. */
export async function startControlPlane(sandbox: Sandbox, programs: Programs, nodes: readonly string[]): Promise<void> {
  const { folder } = sandbox;
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text, { mode: 0o600 });
    return join(folder, name);
  };
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const key = file("sa.key", privateKey.export({ type: "pkcs8", format: "pem" }).toString());
  const pub = file("sa.pub", publicKey.export({ type: "spki", format: "pem" }).toString());
  const people = [
    `${adminToken},admin,admin,system:masters`,
    `${proxyToken},system:kube-proxy,proxy,system:authenticated`,
    ...nodes.map((node) => `${nodeToken(node)},system:node:${node},${node},system:nodes`),
  ];
  const tokens = file("tokens.csv", `${people.join("\n")}\n`);
  const admin = file("kubeconfig", kubeconfigOf(adminToken));
  const part = (name: string, words: readonly string[]) => sandbox.serve(name, [programs.kubernetes, name, ...words]);
  const etcd = "http://127.0.0.1:2379";
  part("etcd", [
    ...["--data-dir", `${data}/etcd`, "--unsafe-no-fsync", "--listen-client-urls", etcd, "--advertise-client-urls", etcd],
    ...["--log-level", "warn"],
  ]);
  part("kube-apiserver", [
    ...["--etcd-servers", etcd, "--cert-dir", `${data}/certs`, "--secure-port", "6443", "--bind-address", outsideAddress],
    ...["--advertise-address", outsideAddress, "--service-cluster-ip-range", serviceRange, "--allow-privileged=true"],
    ...["--authorization-mode", "Node,RBAC", "--enable-admission-plugins", "NodeRestriction", "--token-auth-file", tokens],
    ...["--service-account-issuer", "https://kubernetes.default.svc", "--service-account-key-file", pub],
    ...["--service-account-signing-key-file", key, "--kubelet-preferred-address-types", "InternalIP"],
  ]);
  const kubectl = (...words: string[]) => [programs.kubectl, "--kubeconfig", admin, ...words];
  for (let waited = 0; sandbox.try(kubectl("get", "--raw", "/readyz")).status !== 0; waited += 200) {
    if (waited > 90_000) throw new Error(`the apiserver is not ready; its log is ${sandbox.logOf("kube-apiserver")}`);
    await sleep(200);
  }
  part("kube-controller-manager", [
    ...["--kubeconfig", admin, "--leader-elect=false", "--service-account-private-key-file", key],
    ...["--root-ca-file", `${data}/certs/apiserver.crt`, "--controllers", "*,-node-ipam-controller", "--bind-address", "127.0.0.1"],
  ]);
  part("kube-scheduler", ["--kubeconfig", admin, "--leader-elect=false", "--bind-address", "127.0.0.1"]);
  startDns(sandbox, programs, admin);
  sandbox.run(kubectl("apply", "-f", "-"), { input: JSON.stringify(dnsService) });
}

/** The cluster's names, answered outside the nodes: for pods by the Service kube-dns, for everybody outside by its own address. */
function startDns(sandbox: Sandbox, programs: Programs, kubeconfig: string): void {
  const corefile = join(sandbox.folder, "Corefile");
  // A name that is not the cluster's does not exist: nothing is asked of the machine's own servers.
  const text = `cluster.local:53 in-addr.arpa:53 {
  bind ${outsideAddress}
  errors
  kubernetes cluster.local in-addr.arpa {
    kubeconfig ${kubeconfig}
    ttl 2
  }
}
.:53 {
  bind ${outsideAddress}
  template ANY ANY . {
    rcode NXDOMAIN
  }
}
`;
  writeFileSync(corefile, text);
  sandbox.serve("coredns", [programs.coredns, "-conf", corefile]);
}

const port = (protocol: "UDP" | "TCP", more: object = {}) => ({
  name: `dns-${protocol.toLowerCase()}`,
  port: 53,
  protocol,
  ...more,
});
const dnsService = {
  apiVersion: "v1",
  kind: "List",
  items: [
    {
      ...{ apiVersion: "v1", kind: "Service", metadata: { name: "kube-dns", namespace: "kube-system" } },
      spec: { clusterIP: dnsAddress, ports: [port("UDP"), port("TCP")] },
    },
    {
      ...{ apiVersion: "discovery.k8s.io/v1", kind: "EndpointSlice" },
      metadata: {
        ...{ name: "kube-dns-outside", namespace: "kube-system" },
        labels: { "kubernetes.io/service-name": "kube-dns", "endpointslice.kubernetes.io/managed-by": "cluster" },
      },
      addressType: "IPv4",
      endpoints: [{ addresses: [outsideAddress], conditions: { ready: true } }],
      ports: [port("UDP"), port("TCP")],
    },
  ],
};
