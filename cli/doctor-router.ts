// doctor-router: what a running router says of itself in, what is wrong with it and what to do out.
import type { Status } from "../router/status.ts";
import type { Finding } from "./doctor-cluster.ts";

export function diagnoseRouter(status: Status): Finding[] {
  const name = `router ${status.router}`;
  const broken = (says: string, todo: string): Finding => ({ about: name, says, todo, grade: "broken" });
  const poor = (says: string, todo: string): Finding => ({ about: name, says, todo, grade: "poor" });
  const { links, workers, policy, bus, files, firstTextMs } = status;
  const draining = workers.filter((worker) => worker.draining);
  const problem = policy.problem;
  const waits = status.missing.filter((what) => what !== "draining");
  return [
    ...(links.all === 0
      ? [
          broken(
            "it knows no worker",
            "set SLIPSTREAM_ROUTER_WORKERS or SLIPSTREAM_ROUTER_WORKERS_DNS, or start a worker that announces itself on the bus",
          ),
        ]
      : []),
    ...(links.all > 0 && links.ready === 0
      ? [
          broken(
            `none of its ${links.all} workers answers`,
            "see whether they run, and whether both sides trust each other's certificates",
          ),
        ]
      : []),
    ...(links.ready > 0 && links.ready < links.all
      ? [poor(`${links.all - links.ready} of ${links.all} workers do not answer`, "read their logs")]
      : []),
    ...(workers.length > 0 && draining.length === workers.length
      ? [broken("every worker drains", "start others before these end")]
      : []),
    ...(problem
      ? [poor(`its policy document has a problem, and the last good one holds: ${problem}`, "correct the document")]
      : []),
    ...files
      .filter((file) => file.problem)
      .map((file) => poor(`${file.files}: ${file.problem}; what was read before holds`, "correct the file")),
    ...(!bus.connected
      ? [poor("the bus is away: signals between routers are missing, outcomes wait", "see whether the NATS servers run")]
      : []),
    ...(status.queued > 100 ? [poor(`${status.queued} triggers wait for a worker`, "add workers, or look at what they do")] : []),
    ...(firstTextMs.p95 !== null && firstTextMs.p95 > 1_000
      ? [poor(`first text takes ${firstTextMs.p95} ms at the 95th percentile`, "add workers, or a smaller model for typing")]
      : []),
    ...(status.missing.includes("draining")
      ? [poor("it is being taken out of service: its sessions go elsewhere", "end it, or let it stay: slipstream drain --undo")]
      : []),
    ...(waits.length > 0 && links.ready > 0 ? [broken(`it waits for ${waits.join(", ")}`, "read its log")] : []),
  ];
}
