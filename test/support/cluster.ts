// cluster: what the suites on real kubelets ask of one: what stands in it, what a pool says of itself, and whether anything is left.
import type { ChildProcess } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { systemClock } from "../../lib/clock.ts";
import { root } from "../../tools/child.ts";
import type { Cluster } from "../../tools/cluster/cluster.ts";
import type { Loose } from "./cluster-objects.ts";

export const json = (cluster: Cluster, ...words: string[]): Loose => JSON.parse(cluster.kubectl([...words, "-o", "json"]));

export function condition(cluster: Cluster, kind: string, name: string, type = "Ready"): string {
  const found = json(cluster, "get", kind, name, "-n", "code").status?.conditions?.find((each: Loose) => each.type === type);
  return found ? `${found.status} ${found.reason}: ${found.message}` : "not told yet";
}

/** Asks again until it is so, and throws what it was last. A kubelet and its machine take their time: nothing here is timed. */
export async function comes<T>(what: string, ask: () => T, holds: (seen: T) => boolean, timeoutMs = 120_000): Promise<T> {
  const end = performance.now() + timeoutMs;
  for (let said = ""; ; ) {
    try {
      const seen = ask();
      if (holds(seen)) return seen;
      said = typeof seen === "string" ? seen : JSON.stringify(seen);
    } catch (thrown) {
      said = (thrown as Error).message;
    }
    if (performance.now() > end) throw new Error(`${what}: not within ${timeoutMs} ms; last: ${said.slice(0, 2_000)}`);
    await sleep(400);
  }
}

/** Operators that began anew, with the reason that they gave at their end. */
export function restarts(cluster: Cluster): string[] {
  const pods = json(cluster, "get", "pods", "-n", "slipstream-system", "-l", "app.kubernetes.io/component=operator");
  return (pods.items as Loose[]).flatMap(({ metadata, status }) =>
    (status.containerStatuses as Loose[])
      .filter(({ restartCount }) => restartCount > 0)
      .map(({ restartCount, lastState }) => `${metadata.name} ${restartCount} times: ${JSON.stringify(lastState)}`),
  );
}

/** Commands of the README's section on clusters, a line each: those that bring a service, and those that take it away. */
export function readmeCommands(): { readonly install: readonly string[]; readonly uninstall: readonly string[] } {
  const [, section = ""] = readFileSync(join(root, "README.md"), "utf8").split("\n## On a cluster\n");
  const blocks = [...(section.split("\n## ")[0] as string).matchAll(/^```sh\n([\s\S]*?)^```/gm)];
  const [, install = [], uninstall = []] = blocks.map((match) => (match[1] ?? "").trim().split("\n"));
  return { install, uninstall };
}

/** The chart, a ready service and the keys of who completes there, by the README's commands. */
export function installService(cluster: Cluster): void {
  const needed = /^(helm install|kubectl (apply|wait|get secret))/;
  for (const line of readmeCommands().install.filter((each) => needed.test(each))) cluster.shell(line);
}

/** Says what was reached, and the seconds until then. */
export function teller(): (what: string) => void {
  const beganMs = systemClock.now();
  return (what) => process.stdout.write(`  ${Math.round((systemClock.now() - beganMs) / 1_000)} s: ${what}\n`);
}

export interface PeopleTally {
  readonly asked: number;
  readonly reconnects: number;
  readonly ended: Readonly<Record<string, number>>;
  readonly failures: readonly { readonly at: string; readonly end: string; readonly detail: string }[];
}

/** People who type at a service from outside the nodes until they are told to stop. */
export class People {
  readonly #child: ChildProcess;
  readonly #said: Promise<string>;

  constructor(cluster: Cluster, address: string, number: number) {
    const words = [process.execPath, "test/e2e/people.mjs", address, String(number), "dev.crt", "dev.key"];
    const child = cluster.sandbox.open(words, cluster.env);
    let [out, err] = ["", ""];
    child.stdout?.on("data", (data: Buffer) => {
      out += data;
    });
    child.stderr?.on("data", (data: Buffer) => {
      err += data;
    });
    this.#child = child;
    this.#said = new Promise((resolve, reject) =>
      child.on("close", (code) => (code === 0 ? resolve(out) : reject(new Error(`people ended with ${code}: ${err}`)))),
    );
    this.#said.catch(() => undefined);
  }

  async end(): Promise<PeopleTally> {
    this.#child.stdin?.end();
    return JSON.parse(await this.#said) as PeopleTally;
  }
}
