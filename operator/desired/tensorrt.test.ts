import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { type TensorrtRelease, tensorrtConfig, tensorrtEngineConfig, tensorrtReleases } from "../../sim/tensorrt/config-schema.ts";
import { checkConfig } from "../../sim/tensorrt/stand-in.ts";
import { type Loose, pool } from "../../test/support/cluster-objects.ts";
import { poolSeen } from "../../test/support/pool-seen.ts";
import { readSpec } from "../api/read.ts";
import { tensorrtLines } from "../api/tensorrt-lines.ts";
import { workerPoolSpec } from "../api/worker-pool.ts";
import { poolTemplate } from "./desired.ts";
import { workload } from "./workload.ts";

/** A version of each line, as a person would name it. */
const versions: Record<TensorrtRelease, string> = {
  "1.0": "1.0.0",
  "1.1": "1.1.0",
  "1.2": "1.2.1",
  "1.3": "1.3.0rc29",
  "1.4": "1.4.0rc1",
};
const draft = pool().spec.speculative.draft;
const byBatch = [
  { upTo: 16, numTokens: 2 },
  { upTo: 4, numTokens: 4 },
];

const chat = (version: string | undefined, speculative: Loose, change: (p: Loose) => void = () => undefined) =>
  pool((p) => {
    Object.assign(p.spec, { tier: "Chat", engine: { type: "TensorRTLLM", ...(version && { version }) }, speculative });
    change(p);
  });
const templateOf = (object: Loose) => poolTemplate(poolSeen(object));
const settingsOf = (object: Loose): Loose => JSON.parse(templateOf(object).config["engine.yaml"]);
const containerOf = (object: Loose, name: string): Loose =>
  templateOf(object).spec.containers.find((each: Loose) => each.name === name);

const methods: [string, Loose][] = [
  ["nothing", { method: "None" }],
  ["EAGLE-3", { method: "EAGLE3", draft, numTokens: 3 }],
  ["a draft model", { method: "DraftModel", draft, numTokens: 4 }],
  ["lookups", { method: "NGram", numTokens: 4 }],
  ["the model's own heads", { method: "MTP", numTokens: 2 }],
  ["suffixes", { method: "Suffix", numTokens: 4 }],
  ["a draft model, up to a batch", { method: "DraftModel", draft, numTokens: 4, disableAboveBatch: 8 }],
  ["a draft model, less at higher load", { method: "DraftModel", draft, numTokens: 4, byBatch }],
  ["EAGLE-3, less at higher load", { method: "EAGLE3", draft, numTokens: 4, byBatch }],
  ["lookups, less at higher load", { method: "NGram", numTokens: 4, byBatch }],
];
const known = tensorrtReleases.flatMap((release) => methods.map(([what, speculative]) => [what, release, speculative] as const));
const isTaken = (release: TensorrtRelease, speculative: Loose) =>
  readSpec(workerPoolSpec, chat(versions[release], speculative).spec).spec !== undefined;

test("each line of the table has a schema that it is held against", () => {
  expect(tensorrtReleases).toEqual(tensorrtLines.map(({ line }) => line));
});

test.each(known.filter(([, release, speculative]) => isTaken(release, speculative)))(
  "%s is said to TensorRT-LLM %s in words that it starts with",
  (_, release, speculative) => {
    expect(checkConfig({ release, settings: settingsOf(chat(versions[release], speculative)) })).toBeUndefined();
  },
);

test("what a version cannot be told is refused by name, and nothing else is", () => {
  const refused = known
    .filter(([, release, speculative]) => !isTaken(release, speculative))
    .map(([what, release]) => [what, release]);
  expect(refused).toEqual(
    [
      ...["1.0", "1.1", "1.2"].map((release) => ["suffixes", release]),
      ["a draft model, up to a batch", "1.0"],
      ...["1.0", "1.1"].map((release) => ["a draft model, less at higher load", release]),
      ...["1.0", "1.1", "1.2"].map((release) => ["EAGLE-3, less at higher load", release]),
      ...["1.0", "1.1", "1.3", "1.4"].map((release) => ["lookups, less at higher load", release]),
    ].sort(byRelease),
  );
});
const byRelease = ([, one = ""]: string[], [, other = ""]: string[]) => one.localeCompare(other);

test.each<[TensorrtRelease, TensorrtRelease]>([
  ["1.2", "1.3"],
  ["1.3", "1.2"],
  ["1.1", "1.0"],
])("the settings of %s are refused by %s", (said, heard) => {
  const settings = settingsOf(chat(versions[said], { method: "EAGLE3", draft, numTokens: 3 }));
  expect(tensorrtConfig(said).safeParse(settings).success).toBe(true);
  expect(tensorrtConfig(heard).safeParse(settings).success).toBe(false);
});

test.each<[string, string, Loose, Loose]>([
  [
    "EAGLE-3",
    "1.2.1",
    { method: "EAGLE3", draft, numTokens: 3 },
    { decoding_type: "Eagle", max_draft_len: 3, speculative_model_dir: "/models/draft", eagle3_one_model: true },
  ],
  [
    "EAGLE-3",
    "1.3.0rc29",
    { method: "EAGLE3", draft, numTokens: 3 },
    { decoding_type: "Eagle3", max_draft_len: 3, speculative_model: "/models/draft" },
  ],
  ["its own heads", "1.2.1", { method: "MTP", numTokens: 2 }, { decoding_type: "MTP", num_nextn_predict_layers: 2 }],
  ["its own heads", "1.4.0", { method: "MTP", numTokens: 2 }, { decoding_type: "MTP", max_draft_len: 2 }],
  ["suffixes", "1.3.0", { method: "Suffix", numTokens: 4 }, { decoding_type: "SA", max_draft_len: 4 }],
  [
    "lookups up to a batch",
    "1.2.1",
    { method: "NGram", numTokens: 4, disableAboveBatch: 8 },
    { decoding_type: "NGram", max_draft_len: 4, max_matching_ngram_size: 4, max_concurrency: 8 },
  ],
  [
    "lengths from a batch on",
    "1.2.1",
    { method: "DraftModel", draft, numTokens: 4, byBatch },
    {
      decoding_type: "DraftTarget",
      max_draft_len: 4,
      speculative_model_dir: "/models/draft",
      draft_len_schedule: { 1: 4, 5: 2, 17: 0 },
    },
  ],
  [
    "lengths up to a batch",
    "1.3.0rc29",
    { method: "DraftModel", draft, numTokens: 4, byBatch },
    { decoding_type: "Draft_Target", max_draft_len: 4, speculative_model: "/models/draft", draft_len_schedule: { 4: 4, 16: 2 } },
  ],
])("%s is said to %s as documented", (_, version, speculative, said) => {
  expect(settingsOf(chat(version, speculative)).speculative_config).toEqual(said);
});

test.each([
  ["1.2.1", "DraftModel", true],
  ["1.2.1", "NGram", true],
  ["1.3.0rc29", "DraftModel", undefined],
  ["1.3.0rc29", "NGram", true],
])("%s overlaps steps with %s unless it cannot", (version, method, off) => {
  const speculative = { method, numTokens: 4, ...(method === "DraftModel" && { draft }) };
  expect(settingsOf(chat(version, speculative)).disable_overlap_scheduler).toBe(off);
});

test("a person's settings stand over what the agent needs, field by field, and a change of them is a revision", () => {
  const none = { method: "None" };
  const given = (config: Loose) => chat("1.3.0rc29", none, (p) => (p.spec.engine.config = config));
  const config = { kv_cache_config: { free_gpu_memory_fraction: 0.85, event_buffer_max_size: 64 }, enable_iter_perf_stats: false };
  expect(settingsOf(given(config))).toEqual({
    kv_cache_config: { enable_block_reuse: true, event_buffer_max_size: 64, free_gpu_memory_fraction: 0.85 },
    ...{ enable_iter_perf_stats: false, return_perf_metrics: true, scheduler_config: { waiting_queue_policy: "priority" } },
  });
  expect(templateOf(given(config)).revision).not.toBe(templateOf(given({})).revision);
});

test("the agent has the model's files beside the engine, for their tokenizer", () => {
  const agent = containerOf(chat(undefined, { method: "None" }), "agent");
  expect(agent.env).toContainEqual({ name: "SLIPSTREAM_WORKER_TOKENIZER", value: "/models/model" });
  expect(agent.volumeMounts).toContainEqual({ name: "model", mountPath: "/models/model", readOnly: true });
});

test("the agent is told what its server tells nobody", () => {
  const config = { max_seq_len: 16_384, kv_cache_config: { tokens_per_block: 64 } };
  const { env } = containerOf(
    chat("1.2.1", { method: "None" }, (p) => (p.spec.engine.config = config)),
    "agent",
  );
  expect(env).toEqual(
    expect.arrayContaining([
      { name: "SLIPSTREAM_WORKER_ENGINE", value: "tensorrt" },
      { name: "SLIPSTREAM_WORKER_CONTEXT_TOKENS", value: "16384" },
      { name: "SLIPSTREAM_WORKER_BLOCK_TOKENS", value: "64" },
    ]),
  );
});

test("its server is on loopback, told its file and its parallelism, and has a home that it may write", () => {
  const engine = containerOf(
    chat("1.2.1", { method: "None" }, (p) =>
      Object.assign(p.spec, { gpu: { classRef: "l40s", count: 2 }, parallelism: { tensor: 2 } }),
    ),
    "engine",
  );
  expect(engine).toMatchObject({
    image: "nvcr.io/nvidia/tensorrt-llm/release:1.2.1",
    command: ["trtllm-serve", "/models/model"],
    args: [
      ...["--host", "127.0.0.1", "--port", expect.any(String), "--extra_llm_api_options", "/etc/slipstream/engine/engine.yaml"],
      ...["--tp_size", "2"],
    ],
  });
  const paths = engine.volumeMounts.filter((each: Loose) => each.readOnly !== true).map((each: Loose) => each.mountPath);
  expect(paths).toEqual(expect.arrayContaining(["/tmp", "/cache", "/dev/shm"]));
  expect(engine.env).toEqual(
    expect.arrayContaining([
      { name: "HOME", value: "/cache" },
      { name: "USER", value: "slipstream" },
    ]),
  );
});

test("several pods are one worker by Ray: the first begins it and serves, the others join it and run nothing else", () => {
  const object = chat("1.2.1", { method: "None" }, (p) => {
    p.spec.engine.image = "r/trtllm-ray:1.2.1";
    p.spec.parallelism = { tensor: 2, nodes: 2 };
  });
  const seen = poolSeen(object, { servesLeaderWorkerSets: true });
  const set = workload(seen, poolTemplate(seen), 1);
  const { leaderTemplate, workerTemplate } = set.spec.leaderWorkerTemplate;
  const engineOf = ({ spec }: Loose) => spec.containers.find((each: Loose) => each.name === "engine");
  const [lead, follow] = [engineOf(leaderTemplate), engineOf(workerTemplate)];
  expect(set.kind).toBe("LeaderWorkerSet");
  expect(lead.command.slice(3)).toEqual(["lead", "trtllm-serve", "/models/model"]);
  expect(lead.command[2]).toMatch(/^ray start --head .*exec "\$@"$/);
  expect(lead.args).toEqual(expect.arrayContaining(["--gpus_per_node", "1"]));
  expect(follow.command).toEqual(["ray", "start", "--address=$(LWS_LEADER_ADDRESS):6379", "--disable-usage-stats", "--block"]);
  expect(tensorrtConfig("1.2").parse(settingsOf(object))).toMatchObject({ orchestrator_type: "ray" });
});

test("a built engine is told no more than its backend knows", () => {
  const built = chat("1.2.1", { method: "None" }, (p) => (p.spec.engine.backend = "TensorRT"));
  const settings = settingsOf(built);
  expect(tensorrtEngineConfig("1.2").parse(settings)).toBeDefined();
  expect(settings).not.toHaveProperty("enable_iter_perf_stats");
});

test.each(tensorrtReleases.filter((release) => release !== "1.0"))(
  "the example's pool is said to %s in words that it knows",
  (release) => {
    const text = readFileSync("docs/examples/tensorrt-eagle3.yaml", "utf8");
    const example = parseAllDocuments(text)
      .map((each) => each.toJS() as Loose)
      .find(({ kind }) => kind === "WorkerPool");
    Object.assign(example.spec.engine, { version: versions[release] });
    Object.assign(example.spec.model, { cacheRef: "coder-7b" });
    Object.assign(example.spec.speculative.draft, { cacheRef: "coder-draft" });
    const settings = settingsOf(example);
    expect(checkConfig({ release, settings })).toBeUndefined();
    const others = tensorrtReleases.filter((other) => !tensorrtConfig(other).safeParse(settings).success);
    expect(others.length).toBeGreaterThan(0);
  },
);
