// cluster: `npm run cluster -- up|down|list|run|burst`: a whole Kubernetes on this machine, with this checkout's image on its nodes.
import { spawnSync } from "node:child_process";
import { parseArgs } from "node:util";
import { bring } from "./bring.ts";
import { benchBurst, installBurst } from "./cluster/burst.ts";
import { Cluster, clusterNames } from "./cluster/cluster.ts";
import { imageName } from "./cluster/image.ts";
import { clusterToolNames } from "./cluster/programs.ts";

const say = (line: string) => void process.stdout.write(`${line}\n`);
const usage = `usage: npm run cluster -- up [NAME] [--nodes N] [--pretended N]
                                                 start one (default name: dev, default nodes: 1), and beside them nodes of eight
                                                 GPUs that are only said to be there (default: none)
       npm run cluster -- run NAME COMMAND…      a command beside it, with kubectl, helm and grpcurl at hand
       npm run cluster -- list | down [NAME]     what there is; end one, with everything in it
       npm run cluster -- burst [OPTION…]        one with a pool of pretend GPUs, three times as many people for a while, and its end;
                                                 options of \`slipstream bench burst\``;

const [verb = "", ...rest] = process.argv.slice(2);
try {
  if (verb === "up") await up(rest);
  else if (verb === "down") await Cluster.down(rest[0] ?? "dev");
  else if (verb === "list") say(clusterNames().join("\n") || "none");
  else if (verb === "burst") await burst(rest);
  else if (verb === "run" && rest.length > 1) runIn(rest[0] as string, rest.slice(1));
  else {
    say(usage);
    process.exitCode = 64;
  }
} catch (thrown) {
  say((thrown as Error).message);
  process.exitCode = 69;
}

async function up(words: readonly string[]): Promise<void> {
  const { nodes, pretended, names } = asked(words);
  const [name = "dev", ...more] = names;
  const fits = (value: number, least: number, most: number) => Number.isInteger(value) && value >= least && value <= most;
  if (more.length > 0 || !/^[a-z][a-z0-9-]{0,30}$/.test(name) || !fits(nodes, 1, 8) || !fits(pretended, 0, 1_000)) {
    say(usage);
    process.exitCode = 64;
    return;
  }
  for (const tool of [...clusterToolNames, ...(pretended > 0 ? (["kwok"] as const) : [])]) await bring(tool, { say });
  const began = performance.now();
  const { cluster, image } = await Cluster.up(name, { nodes, pretended, say });
  say(cluster.kubectl(["get", "nodes", "-l", "!slipstream.dev/pretended"]).trimEnd());
  if (pretended > 0) say(`and ${pretended} that are only said to be there: kubectl get nodes -l slipstream.dev/pretended`);
  say(`up after ${Math.round((performance.now() - began) / 1_000)} s; the image is ${imageName}:${image.tag}`);
}

function asked(words: readonly string[]): { nodes: number; pretended: number; names: string[] } {
  try {
    const options = { nodes: { type: "string", default: "1" }, pretended: { type: "string", default: "0" } } as const;
    const { values, positionals } = parseArgs({ args: [...words], options, allowPositionals: true });
    return { nodes: Number(values.nodes), pretended: Number(values.pretended), names: positionals };
  } catch {
    return { nodes: Number.NaN, pretended: 0, names: [] };
  }
}

async function burst(words: readonly string[]): Promise<void> {
  for (const tool of clusterToolNames) await bring(tool, { say });
  // The bench hears an interrupt itself; the cluster is taken away after it.
  process.on("SIGINT", () => undefined);
  const { cluster } = await Cluster.up(`burst-${process.pid}`, { nodes: 2, say });
  try {
    installBurst(cluster, say);
    process.exitCode = await benchBurst(cluster, words);
  } finally {
    await cluster[Symbol.asyncDispose]();
  }
}

function runIn(name: string, words: readonly string[]): void {
  const cluster = Cluster.find(name);
  const [program = "", ...more] = cluster.sandbox.inside(words);
  const { status } = spawnSync(program, more, { stdio: "inherit", env: { ...process.env, ...cluster.env } });
  process.exitCode = status ?? 128;
}
