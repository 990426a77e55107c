// sandbox: a folder in, a place on this machine out where a whole cluster can run: network, processes, mounts and control groups of
// its own, which go with its first process. Two sandboxes know nothing of each other and use the same addresses. Linux, as root.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, openSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { command } from "../command.ts";

/** Where the first process and everything outside the nodes lives: the "outside" of the cluster. */
export const outsideAddress = "10.99.0.1";

const cpuShares = 12 * 1024;
const groupsRoot = "/sys/fs/cgroup";

/** Version 1 hierarchies, as they are mounted here. A cluster of containers needs them; version 2 wants another kubelet set-up. */
function hierarchies(): string[] {
  const lines = readFileSync("/proc/self/cgroup", "utf8").trim().split("\n");
  return lines
    .map((line) => line.split(":")[1] ?? "")
    .filter((names) => names !== "")
    .map((names) => names.replace(/^name=/, ""))
    .filter((names) => existsSync(join(groupsRoot, names)));
}

/** The first process: makes the place, then only buries orphans. */
const init = `
set -e
folder=$1; shift
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/netns /run/lock /run/cluster /run/empty
mount -t tmpfs tmpfs /var/log
mkdir -p /var/lib/cni && mount -t tmpfs tmpfs /var/lib/cni
printf 'nameserver ${outsideAddress}\\nsearch svc.cluster.local cluster.local\\noptions ndots:3\\n' > /run/cluster/resolv.conf
mount --bind /run/cluster/resolv.conf "$(readlink -f /etc/resolv.conf)"
umount -R ${groupsRoot}
mount -t tmpfs -o mode=755 tmpfs ${groupsRoot}
for each in "$@"; do
  case $each in systemd) what=none,name=systemd;; *) what=$each;; esac
  mkdir ${groupsRoot}/$each && mount -t cgroup -o $what cgroup ${groupsRoot}/$each
done
mount --make-rshared /
ip link set lo up
ip link add nodes type bridge
ip addr add ${outsideAddress}/24 dev nodes
ip link set nodes up
echo 1 > /proc/sys/net/ipv4/ip_forward
touch "$folder/ready"
while :; do sleep 3600 & wait $!; done
`;

export class Sandbox {
  readonly folder: string;
  readonly pid: number;
  readonly #groups: readonly string[];

  private constructor(folder: string, pid: number) {
    this.folder = folder;
    this.pid = pid;
    this.#groups = hierarchies().map((name) => join(groupsRoot, name, basename(folder)));
  }

  /** In a folder that nobody else has; what it says goes there. */
  static async start(folder: string): Promise<Sandbox> {
    const names = hierarchies();
    if (!names.includes("memory")) throw new Error("a cluster of containers needs control groups of version 1, with memory");
    if (process.getuid?.() !== 0) throw new Error("a cluster of containers needs root");
    mkdirSync(folder, { recursive: true });
    for (const name of names) {
      const group = join(groupsRoot, name, basename(folder));
      mkdirSync(group, { recursive: true });
      // It is many processes, and would get the time of one where the machine is busy.
      if (name === "cpu") writeFileSync(join(group, "cpu.shares"), String(cpuShares));
      if (name !== "cpuset") continue;
      for (const file of ["cpuset.cpus", "cpuset.mems"])
        writeFileSync(join(group, file), readFileSync(join(groupsRoot, name, file), "utf8"));
    }
    const log = openSync(join(folder, "sandbox.log"), "a");
    const unshare = ["unshare", "--net", "--mount", "--pid", "--ipc", "--uts", "--cgroup", "--fork", "--mount-proc"];
    const words = [...unshare, "bash", "-c", init, "cluster", folder, ...names];
    const child = spawn("bash", ["-c", joining(folder, names), "_", ...words], { detached: true, stdio: ["ignore", log, log] });
    child.unref();
    for (let waited = 0; !existsSync(join(folder, "ready")); waited += 20) {
      if (child.exitCode !== null || waited > 20_000) {
        if (child.exitCode === null) process.kill(-(child.pid as number), "SIGKILL");
        throw new Error(`no sandbox: ${readFileSync(join(folder, "sandbox.log"), "utf8").trim()}`);
      }
      await sleep(20);
    }
    const pid = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, "utf8").trim();
    writeFileSync(join(folder, "pid"), pid);
    return new Sandbox(folder, Number(pid));
  }

  /** One that runs already, perhaps started by another process. */
  static find(folder: string): Sandbox | undefined {
    const file = join(folder, "pid");
    if (!existsSync(file)) return undefined;
    const pid = Number(readFileSync(file, "utf8"));
    const alive = existsSync(`/proc/${pid}`) && readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(folder);
    return alive ? new Sandbox(folder, pid) : undefined;
  }

  /** What a broken start or an ended one left: for `end`. */
  static remains(folder: string): Sandbox {
    return Sandbox.find(folder) ?? new Sandbox(folder, 0);
  }

  /** A command as it runs inside; `node` puts it into that node's network. */
  inside(words: readonly string[], node?: string): string[] {
    const within = node === undefined ? [] : ["nsenter", `--net=/run/netns/${node}`, "--"];
    const enter = ["nsenter", "--target", String(this.pid), "--all", `--wdns=${process.cwd()}`, "--", ...within, ...words];
    return ["bash", "-c", joining(this.folder, hierarchies()), "_", ...enter];
  }

  /** To its end; throws what it said when it fails. */
  run(words: readonly string[], options: { node?: string; input?: string; env?: Record<string, string> } = {}): string {
    const { status, stdout, stderr } = this.try(words, options);
    if (status !== 0)
      throw new Error(`${words.slice(0, 6).join(" ")}: ${stderr.trim() || stdout.trim() || `ended with ${status}`}`);
    return stdout;
  }

  try(words: readonly string[], options: { node?: string; input?: string; env?: Record<string, string> } = {}) {
    const [program = "", ...rest] = this.inside(words, options.node);
    const env = { ...process.env, ...options.env };
    const { status, stdout, stderr } = spawnSync(program, rest, {
      encoding: "utf8",
      env,
      input: options.input ?? "",
      maxBuffer: 64 << 20,
    });
    return { status, stdout, stderr };
  }

  /** As `run`, beside other work. */
  async runs(words: readonly string[]): Promise<string> {
    return command(this.inside(words), words.slice(0, 6).join(" "));
  }

  /** Something that runs on; what it says goes to NAME.log. */
  serve(name: string, words: readonly string[], node?: string): ChildProcess {
    const [program = "", ...rest] = this.inside(words, node);
    const log = openSync(this.logOf(name), "a");
    const child = spawn(program, rest, { detached: true, stdio: ["ignore", log, log], env: { ...process.env, GOMAXPROCS: "2" } });
    child.unref();
    return child;
  }

  /** For a caller that reads along. */
  open(words: readonly string[], env: Record<string, string> = {}): ChildProcess {
    const [program = "", ...rest] = this.inside(words);
    return spawn(program, rest, { stdio: ["pipe", "pipe", "pipe"], env: { ...process.env, ...env } });
  }

  logOf(name: string): string {
    return join(this.folder, `${name}.log`);
  }

  /** Ends the first process and with it all others, and takes away the control groups. Files stay for whoever made the folder. */
  async end(): Promise<void> {
    if (this.pid > 0 && existsSync(`/proc/${this.pid}`)) process.kill(this.pid, "SIGKILL");
    for (let waited = 0; this.#groups.some(existsSync); waited += 50) {
      for (const group of this.#groups) removeGroup(group);
      if (waited > 20_000) throw new Error(`control groups stay behind: ${this.#groups.filter(existsSync).join(", ")}`);
      await sleep(50);
    }
  }
}

/** Enters the sandbox's control groups before anything else, so that what follows is counted and ended with them. */
const joining = (folder: string, names: readonly string[]) =>
  `${names.map((name) => `echo $$ > ${join(groupsRoot, name, basename(folder), "cgroup.procs")}`).join("\n")}\nexec "$@"`;

function removeGroup(group: string): void {
  if (!existsSync(group)) return;
  try {
    for (const entry of readdirSync(group, { withFileTypes: true })) if (entry.isDirectory()) removeGroup(join(group, entry.name));
    rmdirSync(group);
  } catch {
    // Somebody in it has not ended yet: tried again.
  }
}

export const removeFolder = (folder: string) => rmSync(folder, { recursive: true, force: true });
