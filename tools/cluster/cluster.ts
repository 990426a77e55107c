// cluster: a name and an image in, a whole Kubernetes on this machine out: a control plane, real nodes with real pods, names and
// Services, in a sandbox of its own. One call up, one down, nothing left; any number side by side.
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { tool } from "../tool-table.ts";
import { startControlPlane } from "./control.ts";
import { type Archive, buildImage, imageName, natsArchive, natsImage, pauseArchive } from "./image.ts";
import { ClusterNode } from "./node.ts";
import { startPretended } from "./pretended.ts";
import { type ClusterPrograms, clusterPrograms, programOf } from "./programs.ts";
import { removeFolder, Sandbox } from "./sandbox.ts";

export interface ClusterOptions {
  /** Real nodes, each with a kubelet. */
  readonly nodes: number;
  /** Beside them so many that are only said to be there. */
  readonly pretended?: number;
  readonly say: (line: string) => void;
  /** Other checkouts of the project, whose images the nodes are given as well. */
  readonly also?: readonly string[];
}

function clustersFolder(env: NodeJS.ProcessEnv = process.env): string {
  return join(env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "slipstream", "clusters");
}

export const clusterNames = (folder = clustersFolder()): string[] => (existsSync(folder) ? readdirSync(folder) : []);

const imageValues = (tag: string) => `operator: { image: { repository: ${imageName}, tag: "${tag}", pullPolicy: Never } }
nats: { image: { repository: ${natsImage}, tag: "${tool("nats-server").version}", pullPolicy: Never } }
`;

export class Cluster implements AsyncDisposable {
  readonly sandbox: Sandbox;
  readonly programs: ClusterPrograms;

  private constructor(sandbox: Sandbox, programs: ClusterPrograms) {
    this.sandbox = sandbox;
    this.programs = programs;
  }

  static async up(
    name: string,
    { nodes, pretended = 0, say, also = [] }: ClusterOptions,
  ): Promise<{ cluster: Cluster; image: Archive; others: readonly Archive[] }> {
    const folder = join(clustersFolder(), name);
    if (existsSync(folder)) throw new Error(`there is a cluster ${name} already; \`npm run cluster -- down ${name}\` ends it`);
    const programs = clusterPrograms();
    const kwok = pretended > 0 ? programOf("kwok") : "";
    const image = await buildImage(programs, say);
    const others: Archive[] = [];
    for (const from of also) others.push(await buildImage(programs, say, { from }));
    const nats = await natsArchive(programs, tool("nats-server").version);
    const archives = [await pauseArchive(programs, say), image.path, ...others.map(({ path }) => path), nats];
    mkdirSync(folder, { recursive: true });
    const sandbox = await Sandbox.start(folder).catch((error: Error) => {
      removeFolder(folder);
      throw error;
    });
    const cluster = new Cluster(sandbox, programs);
    writeFileSync(join(folder, "images.yaml"), imageValues(image.tag));
    const stop = () => process.kill(sandbox.pid, "SIGKILL");
    process.once("SIGINT", stop);
    try {
      await cluster.#start(nodes, archives, say);
      if (pretended > 0) startPretended(sandbox, { ...programs, kwok }, pretended);
    } catch (thrown) {
      say(`the cluster did not start; its logs stay in ${folder} until \`npm run cluster -- down ${name}\``);
      await sandbox.end();
      throw thrown;
    } finally {
      process.removeListener("SIGINT", stop);
    }
    return { cluster, image, others };
  }

  static find(name: string): Cluster {
    const sandbox = Sandbox.find(join(clustersFolder(), name));
    if (!sandbox) throw new Error(`no cluster ${name} runs here; there are: ${clusterNames().join(", ") || "none"}`);
    return new Cluster(sandbox, clusterPrograms());
  }

  /** Ends a cluster, or what a broken start left of one. */
  static async down(name: string): Promise<void> {
    const folder = join(clustersFolder(), name);
    await Sandbox.remains(folder).end();
    removeFolder(folder);
  }

  async #start(count: number, archives: readonly string[], say: (line: string) => void): Promise<void> {
    const nodes = Array.from({ length: count }, (_, i) => new ClusterNode(this.sandbox, this.programs, i + 1));
    for (const node of nodes) node.wire();
    say("starting the control plane, and importing the image into each node");
    const importing = Promise.all(nodes.map((node) => node.startRuntime(archives)));
    await startControlPlane(
      this.sandbox,
      this.programs,
      nodes.map(({ name }) => name),
    );
    await importing;
    say("starting kubelets");
    for (const node of nodes) node.startKubelet();
    const wait = ["wait", "--for=condition=Ready", "--timeout=60s", ...nodes.map(({ name }) => `node/${name}`)];
    for (let waited = 0; this.sandbox.try(this.#kubectl(wait)).status !== 0; waited += 500) {
      if (waited > 60_000) throw new Error("the nodes do not become ready");
      await sleep(500);
    }
  }

  #kubectl(words: readonly string[]): string[] {
    return [this.programs.kubectl, "--kubeconfig", join(this.sandbox.folder, "kubeconfig"), ...words];
  }

  /** As an administrator, from outside the nodes. */
  kubectl(words: readonly string[], input?: string): string {
    return this.sandbox.run(this.#kubectl(words), input === undefined ? {} : { input });
  }

  /** The environment of a person beside the cluster: kubectl, helm and this checkout's program. */
  get env(): Record<string, string> {
    const own = [this.programs.kubectl, this.programs.helm, this.programs.grpcurl].map((path) =>
      path.slice(0, path.lastIndexOf("/")),
    );
    const home = join(this.sandbox.folder, "home");
    mkdirSync(home, { recursive: true });
    return {
      ...{ KUBECONFIG: join(this.sandbox.folder, "kubeconfig"), PATH: `${own.join(":")}:${process.env["PATH"]}`, NO_COLOR: "1" },
      // Values that name the images on the nodes.
      IMAGES: join(this.sandbox.folder, "images.yaml"),
      ...{ HELM_CACHE_HOME: home, HELM_CONFIG_HOME: home, HELM_DATA_HOME: home },
    };
  }

  /** A line of a shell, as that person types it; what it prints. */
  shell(line: string, env: Record<string, string> = {}): string {
    return this.sandbox.run(["bash", "-eo", "pipefail", "-c", line], { env: { ...this.env, ...env } });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Cluster.down(basename(this.sandbox.folder));
  }
}
