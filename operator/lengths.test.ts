import { expect, test } from "vitest";
import { type Loose, pool } from "../test/support/cluster-objects.ts";
import { live, podOf, poolSeen } from "../test/support/pool-seen.ts";
import { decideGuessing, decidePool, guessingNothing, withLengths } from "./decide/decide.ts";
import { lengthAt } from "./decide/lengths/table.ts";
import { poolTemplate } from "./desired/desired.ts";
import { costAnnotation, letGoCost, type PoolSeen } from "./pool.ts";
import { poolStatus } from "./report/pool-status.ts";
import type { LoadSecond } from "./scaling.ts";

const chance = 0.58;
const headed = { method: "MTP", numTokens: 4, schedule: "Auto" };
const rollout = { canary: { weight: 50, holdFor: "1m", abortOn: ["Restarts"] } };

const idle = { outstanding: 0, kvBlocksUsed: 0, acceptance: undefined };

/** A pool of two workers, minute by minute through the pure parts of the operator's path; its pods serve a minute after they were asked for. */
class Told {
  minute = 0;
  /** As it is read: only what a test changes of its spec is read anew. */
  #seen: PoolSeen;
  readonly #leaving = new Map<string, number>();
  readonly #letGo = new Set<string>();
  readonly object: Loose;
  workloads: Loose[] = [];
  pods: Loose[] = [];
  readonly reasons: string[] = [];
  readonly revisions: string[] = [];
  template: ReturnType<typeof poolTemplate> | undefined;

  constructor(engine: Loose, speculative: Loose = headed) {
    const gpu = { classRef: "l40s" };
    this.object = pool((p) => Object.assign(p.spec, { engine: { slots: 32, ...engine }, speculative, gpu, rollout }));
    const seen = poolSeen(this.object);
    const ready = { status: "True", reason: "Complete", message: "" };
    this.#seen = { ...seen, caches: new Map([...seen.caches].map(([name, cache]) => [name, { ...cache, ready }])) };
  }

  annotate(annotations: Record<string, string>): this {
    this.object.spec.podTemplate = { annotations };
    this.#seen = { ...this.#seen, spec: poolSeen(this.object).spec };
    return this;
  }

  pass(minutes: number, more: { routers?: boolean; accepted?: number } = {}): this {
    for (let i = 0; i < minutes; i++) this.#minute(more);
    return this;
  }

  #minute({ routers = true, accepted }: { routers?: boolean; accepted?: number }): void {
    this.minute += 1;
    const wallMs = this.minute * 60_000;
    const atOnce = Math.floor(this.minute / 10) % 2 === 0 ? 2 : 24;
    const occupiedMs = 100 * Math.max(1, (atOnce * 5) / 40) + 24;
    const seconds = Array.from({ length: 60 }, (_, at): LoadSecond => {
      const arrivals = (2_000 * atOnce) / occupiedMs;
      return { atMs: wallMs - (59 - at) * 1_000, queued: 0, inFlight: 2 * atOnce, arrivals, workers: 2 };
    });
    const length = lengthAt(this.object.status?.speculative?.byBatch ?? [{ upTo: 32, numTokens: 4 }], atOnce);
    const right = Array.from({ length }, (_, place) => chance ** (place + 1)).reduce((sum, each) => sum + each, 0);
    const share = accepted ?? right / length;
    const drafts = { drafted: 10_000, accepted: Math.round(10_000 * share), shares: [share] };
    const told: PoolSeen = {
      ...{ ...this.#seen, pool: live(this.object) },
      ...{ wallMs, workloads: this.workloads, pods: this.pods, ledSinceMs: 0, seconds: routers ? seconds : [] },
      heard: new Set(this.pods.map(({ metadata }) => metadata.name)),
      says: new Map(this.pods.map(({ metadata: { name } }) => [name, { ...idle, leaving: this.#leaving.has(name) }])),
      figures: { p95Ms: undefined, attainment: () => undefined, acceptance: share, drafts },
    };
    const guessing = decideGuessing(told);
    const seen = guessing.on ? told : guessingNothing(told);
    this.template = poolTemplate(withLengths(seen));
    const { revision } = this.template;
    const verdict = decidePool(seen, revision, guessing);
    if (verdict.lengths?.told) this.reasons.push(verdict.lengths.told.reason);
    if (this.revisions.at(-1) !== revision) this.revisions.push(revision);
    this.object.status = JSON.parse(JSON.stringify(poolStatus(seen, verdict)));
    for (const { metadata } of verdict.leaving.begin) this.#leaving.set(metadata.name, wallMs);
    for (const { metadata } of verdict.leaving.letGo) this.#letGo.add(metadata.name);
    this.pods = verdict.shares.flatMap(({ revision: of, replicas }) => this.#podsOf(of, replicas));
    this.workloads = verdict.shares.map((share, at) => ({
      ...{ apiVersion: "apps/v1", kind: "Deployment", spec: { replicas: share.replicas } },
      metadata: { name: share.revision, creationTimestamp: String(at), labels: { "slipstream.dev/revision": share.revision } },
    }));
  }

  /** Who leaves goes first; who came the minute before serves by now. */
  #podsOf(revision: string, replicas: number): Loose[] {
    const own = this.pods.filter(({ metadata }) => metadata.labels["slipstream.dev/revision"] === revision);
    const isGoing = ({ metadata: { name } }: Loose) => Number(this.#leaving.has(name));
    const kept = own.sort((one, other) => isGoing(one) - isGoing(other)).slice(0, replicas);
    const old = kept.map(({ metadata: { name } }) =>
      podOf(revision, name, {
        leavingSince: this.#leaving.get(name),
        annotations: this.#letGo.has(name) ? { [costAnnotation]: letGoCost } : {},
      }),
    );
    const fresh = Array.from({ length: replicas - kept.length }, (_, at) =>
      podOf(revision, `${revision}-${this.minute}-${at}`, { ready: false, bornMs: this.minute * 60_000 }),
    );
    return [...old, ...fresh];
  }

  get serving(): string[] {
    return [...new Set(this.pods.map(({ metadata }) => metadata.labels["slipstream.dev/revision"] as string))];
  }
}

const lengths = [
  { upTo: 2, numTokens: 4 },
  { upTo: 3, numTokens: 3 },
  { upTo: 12, numTokens: 2 },
  { upTo: 32, numTokens: 1 },
];

test("a pool that leaves lengths to the operator gets them by one revision, and vLLM is told them", () => {
  const told = new Told({ type: "VLLM", version: "0.32.0" }).pass(80);
  const [first, second] = told.revisions;
  expect([told.revisions.length, told.serving, told.reasons]).toEqual([2, [second], ["LengthsTaken"]]);
  expect(first).not.toBe(second);
  expect(told.object.status.speculative).toMatchObject({ byBatch: lengths });
  const args: string[] = told.template?.spec.containers.find(({ name }: Loose) => name === "engine").args;
  expect(JSON.parse(args[args.indexOf("--speculative-config") + 1] ?? "")).toMatchObject({
    num_speculative_tokens: 4,
    num_speculative_tokens_per_batch_size: [
      [1, 2, 4],
      [3, 3, 3],
      [4, 12, 2],
      [13, 32, 1],
      [33, 65_536, 0],
    ],
  });
  expect(told.pass(30).revisions).toHaveLength(2);
});

test("TensorRT-LLM is told them in its file of settings", () => {
  const told = new Told({ type: "TensorRTLLM", version: "1.3.0rc29" }).pass(70);
  expect(JSON.parse(told.template?.config["engine.yaml"]).speculative_config).toMatchObject({
    max_draft_len: 4,
    draft_len_schedule: { 2: 4, 3: 3, 12: 2, 32: 1 },
  });
});

test("to a pool that leaves them to nobody they are told in status, with how sure that is", () => {
  const told = new Told({ type: "VLLM" }, { ...headed, schedule: "Recommended" }).pass(40);
  expect([told.revisions.length, told.reasons]).toEqual([1, ["LengthsRecommended"]]);
  expect(told.object.status.speculative).toMatchObject({
    ...{ recommendedByBatch: lengths, byBatchFrom: "Geometric" },
    byBatchGain: expect.stringMatching(/^0\.[0-9]{2}$/),
  });
  expect(told.object.status.speculative.byBatch).toBeUndefined();
});

test.each<[name: string, engine: Loose, speculative: Loose]>([
  ["an engine that has one length", { type: "VLLM", version: "0.31.0" }, { ...headed, schedule: "Recommended" }],
  ["lengths that a person wrote", { type: "VLLM" }, { ...headed, schedule: "Recommended", byBatch: [{ upTo: 8, numTokens: 4 }] }],
  ["a bound that a person wrote", { type: "VLLM" }, { ...headed, schedule: "Recommended", disableAboveBatch: 8 }],
  ["nothing that is guessed", { type: "VLLM" }, { method: "None" }],
])("nothing is worked out for %s", (_, engine, speculative) => {
  const told = new Told(engine, speculative).pass(40);
  expect([told.revisions.length, told.reasons]).toEqual([1, []]);
  expect(told.object.status.speculative?.byBatchMemory).toBeUndefined();
});

test("none are given while no router reports, nor while another revision comes", () => {
  const silent = new Told({ type: "VLLM" }).pass(50).pass(30, { routers: false });
  expect(silent.revisions).toHaveLength(1);
  const busy = new Told({ type: "VLLM" }).pass(58);
  for (let change = 0; change < 30; change++) busy.annotate({ change: String(change) }).pass(1);
  expect(busy.reasons).not.toContain("LengthsTaken");
  expect(busy.pass(30).reasons.at(-1)).toBe("LengthsTaken");
});

test("what was given outlives a while in which nothing is guessed", () => {
  const told = new Told({ type: "VLLM" }, { ...headed, minAcceptance: "0.1" }).pass(70);
  const given = told.revisions.at(-1);
  told.pass(10, { accepted: 0.01 });
  expect(told.revisions.at(-1)).not.toBe(given);
  expect(told.pass(70).revisions.at(-1)).toBe(given);
});
