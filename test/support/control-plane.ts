// control-plane: a real kube-apiserver with etcd on free loopback ports, and where a test asks for them controller-manager,
// scheduler and pretended nodes; all ended with the test that asked for them.
import { type ChildProcess, spawn } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { createWriteStream, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../lib/clock.ts";
import { silentLog } from "../../lib/log.ts";
import { systemRandom } from "../../lib/random.ts";
import { Kube, type Target } from "../../operator/kube/kube.ts";
import { root } from "../../tools/child.ts";
import { findTool } from "../../tools/toolbox.ts";
import { freePort } from "./ports.ts";
import { until } from "./until.ts";

export const controlPlane = findTool("kubernetes");
export const kwok = findTool("kwok");

const adminToken = "administrator-of-the-test";

export class ControlPlane implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), "slipstream-cluster-"));
  readonly #children = new Map<string, ChildProcess>();
  #apiserver: readonly string[] = [];
  port = 0;

  static async start(): Promise<ControlPlane> {
    const made = new ControlPlane();
    try {
      await made.#start();
    } catch (thrown) {
      const said = made.logOf("kube-apiserver").split("\n").slice(-15).join("\n");
      await made[Symbol.asyncDispose]();
      throw new Error(`${(thrown as Error).message}\n${said}`);
    }
    return made;
  }

  async #start(): Promise<void> {
    const [client, peer] = [await freePort(), await freePort()];
    this.port = await freePort();
    const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const file = (name: string, text: string) => {
      writeFileSync(join(this.folder, name), text, { mode: 0o600 });
      return join(this.folder, name);
    };
    const key = file("sa.key", privateKey.export({ type: "pkcs8", format: "pem" }).toString());
    const pub = file("sa.pub", publicKey.export({ type: "spki", format: "pem" }).toString());
    const tokens = file("tokens.csv", `${adminToken},admin,admin,system:masters\n`);
    const audit = file(
      "audit.yaml",
      "apiVersion: audit.k8s.io/v1\nkind: Policy\nomitStages: [RequestReceived]\nrules:\n- level: Metadata\n  verbs: [create, update, patch, delete]\n",
    );
    const url = (port: number) => `http://127.0.0.1:${port}`;
    this.#spawn("etcd", [
      ...["--data-dir", join(this.folder, "etcd"), "--unsafe-no-fsync", "--listen-client-urls", url(client)],
      ...["--advertise-client-urls", url(client), "--listen-peer-urls", url(peer)],
      ...["--initial-advertise-peer-urls", url(peer), "--initial-cluster", `default=${url(peer)}`, "--log-level", "warn"],
    ]);
    this.#apiserver = [
      ...["--etcd-servers", url(client), "--cert-dir", join(this.folder, "certs"), "--secure-port", String(this.port)],
      ...["--bind-address", "127.0.0.1", "--advertise-address", "127.0.0.1", "--service-cluster-ip-range", "10.0.0.0/24"],
      ...[
        "--authorization-mode",
        "RBAC",
        "--token-auth-file",
        tokens,
        "--service-account-issuer",
        "https://kubernetes.default.svc",
      ],
      ...["--service-account-key-file", pub, "--service-account-signing-key-file", key, "--endpoint-reconciler-type", "none"],
      ...["--audit-policy-file", audit, "--audit-log-path", join(this.folder, "audit.log"), "--audit-log-mode", "blocking"],
      // Pods of a test carry no token.
      ...["--disable-admission-plugins", "ServiceAccount", "--v", "0"],
    ];
    this.#spawn("kube-apiserver", this.#apiserver);
    await until("the apiserver is ready", () => this.#isReady(), 90_000);
    file(
      "kubeconfig",
      `apiVersion: v1
kind: Config
current-context: test
contexts: [{ name: test, context: { cluster: test, user: admin } }]
clusters: [{ name: test, cluster: { server: "https://127.0.0.1:${this.port}", certificate-authority: ${this.caFile} } }]
users: [{ name: admin, user: { token: ${adminToken} } }]
`,
    );
  }

  get caFile(): string {
    return join(this.folder, "certs", "apiserver.crt");
  }

  get kubeconfig(): string {
    return join(this.folder, "kubeconfig");
  }

  target(token = adminToken, namespace = "slipstream-system"): Target {
    const tls = async () => ({ ca: readFileSync(this.caFile, "utf8") });
    return { server: `https://127.0.0.1:${this.port}`, namespace, tls, token: async () => token };
  }

  kube(token = adminToken): Kube {
    return new Kube(
      { manager: "test", rest: { perSecond: 1_000, burst: 1_000 } },
      { target: this.target(token), clock: systemClock, random: systemRandom(), log: silentLog },
    );
  }

  /** Writes that the apiserver carried out, by whom. */
  audited(): {
    readonly verb: string;
    readonly user: string;
    readonly agent: string;
    readonly uri: string;
    readonly code: number;
  }[] {
    return readFileSync(join(this.folder, "audit.log"), "utf8")
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line))
      .map(({ verb, user, userAgent, requestURI, responseStatus }) => ({
        ...{ verb, user: user.username, agent: userAgent, uri: requestURI, code: responseStatus?.code },
      }));
  }

  /** Deployments, garbage, quotas. */
  async controllers(): Promise<void> {
    this.#spawn("kube-controller-manager", [
      ...[
        "--kubeconfig",
        this.kubeconfig,
        "--leader-elect=false",
        "--controllers",
        "*,-node-ipam-controller,-node-lifecycle-controller",
      ],
      ...[
        "--secure-port",
        String(await freePort()),
        "--bind-address",
        "127.0.0.1",
        "--horizontal-pod-autoscaler-sync-period",
        "5s",
      ],
    ]);
  }

  async scheduler(): Promise<void> {
    const port = String(await freePort());
    this.#spawn("kube-scheduler", [
      "--kubeconfig",
      this.kubeconfig,
      "--leader-elect=false",
      "--secure-port",
      port,
      "--bind-address",
      "127.0.0.1",
    ]);
  }

  /** Every node is pretended, by the stages of tools/cluster/kwok-stages.yaml. */
  async pretend(): Promise<void> {
    if (kwok.path === undefined) throw new Error(kwok.missing);
    this.#run("kwok", kwok.path, [
      ...["--kubeconfig", this.kubeconfig, "--config", join(root, "tools/cluster/kwok-stages.yaml")],
      ...["--manage-all-nodes=true", "--node-lease-duration-seconds=40"],
    ]);
  }

  /** Another controller, at home in this plane's folder: it is given the kubeconfig. */
  run(name: string, program: string, words: readonly string[]): void {
    this.#run(name, program, words);
  }

  async restartApiserver(): Promise<void> {
    await this.#kill("kube-apiserver");
    this.#spawn("kube-apiserver", this.#apiserver);
    await until("the apiserver is ready again", () => this.#isReady(), 90_000);
  }

  logOf(name: string): string {
    const path = join(this.folder, `${name}.log`);
    return existsSync(path) ? readFileSync(path, "utf8") : "";
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const name of [...this.#children.keys()].reverse()) await this.#kill(name);
    rmSync(this.folder, { recursive: true, force: true });
  }

  async #isReady(): Promise<boolean> {
    const child = this.#children.get("kube-apiserver");
    if (child?.exitCode !== null) throw new Error("the apiserver ended");
    if (!existsSync(this.caFile)) return false;
    const kube = this.kube();
    try {
      const { stream, status } = await kube.connection.ask(
        { method: "GET", path: "/readyz", headers: { authorization: `Bearer ${adminToken}` } },
        AbortSignal.timeout(2_000),
      );
      stream.resume();
      return status === 200;
    } catch {
      return false;
    } finally {
      await kube.close();
    }
  }

  #spawn(part: string, words: readonly string[]): void {
    if (controlPlane.path === undefined) throw new Error(controlPlane.missing);
    this.#run(part, controlPlane.path, [part, ...words]);
  }

  #run(name: string, program: string, words: readonly string[]): void {
    const child = spawn(program, words, {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, GOMAXPROCS: "2", KUBECONFIG: this.kubeconfig },
    });
    const log = createWriteStream(join(this.folder, `${name}.log`), { flags: "a" });
    child.stdout?.pipe(log, { end: false });
    child.stderr?.pipe(log, { end: false });
    process.once("exit", () => void child.kill("SIGKILL"));
    this.#children.set(name, child);
  }

  async #kill(name: string): Promise<void> {
    const child = this.#children.get(name);
    this.#children.delete(name);
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
  }
}
