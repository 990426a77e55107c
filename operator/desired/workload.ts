// workload: what keeps a revision's pods there: a Deployment, or a LeaderWorkerSet where a worker is several pods. The operator
// shifts workers between revisions itself, so a revision's own template never changes and its own rollout never runs.
import type { Json, KubeObject } from "../objects.ts";
import { labels, type PoolSeen } from "../pool.ts";
import { own } from "./parts.ts";
import type { Template } from "./pool-template.ts";

const workloadName = (pool: string, revision: string) => `${pool}-${revision}`;

export function workload(seen: PoolSeen, template: Template, replicas: number): KubeObject {
  const { pool, spec } = seen;
  const name = pool.metadata.name;
  const ownLabels = { [labels.component]: "worker", [labels.pool]: name, [labels.revision]: template.revision };
  const pod = { metadata: template.metadata, spec: template.spec };
  const named = workloadName(name, template.revision);
  if (spec.parallelism.nodes > 1) return several(seen, pod, named, ownLabels, replicas);
  return {
    ...own("Deployment", pool, named, { labels: ownLabels }),
    spec: {
      replicas,
      revisionHistoryLimit: 0,
      // The operator's own deadline says more.
      progressDeadlineSeconds: 86_400,
      strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } },
      selector: { matchLabels: { [labels.pool]: name, [labels.revision]: template.revision } },
      template: pod,
    },
  };
}

/** The leader has the agent; the others are engines that follow it. */
function several(
  { pool, spec }: PoolSeen,
  pod: Json,
  name: string,
  ownLabels: Record<string, string>,
  replicas: number,
): KubeObject {
  const { readinessGates: _, ...follower } = pod.spec;
  const engine = pod.spec.containers.find((container: Json) => container.name === "engine");
  const { startupProbe: __, livenessProbe: ___, ports: ____, ...bare } = engine;
  const { lead, follow } = spec.engine.type === "TensorRTLLM" ? byRay(engine) : byRank(engine, spec.parallelism.nodes);
  const leads = pod.spec.containers.map((container: Json) => (container === engine ? { ...container, ...lead } : container));
  return {
    ...own("LeaderWorkerSet", pool, name, { labels: ownLabels }),
    spec: {
      replicas,
      rolloutStrategy: { type: "RollingUpdate", rollingUpdateConfiguration: { maxSurge: 0, maxUnavailable: 1 } },
      leaderWorkerTemplate: {
        size: spec.parallelism.nodes,
        // A worker that lost one of its pods has lost its model.
        restartPolicy: "RecreateGroupOnPodRestart",
        leaderTemplate: { metadata: pod.metadata, spec: { ...pod.spec, containers: leads } },
        workerTemplate: {
          metadata: { ...pod.metadata, labels: { ...pod.metadata.labels, [labels.component]: "worker-follower" } },
          spec: { ...follower, containers: [{ ...bare, ...follow }] },
        },
      },
    },
  };
}

interface Joined {
  /** Of the leader's engine, and of those that follow it. */
  readonly lead: Json;
  readonly follow: Json;
}

/** vLLM's engines know each other by rank and the leader's address. */
function byRank({ args }: Json, nodes: number): Joined {
  const rank = (own: string) => [...["--nnodes", String(nodes), "--master-addr", "$(LWS_LEADER_ADDRESS)", "--node-rank", own]];
  return { lead: { args: [...args, ...rank("0")] }, follow: { args: [...args, "--headless", ...rank("$(LWS_WORKER_INDEX)")] } };
}

const rayPort = "6379";

/** TensorRT-LLM's leader begins a Ray cluster and serves on all of it; the others are its GPUs and nothing else. */
function byRay({ command, args }: Json): Joined {
  const begin = `ray start --head --port=${rayPort} --disable-usage-stats && exec "$@"`;
  return {
    lead: { command: ["/bin/sh", "-ec", begin, "lead", ...command], args },
    follow: {
      command: ["ray", "start", `--address=$(LWS_LEADER_ADDRESS):${rayPort}`, "--disable-usage-stats", "--block"],
      args: [],
    },
  };
}
