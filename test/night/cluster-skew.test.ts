// Routers and operator of this release with agents of an older one, through the chart and on real kubelets: they serve together, and the
// agents' upgrade costs nobody who types a completion. SLIPSTREAM_E2E_OLDER names another commit than the one before the contract's last
// change.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { root } from "../../tools/child.ts";
import { Cluster } from "../../tools/cluster/cluster.ts";
import { imageName } from "../../tools/cluster/image.ts";
import { clusterToolsHere } from "../../tools/cluster/programs.ts";
import { comes, condition, json, People, readmeCommands, restarts, teller } from "../support/cluster.ts";
import type { Loose } from "../support/cluster-objects.ts";
import { OlderCheckout, olderRef } from "../support/older.ts";

const { install: lines } = readmeCommands();
const ref = clusterToolsHere() ? await olderRef() : undefined;

describe.skipIf(ref === undefined)("with agents of an older release", () => {
  let cluster: Cluster;
  let [older, newer] = ["", ""];
  const tell = teller();

  beforeAll(async () => {
    await using checkout = await OlderCheckout.of(ref as string);
    const up = await Cluster.up(`skew-${process.pid}`, { nodes: 2, say: tell, also: [checkout.folder] });
    cluster = up.cluster;
    [older, newer] = [up.others[0]?.tag ?? "", up.image.tag];
    tell(`agents of ${(ref as string).slice(0, 10)} are ${imageName}:${older}, all else is ${newer}`);
  }, 900_000);
  afterAll(async () => {
    cluster?.shell("rm -f dev.key dev.crt");
    await cluster?.[Symbol.asyncDispose]();
  }, 60_000);

  /** What an older agent does not know is not asked of it: a warm-up of its engine came with the contract's last change. */
  const example = () =>
    parseAllDocuments(readFileSync(join(root, "docs/examples/cpu-dev-pool.yaml"), "utf8"))
      .map((document) => document.toJS() as Loose)
      .map((object) =>
        object.kind === "WorkerPool" ? { ...object, spec: { ...object.spec, startup: { warmup: { requests: 0 } } } } : object,
      );
  const agents = () =>
    (json(cluster, "get", "pods", "-n", "code", "-l", "app.kubernetes.io/component=worker").items as Loose[]).map(
      ({ spec }) => spec.containers.find(({ name }: Loose) => name === "agent").image as string,
    );

  test("the service is ready, completes from outside, and an upgrade of the agents costs nobody a completion", async () => {
    expect(older).not.toBe(newer);
    const [install = ""] = lines;
    cluster.shell(
      `${install} --set workers.image.repository=${imageName},workers.image.tag=${older},workers.image.pullPolicy=Never`,
    );
    for (const object of example()) cluster.kubectl(["apply", "-f", "-"], JSON.stringify(object));
    for (const line of lines.filter((each) => /^kubectl (wait|get secret)/.test(each))) cluster.shell(line);
    tell("the service is ready");
    expect(new Set(agents())).toEqual(new Set([`${imageName}:${older}`]));
    const complete = lines.find((each) => each.includes("slipstream complete")) ?? "";
    expect(cluster.shell(complete.replace(/^npx slipstream/, `${process.execPath} bin/slipstream.js`)).trim()).not.toBe("");
    cluster.kubectl(["scale", "wp", "dev", "-n", "code", "--replicas=2"]);
    await comes(
      "two workers serve",
      () => json(cluster, "get", "wp", "dev", "-n", "code").status.readyReplicas,
      (n) => n === 2,
    );
    const people = new People(cluster, "dev.code.svc.cluster.local:7411", 3);
    tell("people type, with agents of the older release");
    cluster.shell(install.replace("helm install", "helm upgrade"));
    await comes(
      "every agent is of this release",
      agents,
      (images) => images.every((image) => image === `${imageName}:${newer}`),
      240_000,
    );
    await comes(
      "the service is ready",
      () => condition(cluster, "cps", "dev"),
      (is) => is.startsWith("True"),
    );
    const tally = await people.end();
    tell(`people stopped: ${JSON.stringify(tally)}`);
    expect(tally.asked).toBeGreaterThan(50);
    expect(tally.failures).toEqual([]);
    expect(restarts(cluster)).toEqual([]);
  }, 900_000);
});
