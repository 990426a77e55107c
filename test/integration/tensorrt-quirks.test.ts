// What is odd about TensorRT-LLM, and what is lost where it is not handled: each pair of tests runs the adapter as it is, and a mutant of it
// without the one handling, against the same stand-in (sim/tensorrt). A handling that could be left out unseen would fail here.
import { Buffer } from "node:buffer";
import { afterEach, describe, expect, test } from "vitest";
import { systemClock } from "../../lib/clock.ts";
import { seeded } from "../../lib/random.ts";
import { StandInGrpc } from "../../sim/tensorrt/grpc.ts";
import { type ServeOptions, StandInServe } from "../../sim/tensorrt/serve.ts";
import { type EngineConfig, standInFolder } from "../../sim/tensorrt/stand-in.ts";
import { shown } from "../../workers/engine/contract/shown.ts";
import { ran, type Subject, wish } from "../../workers/engine/contract/trying.ts";
import type { FeedStart } from "../../workers/engine/kv-watch.ts";
import { refusal } from "../../workers/engine/running.ts";
import { ServedEngine, type ServedOptions, type Speaking } from "../../workers/engine/served.ts";
import type { TensorRtAnswer } from "../../workers/engine/tensorrt/grpc/answer.ts";
import { speakTensorRtGrpc } from "../../workers/engine/tensorrt/grpc/grpc.ts";
import { KvEventReader } from "../../workers/engine/tensorrt/kv-events.ts";
import { Polled } from "../../workers/engine/tensorrt/polled.ts";
import { speakTensorRt } from "../../workers/engine/tensorrt/tensorrt.ts";
import type { Generation } from "../../workers/generation.ts";
import { until } from "../support/until.ts";

const common = { model: "", slots: 4, tokenizer: standInFolder, startMs: 20_000, confidence: false, contextTokens: 2_048 };
const watching = { hungMs: 5_000, busyMs: 20, idleMs: 50 };
const open: { close(): Promise<unknown> }[] = [];
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close();
});

type Mutation<Chunk> = (speaking: Speaking<Chunk>, url: string) => Speaking<Chunk>;
interface Counted {
  readonly expected: number;
  readonly cached: number;
}

async function http(serve: ServeOptions = {}, mutate: Mutation<Buffer> = (as) => as, served: Partial<ServedOptions> = {}) {
  const stand = await StandInServe.start(serve);
  open.push({ close: () => stand.kill() });
  const deps = { clock: systemClock, random: seeded(1) };
  const speaking = mutate(await speakTensorRt({ ...common, url: stand.url }, deps), stand.url);
  const counted: Counted[] = [];
  const engine = new ServedEngine(
    speaking,
    { ...watching, slots: 4, requests: "r", timesQueue: true, ...served },
    { ...deps, counted: (expected, cached) => counted.push({ expected, cached }) },
  );
  open.push(engine);
  const subject: Subject = { engine, kind: "tensorrt", clock: systemClock, seats: serve.seats ?? 64, counted: () => stand.running };
  return { stand, engine, subject, counted };
}

async function grpc(options: Parameters<typeof StandInGrpc.start>[0] = {}, mutate: Mutation<never> = (as) => as) {
  const stand = await StandInGrpc.start(options);
  open.push({ close: () => stand.kill() });
  const deps = { clock: systemClock, random: seeded(1) };
  const speaking = await speakTensorRtGrpc({ ...common, url: stand.url, lane: "inline", oneTenant: true }, deps);
  const engine = new ServedEngine(
    mutate(speaking as never, stand.url) as typeof speaking,
    { ...watching, slots: 4, requests: "r" },
    deps,
  );
  open.push(engine);
  const subject: Subject = { engine, kind: "tensorrt_grpc", clock: systemClock, counted: () => stand.running };
  return { stand, engine, subject };
}

/** The bodies that it sends, otherwise. */
const asking =
  (change: (body: Record<string, unknown>) => Record<string, unknown>): Mutation<Buffer> =>
  (speaking) => ({
    ...speaking,
    request: (work, prompt) => {
      const asked = speaking.request(work, prompt);
      return { ...asked, body: change({ ...(asked.body as Record<string, unknown>) }) };
    },
  });

const code = (name: string) => `// ${name}\n${"const a = b + c;\n".repeat(14)}`;

describe("priorities are higher for what shall be sooner", () => {
  const betterFirst = async (mutate?: Mutation<Buffer>) => {
    const { subject } = await http({ seats: 2 }, mutate);
    return shown.better_lane_first(subject);
  };
  test("handled: the better lane begins first", () => betterFirst());
  test("priority sign as vLLM's: the better lane waits", async () => {
    const turned = asking((body) => ({ ...body, priority: 1 - (body["priority"] as number) }));
    await expect(betterFirst(turned)).rejects.toThrow(/'worse'/);
  });
});

/** Steps that the engine took for a generation after its reader had left. */
async function stepsAfterAbort({ stand, engine, subject }: Awaited<ReturnType<typeof http>> | Awaited<ReturnType<typeof grpc>>) {
  const stop = new AbortController();
  let before = 0;
  const { end } = await ran(engine, wish(subject, code("abort"), { sampling: { maxTokens: 900 } }), {
    signal: stop.signal,
    piece: (_, count) => {
      if (count !== 3) return;
      before = stand.engine.iterations.count;
      stop.abort();
    },
  });
  expect(end.kind).toBe("aborted");
  await until("the engine is done with it", () => stand.running === 0);
  return stand.engine.iterations.count - before;
}

describe("a client that left is looked for once a second, and an abort by name is heard at once", () => {
  test("handled: over gRPC a few steps are computed for nobody", async () => {
    expect(await stepsAfterAbort(await grpc())).toBeLessThanOrEqual(300);
  });
  // It looks so seldom here that all is computed, however slow the machine is.
  test("HTTP abort instead of gRPC: it stops late", async () => {
    expect(await stepsAfterAbort(await http({ pollMs: 60_000 }))).toBeGreaterThan(600);
  });
});

describe("an abort does not know a request that was not taken up yet", () => {
  const steps = async (mutate?: Mutation<never>) => {
    const it = await grpc({ takeUpMs: 250 }, mutate);
    const stop = new AbortController();
    const running = ran(it.engine, wish(it.subject, code("early"), { sampling: { maxTokens: 900 } }), { signal: stop.signal });
    await until("it has arrived", () => it.stand.requests.length === 1);
    stop.abort();
    expect((await running).end.kind).toBe("aborted");
    await until("it was asked to abort", () => it.stand.aborts.length === 1);
    await until("it was taken up", () => it.stand.takenUp === 1);
    await until("the engine is done with it", () => it.stand.running === 0);
    return it.stand.engine.iterations.count;
  };
  test("handled: its stream is reset, and nothing is computed for it", async () => {
    expect(await steps()).toBeLessThanOrEqual(10);
  });
  test("abort believed without its answer: it goes on", async () => {
    const believed: Mutation<never> = (speaking) => ({
      ...speaking,
      request: (work, prompt) => {
        const asked = speaking.request(work, prompt);
        return { ...asked, abort: async () => asked.abort?.().then(() => true) ?? true };
      },
    });
    // Until the agent waits no longer for its end, which is a second.
    expect(await steps(believed)).toBeGreaterThan(30);
  });
});

/** Prompts that come again, in a cache too small for all of them. */
async function turns(it: Awaited<ReturnType<typeof http>>, from: number, to: number, read = true): Promise<void> {
  for (let turn = from; turn < to; turn++) {
    await ran(it.engine, wish(it.subject, code(`turn ${turn % 5}`), { sampling: { maxTokens: 2 } }));
    if (!read) continue;
    // What it did to the cache is read, and known.
    const { eventReads } = it.stand;
    await until("its events are read", () => it.stand.eventReads >= eventReads + 2);
  }
}

const tooMuch = (counted: readonly Counted[]) => counted.filter(({ expected, cached }) => expected > cached);

/** A feed that goes by what it reads and nothing else. */
const trusting =
  (url: string): FeedStart =>
  ({ take }) => {
    const reader = new KvEventReader({ blockTokens: 32 });
    const ask = async () => {
      const answer = await fetch(`${url}/kv_cache_events`, { method: "POST", body: "{}" });
      for (const { message } of reader.read(await answer.text()) ?? []) if (message) take([{ ...message, ...ours(message) }]);
      return false;
    };
    const polled = new Polled({ everyMs: 20, timeoutMs: 1_000 }, { clock: systemClock, ask });
    return { synced: true, close: () => polled.close() };
  };
const ours = ({ kind }: { kind: string }) => (kind === "stored" ? { salt: "contract" } : {});

describe("KV events have one reader", () => {
  /** Somebody else reads what tells that blocks were given up. */
  const shared = async (mutate?: (url: string) => FeedStart) => {
    const it = await http({ blocks: 14 }, (speaking, url) => ({ ...speaking, ...(mutate && { feeds: [mutate(url)] }) }));
    await turns(it, 0, 6);
    const release = it.stand.engine.events.listen(() => void it.stand.engine.events.take());
    for (let turn = 0; turn < 7; turn++)
      await ran(it.engine, wish(it.subject, code(`turn ${turn % 5}`), { sampling: { maxTokens: 2 } }));
    release();
    // The next event is the first one that can show that others are missing; a prompt's first block begins what is known anew.
    const { eventReads } = it.stand;
    await ran(it.engine, wish(it.subject, `// anew\n${"const d = e + f;\n".repeat(5)}`, { sampling: { maxTokens: 2 } }));
    await until("its events are read", () => it.stand.eventReads >= eventReads + 3);
    it.counted.length = 0;
    await turns(it, 0, 10);
    return it;
  };
  test("handled: what is missing is seen by its number, and nothing is expected that is not there", async () => {
    expect(tooMuch((await shared()).counted)).toEqual([]);
  });
  test("events polled by two, and numbers not looked at: blocks are expected that are gone", async () => {
    expect(tooMuch((await shared(trusting)).counted).length).toBeGreaterThan(0);
  });
});

describe("an event does not say whose a block is", () => {
  const found = async (mutate?: Mutation<Buffer>) => {
    const it = await http({}, mutate);
    await turns(it, 0, 10);
    return it.counted.slice(5);
  };
  test("handled: what a tenant asked with is expected when it comes again", async () => {
    const counted = await found();
    expect(counted.filter(({ expected, cached }) => expected !== cached)).toEqual([]);
    expect(counted.every(({ cached }) => cached > 0)).toBe(true);
  });
  test("blocks placed without a tenant: nobody's prompt is found in them", async () => {
    const counted = await found(({ prompted: _, ...speaking }) => speaking);
    expect(counted.every(({ expected, cached }) => expected === 0 && cached > 0)).toBe(true);
  });
});

describe("tenants are known at the chat page alone", () => {
  test("handled: one tenant never finds what another computed", async () => {
    const { subject } = await http();
    await shown.tenants_apart(subject);
  });
  test("completions with a salt: the engine refuses them", async () => {
    const salted = asking(({ messages: _, prompt_token_ids: prompt, max_completion_tokens: most, ...rest }) => ({
      ...rest,
      prompt,
      max_tokens: most,
    }));
    const { engine, subject } = await http({}, (speaking, url) => {
      const asked = salted(speaking, url);
      return { ...asked, request: (work, prompt) => ({ ...asked.request(work, prompt), path: "/v1/completions" }) };
    });
    const { end } = await ran(engine, wish(subject, code("salt")));
    expect(end.kind === "failed" && end.error.message).toMatch(/cache_salt.*not permitted/);
  });
  test("no salt at all: another tenant finds it", async () => {
    const { subject } = await http(
      {},
      asking(({ cache_salt: _, ...body }) => body),
    );
    await expect(shown.tenants_apart(subject)).rejects.toThrow(/another tenant found it/);
  });
});

describe("whatever goes wrong has status 400", () => {
  const failing = async (mutate?: Mutation<Buffer>) => {
    const it = await http({}, mutate);
    it.stand.faults = ["broken", "refused"];
    const ends = [await ran(it.engine, wish(it.subject, code("one"))), await ran(it.engine, wish(it.subject, code("two")))];
    return ends.map(({ end }) => end.kind === "failed" && end.error.code);
  };
  test("handled: its own faults are the engine's, and may go elsewhere", async () => {
    expect(await failing()).toEqual(["engine_failed", "invalid_request"]);
  });
  test("status taken at its word: an engine that is broken blames who asks", async () => {
    const trusted: Mutation<Buffer> = (speaking) => ({
      ...speaking,
      request: (work, prompt) => ({ ...speaking.request(work, prompt), refused: refusal }),
    });
    expect(await failing(trusted)).toEqual(["invalid_request", "invalid_request"]);
  });
});

describe("the last message over gRPC repeats all tokens", () => {
  const texts = async (mutate?: Mutation<never>) => {
    const { engine, subject } = await grpc({ text: "漢字 += Zoë;\n", perStep: 3 }, mutate);
    const { text, end } = await ran(engine, wish(subject, code("last"), { sampling: { maxTokens: 12 } }));
    return { text, tokens: end.usage.completionTokens };
  };
  test("handled: each is given once", async () => {
    const { text, tokens } = await texts();
    expect([tokens, text.split("漢字 +=").length - 1, text.includes("\uFFFD")]).toEqual([12, 1, false]);
  });
  test("the last message counted as a chunk: everything comes twice", async () => {
    const twice: Mutation<never> = (speaking) => ({
      ...speaking,
      answering: (asked) => {
        const answer = speaking.answering(asked) as unknown as TensorRtAnswer;
        const push = answer.push.bind(answer);
        answer.push = (message) => {
          if (message.response.case === "complete") answer.told.completionTokens = 0;
          return push(message);
        };
        return answer as never;
      },
    });
    expect((await texts(twice)).text.split("漢字 +=").length - 1).toBe(2);
  });
});

describe("tokens over gRPC may end inside a character", () => {
  const said = async (mutate?: Mutation<never>) => {
    const { engine, subject } = await grpc({ text: "漢字𝄞ü;\n" }, mutate);
    return (await ran(engine, wish(subject, code("bytes"), { sampling: { maxTokens: 20 } }))).text;
  };
  test("handled: only whole characters come", async () => {
    const text = await said();
    expect([text.includes("漢字𝄞ü"), text.includes("\uFFFD")]).toEqual([true, false]);
  });
  test("each message's bytes turned into text by themselves: characters are lost", async () => {
    const apart: Mutation<never> = (speaking) => ({
      ...speaking,
      answering: (asked) => {
        const whole = speaking.answering(asked) as unknown as TensorRtAnswer;
        const spell = (speaking.tokenizer as never as { spell(token: number): Uint8Array | undefined }).spell;
        const text = (tokens: readonly number[]) =>
          tokens.map((token) => Buffer.from(spell.call(speaking.tokenizer, token) ?? []).toString("utf8")).join("");
        const push = whole.push.bind(whole);
        whole.push = (message) => {
          const { response } = message;
          const tokens = response.case === "chunk" ? response.value.tokenIds : [];
          return push(message).map((piece) => ({ ...piece, text: text(tokens) }));
        };
        return whole as never;
      },
    });
    expect(await said(apart)).toContain("\uFFFD");
  });
});

describe("the engine's histogram of queue times begins at 0.3 s", () => {
  const waited = async (served: Partial<ServedOptions> = {}) => {
    const it = await http({ seats: 1, pace: { prefillTokensPerSecond: 200_000, s0Ms: 4, s1Ms: 0 } }, undefined, served);
    for (let turn = 0; turn < 8; turn++)
      await ran(it.engine, wish(it.subject, code(`warm ${turn}`), { sampling: { maxTokens: 1 } }));
    const first = ran(it.engine, wish(it.subject, code("first"), { sampling: { maxTokens: 40 } }));
    const second = ran(it.engine, wish(it.subject, code("second"), { sampling: { maxTokens: 1 } }));
    const ends = [await first, await second].map(({ end }) => end.usage);
    // One of them had the seat, for forty steps.
    const most = Math.max(...ends.map(({ queueMs }) => queueMs));
    return { most, seatMs: Math.max(...ends.map(({ decodeMs }) => decodeMs)) };
  };
  test("handled: who waited for a seat is told so, by the agent's own time", async () => {
    const { most, seatMs } = await waited();
    expect(most).toBeGreaterThan(seatMs / 4);
  });
  test("queue times left to the engine: nothing is known of it", async () => {
    expect((await waited({ timesQueue: false })).most).toBe(0);
  });
});

describe("records of iterations are gone when read", () => {
  const drafted = async (prometheus: boolean) => {
    const it = await http({ perStep: 3, prometheus });
    const before = it.stand.engine.iterations.drafted;
    const other = new AbortController();
    const reading = (async () => {
      while (!other.signal.aborted) await (await fetch(`${it.stand.url}/metrics`)).text();
    })();
    for (let turn = 0; turn < 4; turn++)
      await ran(it.engine, wish(it.subject, code(`drafts ${turn}`), { sampling: { maxTokens: 30 } }));
    other.abort();
    await reading;
    const told = () => it.engine.acceptance().drafted;
    const made = () => it.stand.engine.iterations.drafted - before;
    // One more, that nobody else reads.
    const toldBefore = told();
    await ran(it.engine, wish(it.subject, code("drafts alone"), { sampling: { maxTokens: 30 } }));
    await until("the agent has read its figures", () => told() > toldBefore);
    return { told, made };
  };
  test("handled: the page that many may read is read, and every draft is counted", async () => {
    const { told, made } = await drafted(true);
    expect(made()).toBeGreaterThan(0);
    await until("every draft is counted", () => told() === made());
  });
  test("/metrics read by two: drafts are missing", async () => {
    const { told, made } = await drafted(false);
    expect(told()).toBeLessThan(made());
  });
});

describe("a page of events that waits for quiet has them already", () => {
  const known = async (timeoutMs: number) => {
    let settled = 0;
    const feed =
      (url: string): FeedStart =>
      ({ take }) => {
        const reader = new KvEventReader({ blockTokens: 32 });
        const read = async () => {
          const signal = AbortSignal.timeout(timeoutMs);
          const answer = await fetch(`${url}/kv_cache_events`, { method: "POST", body: "{}", signal });
          for (const { message } of reader.read(await answer.text()) ?? []) if (message) take([{ ...message, ...ours(message) }]);
          return false;
        };
        const ask = () => read().finally(() => (settled += 1));
        const polled = new Polled({ everyMs: 5, timeoutMs }, { clock: systemClock, ask });
        return { synced: true, close: () => polled.close() };
      };
    const it = await http({ speaks: "1.2", quietMs: 150 }, (speaking, url) => ({ ...speaking, feeds: [feed(url)] }));
    await turns(it, 0, 5, false);
    await until("what it read is told, or lost", () => it.stand.engine.events.kept === 0);
    const before = settled;
    await until("the question that took it is over", () => settled > before);
    it.counted.length = 0;
    await turns(it, 0, 5, false);
    return it.counted.filter(({ expected }) => expected > 0).length;
  };
  test("handled: it is waited for, and what it read is known", async () => {
    expect(await known(600_000)).toBe(5);
  });
  test("given up after a moment: what it read is lost", async () => {
    expect(await known(60)).toBeLessThan(5);
  });
});

describe("drafts between two steps and the overlap scheduler exclude each other", () => {
  const drafts = { decoding_type: "NGram", max_draft_len: 4 };
  const rows: [EngineConfig["release"], object][] = [
    ["1.2", drafts],
    ["1.3", drafts],
    ["1.2", { ...drafts, decoding_type: "DraftTarget", speculative_model_dir: "/models/draft" }],
  ];
  test.each(rows)("%s with %j: the engine does not start, and says what to set", async (release, speculative_config) => {
    const started = (settings: object) => StandInServe.start({ config: { release, settings } });
    await expect(started({ speculative_config })).rejects.toThrow(/disable_overlap_scheduler: true/);
    await (await started({ speculative_config, disable_overlap_scheduler: true })).kill();
  });
  test.each<[string, EngineConfig["release"]]>([
    ["Eagle3", "1.3"],
    ["Draft_Target", "1.3"],
  ])("%s has no such constraint in %s", async (decoding_type, release) => {
    const settings = { speculative_config: { decoding_type, max_draft_len: 4, speculative_model: "/models/draft" } };
    await (await StandInServe.start({ config: { release, settings } })).kill();
  });
  test("a release does not start with a word of another", async () => {
    const settings = {
      speculative_config: { decoding_type: "Draft_Target", max_draft_len: 4, speculative_model: "/models/draft" },
    };
    await expect(StandInServe.start({ config: { release: "1.2", settings } })).rejects.toThrow(/^1\.2: /);
  });
});

test("a suffix is never sent, since it is refused: prompts are rendered by the router", async () => {
  const { stand, engine, subject } = await http();
  await ran(engine, wish(subject, code("suffix")));
  expect(stand.requests.length).toBeGreaterThan(0);
  expect(stand.requests.some(({ body }) => "suffix" in body)).toBe(false);
});

test("greedy is asked for as the best one of all, not by a temperature alone", async () => {
  const { stand, engine, subject } = await http();
  const bodies = async (sampling: Partial<Generation["sampling"]>) => {
    await ran(engine, wish(subject, code("greedy"), { sampling }));
    return stand.requests.at(-1)?.body as { temperature?: number; top_k?: number };
  };
  expect(await bodies({ temperature: 0 })).toMatchObject({ temperature: 0, top_k: 1 });
  expect(await bodies({ temperature: 1 })).not.toHaveProperty("top_k");
});
