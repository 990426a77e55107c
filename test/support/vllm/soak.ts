// soak: an agent before a pretend vLLM that fails at random, and a router's end that submits, cancels and breaks off at random. Each
// Submit must end with exactly one closing frame, and in the end nothing may be left: no slot, no credit, no request, no connection.
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { systemClock } from "../../../lib/clock.ts";
import { below, seeded } from "../../../lib/random.ts";
import { Mailbox } from "../../../lib/structures/mailbox.ts";
import {
  Channel,
  Lane,
  type RouterFrame,
  RouterFrameSchema,
  type WorkerFrame,
} from "../../../proto/gen/slipstream/v1/worker_pb.ts";
import { SupervisedEngine } from "../../../workers/engine/supervised.ts";
import { VllmEngine } from "../../../workers/engine/vllm/vllm.ts";
import { agentDefaults, createAgent } from "../../../workers/wire.ts";
import { pause, until } from "../until.ts";
import type { Fault } from "./completion.ts";
import { type FakeOptions, FakeVllm } from "./fake-vllm.ts";
import { FakePublisher } from "./publisher.ts";

export interface SoakOptions {
  readonly seed: number;
  readonly generations: number;
  /** The engine is killed, and comes back on the same port, after so many. */
  readonly killEvery: number;
  readonly progress?: (ended: number) => void;
}

export interface Soaked {
  readonly ends: Readonly<Record<string, number>>;
  /** Submits that ended with another number of closing frames than one. */
  readonly wrong: readonly string[];
  readonly left: { readonly running: number; readonly waiting: number; readonly engine: number };
  readonly creditsBefore: string;
  readonly creditsAfter: string;
  readonly connections: number;
  readonly kills: number;
}

const faults: readonly Fault[] = [
  ...(["refused", "full", "broken", "cut", "cut_before", "garbage", "not_json", "error_event", "endless_line", "no_end"] as const),
  "too_many_tokens",
];
const lanes = [...Array(9).fill(Lane.INLINE), Lane.CHAT, Lane.SPECULATIVE, Lane.BATCH] as Lane[];
const atOnce = 6;

export async function soak(options: SoakOptions): Promise<Soaked> {
  const random = seeded(options.seed);
  const publisher = await FakePublisher.start();
  const events = publisher.publish.bind(publisher);
  const about = { blocks: 200, kvEndpoints: publisher.endpoints, events, text: () => "const a = 漢字;\n" };
  let fake = await FakeVllm.start(about);
  const { port, url } = fake;
  const watching = { busyMs: 10, idleMs: 50, hungMs: 1_000 };
  const start = () =>
    VllmEngine.start(
      { url, model: "", slots: 4, tokenizer: "", startMs: 20_000, confidence: false, ...watching },
      { clock: systemClock, random },
    );
  const engine = await SupervisedEngine.start({ restartsMax: 1e6, firstPauseMs: 5, pauseMaxMs: 20 }, { clock: systemClock, start });
  const agent = createAgent({ ...agentDefaults, worker: "w", pool: "p" }, { clock: systemClock, random, engine });
  engine.watch({ down: () => void agent.drain(0), up: () => agent.resume() });

  const closings = new Map<bigint, string[]>();
  const waiting = new Map<bigint, () => void>();
  let credits = "";
  let counted = 0;
  const inbox = new Mailbox<RouterFrame>({ max: 1e6, full: "refuse" });
  const say = (frame: MessageInitShape<typeof RouterFrameSchema>["frame"]) =>
    inbox.push(create(RouterFrameSchema, { frame } as MessageInitShape<typeof RouterFrameSchema>));
  const hear = ({ frame }: WorkerFrame) => {
    if (frame.case === "credits")
      credits = [frame.value.inline, frame.value.chat, frame.value.speculative, frame.value.batch].join(" ");
    if (frame.case !== "done" && frame.case !== "refused" && frame.case !== "cancelAck") return;
    const how = frame.case === "refused" ? `refused ${frame.value.code}` : frame.case;
    closings.set(frame.value.id, [...(closings.get(frame.value.id) ?? []), how]);
    if (how !== "refused overloaded") counted += 1;
    waiting.get(frame.value.id)?.();
  };
  const served = agent.serve({ frames: inbox, send: hear, end: (error) => inbox.end(error) });
  say({ case: "hello", value: { protocolMin: 1, protocolMax: 1, router: "r", channel: Channel.INLINE } });
  await until("there are credits", () => credits !== "");
  const creditsBefore = credits;

  let [next, kills] = [1n, 0];
  const one = async () => {
    const id = next++;
    if (below(random, 3) === 0) fake.faults.push(faults[below(random, faults.length)] as Fault);
    const over = new Promise<void>((resolve) => waiting.set(id, resolve));
    const part = (text: string) => ({ part: { case: "text" as const, value: text } });
    const text = `// ${below(random, 40)}\n${"const a = b;\n".repeat(below(random, 20))}`;
    const sampling = { maxTokens: 1 + below(random, 40), stop: below(random, 4) === 0 ? ["漢"] : [] };
    const rest = {
      affinity: `s${below(random, 9)}`,
      cacheSalt: ["", "a", "b"][below(random, 3)] as string,
      stopAtNewline: below(random, 2) === 0,
    };
    say({
      case: "submit",
      value: { id, lane: lanes[below(random, lanes.length)] as Lane, model: "tiny", segments: [part(text)], sampling, ...rest },
    });
    if (below(random, 4) === 0) systemClock.timer(below(random, 15), () => say({ case: "cancel", value: { id } }));
    await over;
    waiting.delete(id);
    options.progress?.(Number(id));
  };
  const many = async () => {
    // What is beyond the credits is refused before it meets anything.
    while (counted < options.generations) {
      const kill = Number(next) % options.killEvery === 0;
      const running = one();
      if (kill) {
        kills += 1;
        await fake.kill();
        if (below(random, 2) === 0) publisher.cut();
        fake = await again({ ...about, port });
      }
      await running;
    }
  };
  await Promise.all(Array.from({ length: atOnce }, many));
  await until(
    "the engine is back and idle",
    () => fake.running === 0 && engine.load().running === 0 && credits === creditsBefore,
    10_000,
  );
  const left = { running: engine.load().running, waiting: waiting.size, engine: fake.running };
  const { connections } = fake;
  const ends: Record<string, number> = {};
  for (const [how = "none"] of closings.values()) ends[how] = (ends[how] ?? 0) + 1;
  const wrong = [...closings].flatMap(([id, hows]) => (hows.length === 1 ? [] : [`${id}: ${hows.join(", ")}`]));
  const creditsAfter = credits;
  inbox.end();
  await served;
  await engine.close();
  await fake.kill();
  await publisher.close();
  return { ends, wrong, left, creditsBefore, creditsAfter, connections, kills };
}

/** On the same port, which on a busy machine another program's connection may have had for a moment. */
async function again(options: FakeOptions): Promise<FakeVllm> {
  for (let tries = 1; ; tries++) {
    try {
      return await FakeVllm.start(options);
    } catch (thrown) {
      if ((thrown as { code?: string }).code !== "EADDRINUSE" || tries >= 1_000) throw thrown;
      await pause(10);
    }
  }
}
