// bench-burst: `slipstream bench burst`: how a pool of a cluster follows when three times as many people type for a while.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type BurstReport, benchBurst } from "../bench/burst/burst.ts";
import { burstPage, row } from "../bench/burst/page.ts";
import { systemClock } from "../lib/clock.ts";
import { SlipstreamError } from "../lib/errors.ts";
import { silentLog } from "../lib/log.ts";
import { systemRandom } from "../lib/random.ts";
import { findTarget, Kube } from "../operator/kube/kube.ts";
import type { Command } from "./command.ts";
import { interruption, milliseconds, options, refuseWords, whole } from "./options.ts";
import { reachHelp, reachOf, reachOptions } from "./reaching.ts";

const help = `Usage: slipstream bench burst --address HOST:PORT --pool NAME [OPTIONS]

People type at a service of a cluster; then three times as many do; then as few again. Out comes what they saw and how the
pool followed, second by second: load, workers wanted and ready as the cluster's API has them, first text at p95 as people
had it, what was late and what failed; a page with plots, and figures. Nothing in the cluster is changed but by the
operator. \`npm run cluster -- burst\` makes a cluster for it on this machine. docs/operations/scaling.md defines the figures.

Options:
  --address HOST:PORT    of the service (default 127.0.0.1:7411)
  --namespace NAME       where the pool is (default: of the kubeconfig's context)
  --pool NAME            WorkerPool that serves them
  --people N             before and after (default 8)
  --burst N              meanwhile (default three times as many)
  --rise TIME            within which the others come (default 10s)
  --before TIME, --for TIME, --after TIME
                         how long each phase lasts (default 130s, 150s, 150s)
  --deadline TIME        of each trigger; what is late counts with it (default 500ms)
  --seed N               what is typed, by whom and when (default 1)
  --kubeconfig FILE, --context NAME
                         how the cluster is reached (default $KUBECONFIG)
${reachHelp}
  --out DIR              where the page with plots and the figures go (default reports/burst)
  --json                 one JSON object instead of a table

Example:
  slipstream bench burst --address acme.code.svc:7411 --ca acme.crt --token @acme.key --namespace code --pool inline-7b
`;

export const benchBurstCommand: Command = async (args, io) => {
  const { values, positionals } = options(args, {
    address: { type: "string", default: "127.0.0.1:7411" },
    namespace: { type: "string" },
    pool: { type: "string", default: "" },
    people: { type: "string", default: "8" },
    burst: { type: "string" },
    rise: { type: "string", default: "10s" },
    before: { type: "string", default: "130s" },
    for: { type: "string", default: "150s" },
    after: { type: "string", default: "150s" },
    deadline: { type: "string", default: "500ms" },
    seed: { type: "string", default: "1" },
    kubeconfig: { type: "string", default: "" },
    context: { type: "string", default: "" },
    ...reachOptions(io.env),
    out: { type: "string", default: "reports/burst" },
    json: { type: "boolean", default: false },
  });
  if (values.help) {
    io.out(help);
    return 0;
  }
  refuseWords(positionals);
  if (values.pool === "") throw new SlipstreamError("invalid_request", "--pool: which WorkerPool is wanted", { field: "pool" });
  const people = whole("people", values.people, 1, 2_000);
  const burst = values.burst === undefined ? 3 * people : whole("burst", values.burst, 1, 6_000);
  if (burst < people)
    throw new SlipstreamError("invalid_request", `--burst: ${burst} are fewer than the ${people} of --people`, { field: "burst" });
  const target = findTarget({ path: values.kubeconfig, context: values.context, env: io.env }, systemClock);
  const deps = { target, clock: systemClock, random: systemRandom(), log: silentLog };
  const kube = new Kube({ manager: "slipstream-bench" }, deps);
  try {
    const report = await benchBurst(
      {
        ...reachOf(values.address, values),
        ...{ namespace: values.namespace ?? target.namespace, pool: values.pool, people, burst },
        riseMs: milliseconds("rise", values.rise, 600_000),
        beforeMs: milliseconds("before", values.before, 3_600_000),
        burstMs: milliseconds("for", values.for, 3_600_000),
        afterMs: milliseconds("after", values.after, 3_600_000),
        deadlineMs: milliseconds("deadline", values.deadline, 60_000),
        seed: whole("seed", values.seed, 0, 1e6),
      },
      { cluster: kube.cluster, say: io.complain, signal: interruption(io) },
    );
    mkdirSync(values.out, { recursive: true });
    const page = join(values.out, "burst.html");
    writeFileSync(page, burstPage(report));
    writeFileSync(join(values.out, "burst.json"), `${JSON.stringify(report)}\n`);
    io.complain(`plots: ${page}`);
    io.out(values.json ? `${JSON.stringify(report)}\n` : drawn(report));
    return 0;
  } finally {
    await kube.close();
  }
};

function drawn({ phases, workers, recovered_s: recovered, first_worker_s: first, failed, slo_ms: sloMs }: BurstReport): string {
  const head = ["phase", "triggers", "a second", "with text", "p50 ms", "p95 ms", "late", "failed", "held"];
  const rows = [head, ...(["before", "burst", "after"] as const).map((name) => [name, ...row(phases[name])])];
  const lines = rows.map((cells) =>
    cells.map((cell, i) => (i === 0 ? String(cell).padEnd(8) : String(cell).padStart(10))).join(""),
  );
  const back =
    recovered === null
      ? `p95 did not come back within ${sloMs} ms while it lasted`
      : recovered === 0
        ? `p95 stayed within ${sloMs} ms`
        : `p95 within ${sloMs} ms again, for half a minute, ${recovered} s after it began`;
  return `${lines.join("\n")}
workers that serve: ${workers.before} before, ${workers.most} at most, ${workers.after} at the end; one more ${first === null ? "never" : `after ${first} s`}
${back}; ${failed} triggers failed
`;
}
