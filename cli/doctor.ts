// doctor: `slipstream doctor`: looks at a cluster, or at what runs on this machine, and says in sentences what is wrong and what to
// do. Changes nothing.
import { systemClock } from "../lib/clock.ts";
import { SlipstreamError } from "../lib/errors.ts";
import { silentLog } from "../lib/log.ts";
import { systemRandom } from "../lib/random.ts";
import { findTarget, Kube } from "../operator/kube/kube.ts";
import { type Cluster, type Kind, type KubeObject, kinds } from "../operator/objects.ts";
import type { Status } from "../router/status.ts";
import { adminJson, noAdminPort } from "./admin.ts";
import type { Command } from "./command.ts";
import { diagnose, type Finding, type Snapshot } from "./doctor-cluster.ts";
import { diagnoseRouter } from "./doctor-router.ts";
import { options, refuseWords } from "./options.ts";
import { reachHelp, reachOf, reachOptions } from "./reaching.ts";

const help = `Usage: slipstream doctor [OPTIONS]

Says what is wrong and what to do: of the Kubernetes cluster that your kubeconfig names, or with --up of the router that
runs on this machine. Ends with 0 when nothing is broken, else with 69.

Options:
  --namespace NAME       only this namespace (default: all)
  --kubeconfig FILE      (default: $KUBECONFIG, ~/.kube/config)
  --context NAME         context of the kubeconfig
  --operator NAMESPACE   where the operator's lease is (default slipstream-system)
  --up                   the router of this machine, by its admin port
  --address HOST:PORT    that port (default 127.0.0.1:7413, or SLIPSTREAM_ADMIN_ADDRESS)
  --json                 the same as one JSON object
${reachHelp}

Examples:
  slipstream doctor
  slipstream doctor --up
`;

export const doctor: Command = async (args, io) => {
  const { values, positionals } = options(args, {
    ...{ namespace: { type: "string" }, kubeconfig: { type: "string", default: "" }, context: { type: "string", default: "" } },
    operator: { type: "string", default: "slipstream-system" },
    up: { type: "boolean", default: false },
    address: { type: "string", default: io.env["SLIPSTREAM_ADMIN_ADDRESS"] ?? "127.0.0.1:7413" },
    ...reachOptions(io.env),
    json: { type: "boolean", default: false },
  } as const);
  if (values.help) {
    io.out(help);
    return 0;
  }
  refuseWords(positionals);
  const findings = values.up ? await router() : await cluster();
  io.out(values.json ? `${JSON.stringify({ findings })}\n` : drawn(findings));
  return findings.some(({ grade }) => grade === "broken") ? 69 : 0;

  async function router(): Promise<Finding[]> {
    const reach = reachOf(String(values.address), values);
    const found = (await adminJson(reach, "/status")) as Status | undefined;
    if (found?.ready === undefined) throw noAdminPort(reach);
    return diagnoseRouter(found);
  }

  /** Whoever has no cluster most often means the router of this machine. */
  function hinted<T>(find: () => T): T {
    try {
      return find();
    } catch (thrown) {
      const error = SlipstreamError.from(thrown);
      if (values.kubeconfig !== "") throw error;
      throw new SlipstreamError(error.code, `${error.message}; "npx slipstream doctor --up" looks at the router of this machine`);
    }
  }

  async function cluster(): Promise<Finding[]> {
    const target = hinted(() => findTarget({ path: values.kubeconfig, context: values.context, env: io.env }, systemClock));
    const deps = { target, clock: systemClock, random: systemRandom(), log: silentLog };
    const kube = new Kube({ manager: "slipstream-doctor", rest: { triesMax: 2 } }, deps);
    try {
      return diagnose(await look(kube.cluster, { namespace: values.namespace, operator: values.operator }));
    } finally {
      await kube.close();
    }
  }
};

/** Reads what may be read; what may not is told. No answer at all is an error. */
export async function look(cluster: Cluster, where: { namespace: string | undefined; operator: string }): Promise<Snapshot> {
  const unread = new Map<string, string>();
  const list = async (kind: Kind, selector?: string): Promise<readonly KubeObject[]> => {
    try {
      return await cluster.list(kind, kind.namespaced ? where.namespace : undefined, selector);
    } catch (thrown) {
      const error = SlipstreamError.from(thrown);
      if (error.code === "unavailable" || error.code === "unauthenticated" || error.code === "config") throw error;
      unread.set(kind.kind, error.code === "not_found" ? "not found" : error.message);
      return [];
    }
  };
  const managed = "app.kubernetes.io/managed-by=slipstream";
  const [pools, services, caches, gpuClasses] = [
    await list(kinds.WorkerPool),
    await list(kinds.CompletionService),
    await list(kinds.ModelCache),
    await list(kinds.GPUClass),
  ];
  const [nodes, pods, priorityClasses] = [await list(kinds.Node), await list(kinds.Pod, managed), await list(kinds.PriorityClass)];
  const lease = await cluster.get(kinds.Lease, where.operator, "slipstream-operator").catch((thrown: unknown) => {
    unread.set("Lease", SlipstreamError.from(thrown).message);
    return undefined;
  });
  return { unread, pools, services, caches, gpuClasses, nodes, pods, priorityClasses, lease, wallMs: systemClock.wall() };
}

function drawn(findings: readonly Finding[]): string {
  if (findings.length === 0) return "Nothing is wrong.\n";
  const lines = findings.map(
    ({ grade, about, says, todo }) => `${grade === "broken" ? "BROKEN" : "poor  "}  ${about}: ${says}\n        → ${todo}`,
  );
  const many = findings.filter(({ grade }) => grade === "broken").length;
  return `${lines.join("\n")}\n\n${many === 0 ? "Nothing is broken" : `${many} ${many === 1 ? "thing is" : "things are"} broken`}, ${findings.length - many} could be better.\n`;
}
