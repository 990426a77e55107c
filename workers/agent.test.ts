// The agent as a router sees it: frames in, frames out, over a stream in memory, with the simulated engine under a clock
// that moves only when told to.
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { FakeClock } from "../lib/clock.fake.ts";
import type { SlipstreamError } from "../lib/errors.ts";
import { seeded } from "../lib/random.ts";
import { Mailbox } from "../lib/structures/mailbox.ts";
import { quantile } from "../lib/structures/quantiles.ts";
import { Finish, type SamplingSchema } from "../proto/gen/slipstream/v1/completion_pb.ts";
import {
  Channel,
  Lane,
  type RouterFrame,
  RouterFrameSchema,
  type Submit,
  type SubmitSchema,
  type WorkerFrame,
} from "../proto/gen/slipstream/v1/worker_pb.ts";
import type { Agent } from "./agent.ts";
import { SimulatedEngine, type SimulatedOptions } from "./engine/simulated/simulated.ts";
import { agentDefaults, createAgent } from "./main.ts";

const code = "const total = items.reduce((sum, item) => sum + item.price, 0);\n";
/** Goes on for as long as anyone may want. */
const truth = code.repeat(40);

type Case = NonNullable<WorkerFrame["frame"]["case"]>;
type Value<C extends Case> = Extract<WorkerFrame["frame"], { case: C }>["value"];
type Segments = NonNullable<MessageInitShape<typeof SubmitSchema>["segments"]>;
interface Wish extends Partial<Omit<Submit, "id" | "sampling" | "segments" | "$typeName">> {
  readonly text?: string;
  readonly segments?: Segments;
  readonly sampling?: MessageInitShape<typeof SamplingSchema>;
}

const idOf = (frame: WorkerFrame["frame"]) => (frame.value as { id?: bigint } | undefined)?.id;

/** A router's end of one stream. */
class RouterEnd {
  readonly inbox = new Mailbox<RouterFrame>({ max: 10_000, full: "refuse" });
  readonly frames: { at: number; frame: WorkerFrame["frame"] }[] = [];
  error: SlipstreamError | undefined;
  over = false;

  constructor(agent: Agent, clock: FakeClock, options: { router?: string; channel?: Channel; hello?: boolean } = {}) {
    const send = (frame: WorkerFrame) => this.frames.push({ at: clock.now(), frame: frame.frame });
    void agent.serve({ frames: this.inbox, send, end: (error) => this.inbox.end(error) }).then(
      () => {
        this.over = true;
      },
      (error: SlipstreamError) => {
        this.over = true;
        this.error = error;
      },
    );
    const { router = "router-a", channel = Channel.INLINE, hello = true } = options;
    if (hello) this.send({ case: "hello", value: { protocolMin: 1, protocolMax: 1, router, channel } });
  }

  send(frame: MessageInitShape<typeof RouterFrameSchema>["frame"]): void {
    this.inbox.push(create(RouterFrameSchema, { frame } as MessageInitShape<typeof RouterFrameSchema>));
  }

  submit(id: bigint, wish: Wish = {}): void {
    const { text = `// ${id}\n${code.repeat(20)}`, sampling, ...rest } = wish;
    this.send({
      case: "submit",
      value: {
        id,
        lane: Lane.INLINE,
        model: "m",
        segments: [
          { part: { case: "special", value: "<|fim_prefix|>" } },
          { part: { case: "text", value: text } },
          { part: { case: "special", value: "<|fim_middle|>" } },
        ],
        sampling: { maxTokens: 24, ...sampling },
        ...rest,
      },
    });
  }

  cancel(id: bigint): void {
    this.send({ case: "cancel", value: { id } });
  }

  all<C extends Case>(kind: C, id?: bigint): (Value<C> & { at: number })[] {
    const found = this.frames.filter(({ frame }) => frame.case === kind && (id === undefined || idOf(frame) === id));
    return found.map(({ at, frame }) => ({ ...(frame.value as object), at })) as never;
  }

  text(id: bigint): string {
    return this.all("delta", id)
      .map((delta) => delta.text)
      .join("");
  }

  /** Kinds of the frames that speak of a generation, deltas as one. */
  story(id: bigint): string {
    const kinds = this.frames.flatMap(({ frame }) => (idOf(frame) === id ? [frame.case] : []));
    return kinds.filter((kind, index) => kind !== kinds[index - 1]).join(" ");
  }

  credits(): number[] {
    const last = this.all("credits").at(-1);
    return last ? [last.inline, last.chat, last.speculative, last.batch] : [];
  }
}

function worker(options: Partial<SimulatedOptions> & { routersMax?: number } = {}) {
  const clock = new FakeClock();
  const random = seeded(5);
  const { routersMax = 64, ...rest } = options;
  const engine = new SimulatedEngine(
    { profile: "h100-7b-eagle3", profileEnd: "mid", seed: 7, slots: 4, model: "m", ...rest },
    { clock, random, oracle: () => truth },
  );
  const agent = createAgent({ ...agentDefaults, routersMax, worker: "w-0", pool: "p" }, { clock, random, engine });
  const connect = (name = "router-a", channel: Channel = Channel.INLINE) => new RouterEnd(agent, clock, { router: name, channel });
  return { clock, engine, agent, connect };
}

const idle = { running: 0, kvBlocksUsed: 0, prefillBacklogTokens: 0 };

test("a router is welcomed, given credits and the load, and its generation streams to one Done", async () => {
  const { clock, engine, connect } = worker();
  const router = connect();
  await clock.advance(0);
  expect(router.frames.map(({ frame }) => frame.case)).toEqual(["welcome", "credits", "load"]);
  expect(router.all("welcome")[0]).toMatchObject({
    protocol: 1,
    worker: "w-0",
    pool: "p",
    engine: "simulated",
    slots: 4,
    blockTokens: 16,
    models: [{ name: "m", fim: { prefix: "<|fim_prefix|>" } }],
  });
  router.submit(1n);
  await clock.advance(1_000);
  expect(router.story(1n)).toBe("delta done");
  expect(truth.startsWith(router.text(1n))).toBe(true);
  const done = router.all("done", 1n)[0];
  expect(done).toMatchObject({ finish: Finish.LENGTH, usage: { completionTokens: 24, cachedTokens: 0 } });
  expect(router.all("delta", 1n).reduce((sum, delta) => sum + delta.tokens, 0)).toBe(24);
  expect(router.all("delta", 1n)[0]?.confidence).toBeGreaterThan(0);
  expect(engine.load()).toMatchObject(idle);
  expect(clock.next()).toBeUndefined();
});

test("a Cancel stops what waits, what is being computed and what decodes; nothing follows its CancelAck", async () => {
  const { clock, engine, connect } = worker({ slots: 2 });
  const router = connect();
  await clock.advance(0);
  router.submit(1n, { sampling: { maxTokens: 200 } });
  await clock.advance(60);
  router.submit(2n, { text: `// cold\n${code.repeat(200)}`, sampling: { maxTokens: 200 } });
  router.submit(3n);
  await clock.advance(13);
  const at = clock.now();
  const said = router.all("delta", 1n).length;
  expect(said).toBeGreaterThan(2);
  for (const id of [3n, 2n, 1n]) router.cancel(id);
  await clock.advance(0);
  // What waited has stopped already; what runs stops with the step.
  expect(router.all("cancelAck", 3n)).toMatchObject([{ at, abortMs: 0 }]);
  await clock.advance(20);
  for (const id of [1n, 2n]) {
    const ack = router.all("cancelAck", id)[0];
    expect(ack?.abortMs).toBeGreaterThan(0);
    expect(ack?.abortMs).toBeLessThan(15);
    expect(ack?.abortMs).toBeCloseTo((ack?.at ?? 0) - at);
  }
  expect(router.all("delta", 1n).length).toBe(said);
  expect(router.story(2n)).toBe("cancelAck");
  expect(router.all("cancelAck", 2n)[0]?.usage?.recomputedTokens).toBeGreaterThan(0);
  expect(router.all("cancelAck", 1n)[0]?.usage?.completionTokens).toBeGreaterThan(2);
  router.cancel(1n);
  await clock.advance(500);
  expect(router.all("cancelAck").length).toBe(3);
  expect(engine.load()).toMatchObject(idle);
});

test("from Cancel to stop takes at most one step, over hundreds of cancels at every phase", async () => {
  const { clock, engine, connect } = worker({ slots: 8, profileEnd: "slow" });
  const router = connect();
  const random = seeded(11);
  await clock.advance(0);
  for (let id = 1n; id <= 400n; id++) {
    router.submit(id, { text: `// ${id}\n${code.repeat(5 + Math.floor(random.next() * 60))}`, sampling: { maxTokens: 200 } });
    await clock.advance(random.next() * 120);
    router.cancel(id);
    await clock.advance(random.next() * 12);
  }
  await clock.advance(200);
  const times = router.all("cancelAck").map((ack) => ack.abortMs);
  expect(times.length).toBe(400);
  // Slow H100 with a few sequences and four drafts: 7 + 1.6 and a chunk of prompt as long as reading the weights.
  const [p50, p99] = [quantile(times, 0.5), quantile(times, 0.99)];
  expect(p50).toBeLessThan(8);
  expect(p99).toBeLessThan(18);
  if (process.env["REPORT"]) console.log({ p50, p99, max: Math.max(...times) });
  expect(engine.load()).toMatchObject(idle);
});

test("two routers share the credits by their demand, and one alone gets them all back", async () => {
  const { clock, connect } = worker({ slots: 4 });
  const a = connect("router-a");
  await clock.advance(0);
  expect(a.credits()[0]).toBe(5);
  const b = connect("router-b");
  await clock.advance(0);
  expect([a.credits()[0], b.credits()[0]]).toEqual([3, 2]);
  a.send({ case: "demand", value: { inline: 9 } });
  await clock.advance(0);
  expect([a.credits()[0], b.credits()[0]]).toEqual([5, 1]);
  b.send({ case: "demand", value: { inline: 9 } });
  await clock.advance(0);
  expect([a.credits()[0], b.credits()[0]]).toEqual([3, 2]);
  b.inbox.end();
  await clock.advance(0);
  expect(a.credits()[0]).toBe(5);
});

test("a Submit over the credits is refused and may be tried again; one that crossed lower credits is served", async () => {
  const { clock, connect } = worker({ slots: 2 });
  const a = connect("router-a");
  await clock.advance(0);
  expect(a.credits()[0]).toBe(3);
  for (let id = 1n; id <= 4n; id++) a.submit(id);
  await clock.advance(0);
  expect(a.all("refused")).toMatchObject([{ id: 4n, code: "overloaded", retryable: true }]);
  expect(a.all("refused")[0]?.detail).toContain("submit.lane");
  await clock.advance(2_000);
  expect(a.all("done").length).toBe(3);
  const b = connect("router-b");
  b.send({ case: "demand", value: { inline: 5 } });
  // Router A has not read its new credits.
  for (let id = 11n; id <= 13n; id++) a.submit(id);
  await clock.advance(3_000);
  expect(a.all("done").length).toBe(6);
});

test("better lanes enter first and earlier deadlines within a lane; what expires waiting never starts", async () => {
  const { clock, engine, connect } = worker({ slots: 1 });
  const ends = ["a", "b", "c"].map((name) => connect(name));
  const [a, b, c] = ends as [RouterEnd, RouterEnd, RouterEnd];
  await clock.advance(0);
  a.submit(1n, { sampling: { maxTokens: 60 } });
  await clock.advance(5);
  c.submit(1n, { lane: Lane.CHAT });
  b.submit(1n, { deadlineMs: 30 });
  await clock.advance(0);
  a.submit(2n, { deadlineMs: 5_000 });
  c.submit(2n, { deadlineMs: 900 });
  await clock.advance(40);
  expect(b.all("refused")).toMatchObject([{ code: "deadline_exceeded", retryable: false, usage: { promptTokens: 0 } }]);
  await clock.advance(3_000);
  const at = [c.all("done", 2n)[0]?.at, a.all("done", 2n)[0]?.at, c.all("done", 1n)[0]?.at] as number[];
  expect([...at].sort((x, y) => x - y)).toEqual(at);
  expect(c.all("done", 1n)[0]?.usage?.queueMs).toBeGreaterThan(100);
  expect(engine.load()).toMatchObject(idle);
});

test("an inline arrival at full slots retires the speculative work that came last, and only as much as it needs", async () => {
  const { clock, engine, connect } = worker({ slots: 2 });
  const router = connect();
  await clock.advance(0);
  router.send({ case: "demand", value: { speculative: 2 } });
  await clock.advance(0);
  router.submit(1n, { lane: Lane.SPECULATIVE, sampling: { maxTokens: 200 } });
  router.submit(2n, { lane: Lane.SPECULATIVE, sampling: { maxTokens: 200 } });
  await clock.advance(50);
  router.submit(3n);
  await clock.advance(20);
  expect(router.all("refused")).toMatchObject([{ id: 2n, code: "overloaded", retryable: true }]);
  expect(router.all("refused")[0]?.usage?.completionTokens).toBeGreaterThan(0);
  await clock.advance(5_000);
  expect([router.all("done", 3n).length, router.all("done", 1n).length]).toEqual([1, 1]);
  expect(engine.load()).toMatchObject(idle);
});

test("a reader that opens no window keeps its own text waiting, and neither a slot nor another reader", async () => {
  const { clock, engine, connect } = worker({ slots: 1 });
  const [slow, other] = [connect("slow"), connect("other")];
  await clock.advance(0);
  slow.submit(1n, { windowBytes: 10 });
  await clock.advance(1_000);
  expect(slow.text(1n).length).toBe(10);
  expect(slow.all("done")).toEqual([]);
  expect(engine.load()).toMatchObject(idle);
  other.submit(1n);
  await clock.advance(1_000);
  expect(other.all("done").length).toBe(1);
  slow.send({ case: "window", value: { id: 1n, bytes: 15 } });
  await clock.advance(0);
  expect(slow.text(1n).length).toBe(25);
  slow.send({ case: "window", value: { id: 1n, bytes: 100_000 } });
  await clock.advance(0);
  expect(slow.story(1n)).toBe("delta done");
  expect(slow.text(1n)).toBe(other.text(1n));
});

test("a Cancel, a deadline or a lost stream ends text that waits for its reader", async () => {
  const { clock, connect } = worker();
  const [a, b] = [connect("a"), connect("b")];
  await clock.advance(0);
  a.submit(1n, { windowBytes: 4 });
  a.submit(2n, { windowBytes: 4, deadlineMs: 700 });
  b.submit(1n, { windowBytes: 4 });
  await clock.advance(500);
  a.cancel(1n);
  await clock.advance(0);
  expect(a.story(1n)).toBe("delta cancelAck");
  b.inbox.end();
  await clock.advance(300);
  expect(a.all("done", 2n)).toMatchObject([{ finish: Finish.DEADLINE }]);
  expect(b.story(1n)).toBe("delta");
  expect(b.over).toBe(true);
  expect(clock.next()).toBeUndefined();
});

test("text ends at a stop string or a line end, the engine stops, and Done says so", async () => {
  const { clock, engine, connect } = worker();
  const router = connect();
  await clock.advance(0);
  router.submit(1n, { sampling: { maxTokens: 200, stop: ["never", "reduce((sum"] } });
  router.submit(2n, { sampling: { maxTokens: 200 }, stopAtNewline: true });
  await clock.advance(400);
  expect(router.text(1n)).toBe("const total = items.");
  expect(router.all("done", 1n)[0]?.finish).toBe(Finish.STOP);
  expect(router.text(2n)).toBe(code.trimEnd());
  expect(router.all("done", 2n)[0]?.finish).toBe(Finish.CUT);
  expect(engine.load()).toMatchObject(idle);
});

test("what decodes at its deadline is stopped and closed as cut there", async () => {
  const { clock, engine, connect } = worker();
  const router = connect();
  await clock.advance(0);
  router.submit(1n, { deadlineMs: 80, sampling: { maxTokens: 400 } });
  await clock.advance(100);
  const done = router.all("done", 1n)[0];
  expect(done?.finish).toBe(Finish.DEADLINE);
  expect(router.text(1n).length).toBeGreaterThan(0);
  expect(engine.load()).toMatchObject(idle);
});

test("a drain tells every router, refuses what waits, lets what runs end, and then the rest go", async () => {
  const { clock, engine, agent, connect } = worker({ slots: 2 });
  const router = connect();
  await clock.advance(0);
  router.submit(1n, { sampling: { maxTokens: 40 } });
  router.submit(2n, { sampling: { maxTokens: 2_000 } });
  router.submit(3n);
  await clock.advance(50);
  let drained = false;
  void agent.drain(1_000).then(() => {
    drained = true;
  });
  router.submit(4n);
  await clock.advance(0);
  expect(router.all("draining")).toMatchObject([{ graceMs: 1_000 }]);
  expect(router.credits()).toEqual([0, 0, 0, 0]);
  expect(router.all("refused").map(({ id, code: why, retryable }) => [id, why, retryable])).toEqual([
    [3n, "draining", true],
    [4n, "draining", true],
  ]);
  const late = connect("late");
  await clock.advance(500);
  expect(late.frames.map(({ frame }) => frame.case)).toContain("draining");
  expect(late.credits()).toEqual([0, 0, 0, 0]);
  expect(router.all("done", 1n).length).toBe(1);
  expect(drained).toBe(false);
  await clock.advance(600);
  expect(router.all("refused", 2n)).toMatchObject([{ code: "draining", retryable: true }]);
  expect(drained).toBe(true);
  expect(engine.load()).toMatchObject(idle);
  agent.resume();
  await clock.advance(0);
  expect(router.all("resume").length).toBe(1);
  router.submit(9n);
  await clock.advance(500);
  expect(router.all("done", 9n).length).toBe(1);
  agent.close();
  await clock.advance(0);
  expect([router.error?.code, late.error?.code]).toEqual(["draining", "draining"]);
});

test("a lost stream frees everything it had, and says nothing more on it", async () => {
  const { clock, engine, connect } = worker({ slots: 2 });
  const router = connect();
  await clock.advance(0);
  for (let id = 1n; id <= 3n; id++) router.submit(id, { sampling: { maxTokens: 400 } });
  await clock.advance(60);
  expect(engine.load().running).toBe(2);
  const frames = router.frames.length;
  router.inbox.end();
  await clock.advance(100);
  expect(router.over).toBe(true);
  expect(router.frames.length).toBe(frames);
  expect(engine.load()).toMatchObject(idle);
  expect(clock.next()).toBeUndefined();
});

test("an engine that dies refuses what it ran, retryable, and the agent lives", async () => {
  const { clock, engine, connect } = worker();
  const router = connect();
  await clock.advance(0);
  router.submit(1n);
  await clock.advance(30);
  engine.crash("out of memory");
  await clock.advance(0);
  expect(router.all("refused", 1n)).toMatchObject([{ code: "engine_failed", retryable: true }]);
  router.submit(2n);
  await clock.advance(0);
  expect(router.all("refused", 2n)).toMatchObject([{ code: "engine_failed" }]);
  expect(router.over).toBe(false);
});

test.each([
  ["an unknown model", { model: "gpt" }, "not_found", "submit.model"],
  ["no lane", { lane: Lane.UNSPECIFIED }, "invalid_request", "submit.lane"],
  ["a lane of the future", { lane: 17 as Lane }, "invalid_request", "submit.lane"],
  ["no segments", { segments: [] }, "invalid_request", "submit.segments"],
  ["an empty segment", { segments: [{}] }, "invalid_request", "submit.segments[0]"],
  ["segments without text", { segments: [{ part: { case: "text", value: "" } }] }, "invalid_request", "submit.segments"],
  ["an unknown special token", { segments: [{ part: { case: "special", value: "<|im_start|>" } }] }, "invalid_request", "special"],
  ["a prompt over the bytes", { text: "x".repeat(300_000) }, "invalid_request", "submit.segments"],
  ["a prompt over the context", { text: code.repeat(2_000) }, "invalid_request", "submit.segments"],
  [
    "too many segments",
    { segments: Array(300).fill({ part: { case: "text", value: "x" } }) },
    "invalid_request",
    "submit.segments",
  ],
  ["no tokens wanted", { sampling: { maxTokens: 0 } }, "invalid_request", "submit.sampling.max_tokens"],
  ["too many tokens", { sampling: { maxTokens: 100_000 } }, "invalid_request", "submit.sampling.max_tokens"],
  ["a temperature of 3", { sampling: { temperature: 3 } }, "invalid_request", "submit.sampling.temperature"],
  ["a temperature that is no number", { sampling: { temperature: Number.NaN } }, "invalid_request", "submit.sampling.temperature"],
  ["top_p 0", { sampling: { topP: 0 } }, "invalid_request", "submit.sampling.top_p"],
  ["an empty stop", { sampling: { stop: [""] } }, "invalid_request", "submit.sampling.stop[0]"],
  ["nine stops", { sampling: { stop: Array(9).fill("x") } }, "invalid_request", "submit.sampling.stop"],
  ["a stop of 65 bytes", { sampling: { stop: ["x".repeat(65)] } }, "invalid_request", "submit.sampling.stop[0]"],
  ["speculation of the future", { sampling: { speculation: 9 } }, "invalid_request", "submit.sampling.speculation"],
  ["a deadline of an hour", { deadlineMs: 3_600_000 }, "invalid_request", "submit.deadline_ms"],
  ["digests cut short", { blockDigests: new Uint8Array(7) }, "invalid_request", "submit.block_digests"],
  ["digests without end", { blockDigests: new Uint8Array(80_000) }, "invalid_request", "submit.block_digests"],
  ["a salt of a kilobyte", { cacheSalt: "x".repeat(1_024) }, "invalid_request", "submit.cache_salt"],
  ["a draft of 100", { draftDepthHint: 100 }, "invalid_request", "submit.draft_depth_hint"],
] as const)("%s is refused by name and the stream lives", async (_what, wish, code_, field) => {
  const { clock, engine, connect } = worker();
  const router = connect();
  await clock.advance(0);
  router.submit(1n, wish as Wish);
  router.submit(2n);
  await clock.advance(1_000);
  expect(router.all("refused")).toMatchObject([{ id: 1n, code: code_, retryable: false }]);
  expect(router.all("refused")[0]?.detail).toContain(field);
  expect(router.all("done", 2n).length).toBe(1);
  expect(engine.load()).toMatchObject(idle);
});

test.each([
  ["no hello", { case: "cancel", value: { id: 1n } }, "invalid_request", "hello"],
  ["an empty frame first", { case: undefined }, "invalid_request", "hello"],
  [
    "a router of the future",
    { case: "hello", value: { protocolMin: 2, protocolMax: 3, router: "r", channel: 1 } },
    "protocol",
    "2 to 3",
  ],
  [
    "a router of the past",
    { case: "hello", value: { protocolMin: 0, protocolMax: 0, router: "r", channel: 1 } },
    "protocol",
    "0 to 0",
  ],
  [
    "versions upside down",
    { case: "hello", value: { protocolMin: 2, protocolMax: 1, router: "r", channel: 1 } },
    "invalid_request",
    "protocol_min",
  ],
  [
    "a router without a name",
    { case: "hello", value: { protocolMin: 1, protocolMax: 1, channel: 1 } },
    "invalid_request",
    "hello.router",
  ],
  ["no channel", { case: "hello", value: { protocolMin: 1, protocolMax: 1, router: "r" } }, "invalid_request", "hello.channel"],
] as const)("a stream that begins with %s is ended with the reason", async (_what, frame, code_, says) => {
  const { clock, agent } = worker();
  const router = new RouterEnd(agent, clock, { hello: false });
  router.send(frame as never);
  await clock.advance(0);
  expect(router.error).toMatchObject({ code: code_ });
  expect(router.error?.message).toContain(says);
  expect(router.frames).toEqual([]);
});

test("breaches of the protocol end the stream; frames nobody knows, or about nothing, do not", async () => {
  const { clock, engine, agent, connect } = worker();
  const router = connect();
  await clock.advance(0);
  for (const frame of [
    { case: undefined },
    { case: "cancel", value: { id: 77n } },
    { case: "window", value: { id: 77n, bytes: 5 } },
    { case: "prewarm", value: { model: "nobody" } },
    { case: "kvResend", value: { fromSequence: 0n } },
  ] as const)
    router.send(frame as never);
  router.submit(1n, { sampling: { maxTokens: 400 } });
  await clock.advance(50);
  expect(router.over).toBe(false);
  router.submit(1n);
  await clock.advance(50);
  expect(router.error).toMatchObject({ code: "protocol" });
  expect(engine.load()).toMatchObject(idle);
  const again = new RouterEnd(agent, clock);
  again.send({ case: "hello", value: { protocolMin: 1, protocolMax: 1, router: "r", channel: 1 } });
  await clock.advance(0);
  expect(again.error).toMatchObject({ code: "protocol" });
});

test("routers beyond the most are turned away, their second streams are not", async () => {
  const { clock, connect } = worker({ routersMax: 2 });
  const streams = [connect("a"), connect("b"), connect("a", Channel.BULK), connect("c")];
  await clock.advance(0);
  expect(streams.map((stream) => stream.error?.code)).toEqual([undefined, undefined, undefined, "overloaded"]);
});

test("a router's two streams share one account", async () => {
  const { clock, connect } = worker({ slots: 4 });
  const [inline, bulk, other] = [connect("a"), connect("a", Channel.BULK), connect("b")];
  await clock.advance(0);
  expect([inline.credits(), other.credits()[0]]).toEqual([bulk.credits(), 2]);
  bulk.submit(1n, { lane: Lane.CHAT, sampling: { maxTokens: 200 } });
  await clock.advance(50);
  inline.submit(1n, { sampling: { maxTokens: 20 } });
  await clock.advance(2_000);
  expect([inline.story(1n), bulk.story(1n)]).toEqual(["delta done", "delta done"]);
});

test("Load comes at changes and while work runs, at most each 100 ms, and ends at rest", async () => {
  const { clock, connect } = worker();
  const router = connect();
  await clock.advance(500);
  expect(router.all("load").length).toBe(1);
  for (let id = 1n; id <= 3n; id++) router.submit(id, { sampling: { maxTokens: 150 } });
  await clock.advance(3_000);
  const loads = router.all("load").slice(1);
  const gaps = loads.slice(1).map((load, i) => load.at - (loads[i] as { at: number }).at);
  expect(loads.length).toBeGreaterThan(3);
  expect(Math.min(...gaps)).toBeGreaterThanOrEqual(100);
  expect(loads[0]).toMatchObject({ running: 3, slots: 4 });
  expect(loads[1]?.stepMs).toBeGreaterThan(4);
  expect(loads.at(-1)).toMatchObject({ running: 0, waiting: 0, kvBlocksUsed: 0 });
  expect(loads.at(-1)?.draftAcceptance).toBeGreaterThan(0.2);
});

test("KV changes reach the bulk stream in order, and a gap is sent again", async () => {
  const { clock, connect } = worker();
  const [inline, bulk] = [connect("a"), connect("a", Channel.BULK)];
  const digests = (first: number) => Uint8Array.from({ length: 8 * 20 }, (_, i) => (i % 8 === 7 ? first + Math.floor(i / 8) : 0));
  await clock.advance(0);
  for (const [id, first] of [
    [1n, 0],
    [2n, 100],
  ] as const) {
    inline.submit(id, { blockDigests: digests(first), text: `${id} ${code.repeat(19)}` });
    await clock.advance(500);
  }
  const changes = bulk.all("kvChange");
  expect(inline.all("kvChange")).toEqual([]);
  expect(changes.map((change) => change.sequence)).toEqual(changes.map((_, i) => BigInt(i + 1)));
  expect(changes.flatMap((change) => change.stored).length).toBeGreaterThan(30);
  bulk.send({ case: "kvResend", value: { fromSequence: 2n } });
  await clock.advance(0);
  expect(bulk.all("kvChange").slice(changes.length)).toMatchObject(
    changes.slice(1).map(({ sequence, stored }) => ({ sequence, stored })),
  );
});

test("a prewarmed prefix is computed in idle time and found by the next prompt", async () => {
  const { clock, connect } = worker();
  const router = connect();
  await clock.advance(0);
  const segments = [
    { part: { case: "special" as const, value: "<|fim_prefix|>" } },
    { part: { case: "text" as const, value: code.repeat(30) } },
  ];
  router.send({ case: "prewarm", value: { model: "m", segments, cacheSalt: "t" } });
  await clock.advance(200);
  router.submit(1n, { segments: [...segments, { part: { case: "special", value: "<|fim_middle|>" } }], cacheSalt: "t" });
  await clock.advance(500);
  expect(router.all("done", 1n)[0]?.usage?.recomputedTokens).toBeLessThan(20);
});
