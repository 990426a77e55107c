// `slipstream worker --probe URL --verify` against servers that pretend (test/support/vllm), one of which breaks a promise. The same
// against real ones: test/system.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import type { Io } from "../../cli/command.ts";
import { worker } from "../../cli/processes.ts";
import { SlipstreamError } from "../../lib/errors.ts";
import { StandInGrpc } from "../../sim/tensorrt/grpc.ts";
import { StandInServe } from "../../sim/tensorrt/serve.ts";
import { standInFolder } from "../../sim/tensorrt/stand-in.ts";
import { StandInTriton } from "../../sim/tensorrt/triton.ts";
import type { VerifyReport } from "../../workers/wire-verify.ts";
import { FakeVllmGrpc } from "../support/vllm/fake-grpc.ts";
import { type FakeOptions, FakeVllm } from "../support/vllm/fake-vllm.ts";
import { FakePublisher } from "../support/vllm/publisher.ts";

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close();
});

const pretence: FakeOptions = { stepMs: 2, text: () => "a + b; // 漢字\n}\n" };

async function pretend(options: FakeOptions): Promise<FakeVllm> {
  const fake = await FakeVllm.start({ ...pretence, ...options });
  open.push({ close: () => fake.kill().catch(() => {}) });
  return fake;
}

interface Told {
  readonly code: number | undefined;
  readonly error: SlipstreamError | undefined;
  readonly out: string;
  readonly said: readonly string[];
}

async function run(args: readonly string[], env: Io["env"] = {}, told: (sentence: string, stop: () => void) => void = () => {}) {
  const said: string[] = [];
  let out = "";
  let stop = () => {};
  const io: Io = {
    env,
    out: (text) => {
      out += text;
    },
    complain: (sentence) => {
      said.push(sentence);
      told(sentence, stop);
    },
    on: (_signal, act) => {
      stop = act;
    },
  };
  const ended: Told = await worker(args, io).then(
    (code) => ({ code, error: undefined, out, said }),
    (thrown: unknown) => ({ code: undefined, error: SlipstreamError.from(thrown), out, said }),
  );
  return ended;
}

const became = (out: string) => {
  const { items } = JSON.parse(out) as VerifyReport;
  return Object.fromEntries(items.map(({ name, ability, became: how }) => [ability ?? name, how]));
};

test("an engine that keeps all ends with 0, and its report names no machine", async () => {
  const publisher = await FakePublisher.start();
  open.push(publisher);
  const events = publisher.publish.bind(publisher);
  const fake = await pretend({ perStep: 3, seats: 2, kvEndpoints: publisher.endpoints, events });
  const folder = mkdtempSync(join(tmpdir(), "slipstream-verify-"));
  open.push({ close: () => rmSync(folder, { recursive: true }) });
  const file = join(folder, "report.json");
  const env = { SLIPSTREAM_WORKER_ENGINE_CONFIDENCE: "true" };
  const { code, out, said } = await run(["--probe", fake.url, "--verify", "--seats", "2", "--sleep", "--report", file], env);
  expect(code, out).toBe(0);
  expect(out).toContain("vllm 0.32.0, served from with --engine vllm");
  expect(out).toContain("All that was tried held.");
  expect(out).toMatch(/first text of a new prompt +[\d.]+ +[\d.]+/);
  // Each item is told as it ends.
  expect(said.filter((each) => / held |not there/.test(each)).length).toBeGreaterThan(20);
  const text = readFileSync(file, "utf8");
  expect(text).not.toContain(fake.url);
  expect(text).not.toContain("127.0.0.1");
  const report = JSON.parse(text) as VerifyReport;
  expect(report).toMatchObject({ format: 1, kind: "vllm", version: "0.32.0", own_count: "used", broken: 0 });
  expect(became(text)).toMatchObject({
    ...{ better_lane_first: "held", kv_events: "held", speculation: "held", confidence: "held", sleep: "held" },
    adapters: "lacking",
  });
  expect(report.timings?.back_ms?.p50).toBeGreaterThan(0);
}, 90_000);

test("an engine that breaks a promise ends with 1 and the promise, in the table and as JSON", async () => {
  let count = 0;
  const fake = await pretend({ text: () => `answer ${count++} is "漢字";\n` });
  const { code, out } = await run(["--probe", fake.url, "--verify", "--json", "--with-url"]);
  expect(code).toBe(1);
  expect(became(out)["greedy text is the same every time, and so is seeded text"]).toBe("broken");
  const report = JSON.parse(out) as VerifyReport;
  expect(report.broken).toBeGreaterThanOrEqual(1);
  expect(report.url).toBe(fake.url);
  const { drawn } = await import("../../cli/verify.ts");
  expect(drawn(report)).toMatch(/BROKEN +[\d.]+ s {2}greedy text is the same every time/);
  expect(drawn(report)).toMatch(/\d of \d+ broken/);
  // What needs to be known or allowed is not tried, and says so.
  expect(became(out)).toMatchObject({ better_lane_first: "not_tried", sleep: "not_tried", speculation: "lacking" });
}, 90_000);

test("a vLLM behind grpc:// is told what it is, and held to the same", async () => {
  const fake = await FakeVllmGrpc.start({ stepMs: 2, perStep: 2 });
  open.push({ close: () => fake.kill() });
  const probed = await run(["--probe", fake.url, "--json"]);
  expect(probed.code).toBe(1);
  expect(JSON.parse(probed.out)).toMatchObject({
    ...{ engine: "vllm", kind: "vllm_grpc", version: "0.32.0", can: { "KV events": true, "generations at once": 8 } },
    advice: [{ weight: "lacks", what: expect.stringContaining("no lanes and no tenants") }],
  });
  const { code, out } = await run(["--probe", fake.url, "--verify", "--json"]);
  expect(code, out).toBe(0);
  expect(became(out)).toMatchObject({ kv_events: "held", tenants_apart: "lacking", ends_at_stops: "held" });
  expect(JSON.parse(out)).toMatchObject({ own_count: "used", kind: "vllm_grpc" });
}, 90_000);

test("a vLLM behind grpc:// that tells no KV events is told to", async () => {
  const fake = await FakeVllmGrpc.start({ events: false });
  open.push({ close: () => fake.kill() });
  const { out } = await run(["--probe", fake.url]);
  expect(out).toMatch(/KV events +no/);
  expect(out).toContain("--kv-events-config");
});

const standIn = { SLIPSTREAM_WORKER_TOKENIZER: standInFolder, SLIPSTREAM_WORKER_CONTEXT_TOKENS: "2048" };

test("a trtllm-serve is held to the same", async () => {
  const stand = await StandInServe.start({ seats: 2, perStep: 3 });
  open.push({ close: () => stand.kill().catch(() => {}) });
  const { code, out } = await run(["--probe", stand.url, "--verify", "--seats", "2", "--json"], standIn);
  expect(code, out).toBe(0);
  expect(JSON.parse(out)).toMatchObject({ kind: "tensorrt", version: "1.3.0rc29", own_count: "used", broken: 0 });
  expect(became(out)).toMatchObject({ tenants_apart: "held", better_lane_first: "held", kv_events: "held", sleep: "lacking" });
}, 120_000);

test("a TensorRT-LLM behind grpc:// is told from a vLLM there, and held to the same", async () => {
  const stand = await StandInGrpc.start({ perStep: 2 });
  open.push({ close: () => stand.kill() });
  const { out: probed } = await run(["--probe", stand.url, "--json"], standIn);
  expect(JSON.parse(probed)).toMatchObject({ engine: "tensorrt", kind: "tensorrt_grpc", can: { "KV events": true } });
  const { code, out } = await run(["--probe", stand.url, "--verify", "--json"], standIn);
  expect(code, out).toBe(0);
  expect(JSON.parse(out)).toMatchObject({ kind: "tensorrt_grpc", own_count: "none", broken: 0 });
}, 120_000);

test("a TensorRT-LLM behind Triton is held to the same", async () => {
  const stand = await StandInTriton.start();
  open.push({ close: () => stand.kill().catch(() => {}) });
  const { code, out } = await run(["--probe", stand.url, "--verify", "--json"], standIn);
  expect(code, out).toBe(0);
  expect(JSON.parse(out)).toMatchObject({ kind: "tensorrt_triton", own_count: "none", broken: 0 });
}, 120_000);

test("a server that has nothing but completions is held to the promises", async () => {
  const fake = await pretend({ speaks: "bare" });
  const { code, out } = await run(["--probe", fake.url, "--verify"]);
  expect(code, out).toBe(0);
  expect(out).toContain("it has no count of what runs there");
}, 90_000);

test("one that others use is told so, and its own count is not taken", async () => {
  const fake = await pretend({});
  fake.running += 1;
  const { out } = await run(["--probe", fake.url, "--verify", "--json"]);
  expect(JSON.parse(out)).toMatchObject({ own_count: "others", broken: 0 });
}, 90_000);

test("one that dies meanwhile is broken, and the rest was not tried", async () => {
  const fake = await pretend({});
  const { code, out } = await run(["--probe", fake.url, "--verify", "--json"], {}, (sentence) => {
    if (sentence.startsWith(" 3/")) void fake.kill();
  });
  expect(code).toBe(1);
  const { items } = JSON.parse(out) as VerifyReport;
  expect(items.at(-1)).toMatchObject({ became: "not_tried", why: expect.stringContaining("the engine is gone") });
}, 90_000);

test("who interrupts it gets what was tried, and its exit code", async () => {
  const fake = await pretend({});
  const { error, out } = await run(["--probe", fake.url, "--verify", "--json"], {}, (sentence, stop) => {
    if (sentence.startsWith(" 3/")) stop();
  });
  expect(error?.row.exit).toBe(130);
  const { items } = JSON.parse(out) as VerifyReport;
  expect(items[0]?.became).toBe("held");
  expect(items.at(-1)).toMatchObject({ became: "not_tried", why: "interrupted" });
}, 90_000);

test.each<[why: string, args: readonly string[], says: string]>([
  ["--verify alone", ["--verify"], "--verify goes with --probe URL"],
  ["--json alone", ["--json"], "--json goes with --probe URL"],
  ["a report of nothing", ["--probe", "http://127.0.0.1:1", "--report", "x"], "--report goes with --verify"],
  ["no seats", ["--probe", "http://127.0.0.1:1", "--verify", "--seats", "0"], '--seats: "0" is not a whole number'],
  ["a URL that is none", ["--probe", "grpc://nowhere", "--verify"], "is not like grpc://127.0.0.1:50051"],
])("%s is refused in a sentence", async (_why, args, says) => {
  const { error } = await run(args);
  expect(error?.message).toContain(says);
  expect(error?.row.exit).toBe(64);
});

test("a server that is not there is told as such", async () => {
  const { error } = await run(["--probe", "grpc://127.0.0.1:1", "--verify"]);
  expect(error).toMatchObject({ code: "unavailable" });
});
