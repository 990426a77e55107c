// document: what a key costs the router's processor against the length of its document. Whole sessions in this process: frames
// are decoded, mirrored, judged, given context, rendered into a prompt and answered; only the worker is left out, whose part
// does not know the document. Processor time of the process, in blocks of keys, so that a busy machine does not count.
import { createHash } from "node:crypto";
import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { MemoryBus } from "../lib/bus/memory.ts";
import { type Clock, systemClock } from "../lib/clock.ts";
import { SlipstreamError } from "../lib/errors.ts";
import type { Duplex } from "../lib/grpc/duplex.ts";
import { silentLog } from "../lib/log.ts";
import { seeded } from "../lib/random.ts";
import { Mailbox } from "../lib/structures/mailbox.ts";
import {
  type ClientMessage,
  ClientMessageSchema,
  type ServerMessage,
  ServerMessageSchema,
  TriggerKind,
} from "../proto/gen/slipstream/v1/completion_pb.ts";
import type { ServedModel } from "../router/completion.ts";
import { readRouterConfig } from "../router/config.ts";
import { createRouterMetrics } from "../router/metrics.ts";
import type { Router } from "../router/router.ts";
import { runSession } from "../router/session-service.ts";
import { wireRouter } from "../router/wire.ts";
import { percentile } from "../sim/statistics.ts";

type Message = MessageInitShape<typeof ClientMessageSchema>;

export interface KeyCost {
  readonly document_bytes: number;
  readonly lines: "code" | "one";
  /** Of the model: the prompt is as long as its window, or as the document where that is shorter. */
  readonly context_tokens: number;
  /** Does each edit bring the hash of the text after it? */
  readonly hashed: boolean;
  readonly keys: number;
  readonly cpu_us_per_key: { readonly p50: number; readonly p95: number };
}

export interface DocumentOptions {
  readonly keys: number;
  readonly signal?: AbortSignal;
}

const sizes = [1_000, 100_000, 1_000_000];
/** A window that every document fills shows what its length costs; the large one what prompts cost. */
const kinds: readonly Omit<Kind, "size">[] = [
  { lines: "code", hashed: false, contextTokens: 256 },
  { lines: "code", hashed: false, contextTokens: 4_096 },
  { lines: "one", hashed: false, contextTokens: 4_096 },
  { lines: "code", hashed: true, contextTokens: 4_096 },
];
const keysPerBlock = 20;
const warmUpKeys = 1_000;

export async function benchDocument(options: DocumentOptions): Promise<KeyCost[]> {
  const report: KeyCost[] = [];
  // The first session pays for everybody's compiled code.
  for (const size of sizes) await measure({ size, lines: "code", hashed: true, contextTokens: 4_096 }, warmUpKeys / sizes.length);
  for (const kind of kinds)
    for (const size of sizes) {
      if (options.signal?.aborted) return report;
      report.push(await measure({ size, ...kind }, options.keys));
    }
  return report;
}

interface Kind {
  readonly size: number;
  readonly lines: KeyCost["lines"];
  readonly hashed: boolean;
  readonly contextTokens: number;
}

async function measure({ size, lines, hashed, contextTokens }: Kind, keys: number): Promise<KeyCost> {
  const editor = new Editor(routerWithoutWorkers(contextTokens), textOf(size, lines), hashed);
  await editor.type(keysPerBlock * 5);
  const costs: number[] = [];
  const blocks = Array.from({ length: Math.max(1, Math.floor(keys / keysPerBlock)) }, () => editor.prepare(keysPerBlock));
  for (const messages of blocks) {
    const before = process.cpuUsage();
    await editor.say(messages);
    const { user, system } = process.cpuUsage(before);
    costs.push((user + system) / keysPerBlock);
  }
  await editor.close();
  const at = (share: number) => Math.round(percentile(costs, share));
  const cpu = { p50: at(0.5), p95: at(0.95) };
  const counted = costs.length * keysPerBlock;
  return { document_bytes: size, lines, context_tokens: contextTokens, hashed, keys: counted, cpu_us_per_key: cpu };
}

function textOf(size: number, lines: KeyCost["lines"]): string {
  const line = "  const values = items.map((item) => item.value).filter(Boolean);\n";
  const text = line.repeat(Math.ceil(size / line.length)).slice(0, size);
  return lines === "one" ? text.replaceAll("\n", " ") : text;
}

const modelOf = (contextTokens: number): ServedModel => ({
  name: "m",
  fimFamily: "",
  fim: { prefix: "<P>", suffix: "<S>", middle: "<M>", fileSeparator: "", repository: "" },
  contextTokens,
  bytesPerToken: 3,
  chatTemplate: false,
  prefillTokensPerSecond: 20_000,
});

/** The router believes that a person types; else it would read such a session more slowly. */
const keyMs = 100;
let nowMs = 0;
const clock: Clock = { ...systemClock, now: () => nowMs };

/** Everything up to the queue, which refuses. */
function routerWithoutWorkers(contextTokens: number): Router {
  const model = modelOf(contextTokens);
  return wireRouter(readRouterConfig({}), {
    clock,
    random: seeded(1),
    log: silentLog,
    metrics: createRouterMetrics(),
    bus: new MemoryBus(),
    connect: () => {
      throw new SlipstreamError("no_worker", "none is measured");
    },
    measured: (rooms) => {
      rooms.fleet.model = () => model;
      rooms.queue.next = async () => {
        throw new SlipstreamError("overloaded", "measured so far");
      };
    },
  });
}

/** Types in the middle of its document, one trigger a key, each waited for. */
class Editor {
  readonly #router: Router;
  readonly #frames = new Mailbox<ClientMessage>({ max: Number.POSITIVE_INFINITY, full: "refuse" });
  readonly #gone = new AbortController();
  readonly #hashed: boolean;
  readonly #over: Promise<void>;
  #text: string;
  #cursor: number;
  #version = 1n;
  #answered: () => void = () => {};

  constructor(router: Router, text: string, hashed: boolean) {
    this.#router = router;
    this.#hashed = hashed;
    this.#text = text;
    this.#cursor = text.length >> 1;
    const stream: Duplex<ClientMessage, ServerMessage> = {
      frames: this.#frames,
      signal: this.#gone.signal,
      send: (message) => {
        toBinary(ServerMessageSchema, message);
        if (message.message.case === "nothing") this.#answered();
        return true;
      },
      drained: async () => {},
      end: () => {},
    };
    this.#over = runSession(router, stream, "default");
    this.#push({ case: "hello", value: { protocol: "1", sessionId: "s" } });
    this.#push({ case: "documentOpen", value: { documentId: "d", path: "a.ts", language: "typescript", version: 1n, text } });
  }

  async type(keys: number): Promise<void> {
    await this.say(this.prepare(keys));
  }

  /** Frames of keys as they come over the wire: what the client computes is not the router's cost. */
  prepare(keys: number): Uint8Array[] {
    return Array.from({ length: keys }, () => {
      const edit = { startUtf16: this.#cursor, endUtf16: this.#cursor, text: "x" };
      if (this.#hashed) this.#text = `${this.#text.slice(0, this.#cursor)}x${this.#text.slice(this.#cursor)}`;
      this.#cursor += 1;
      this.#version += 1n;
      const sha256After = this.#hashed ? createHash("sha256").update(this.#text).digest() : new Uint8Array();
      const place = { documentId: "d", version: this.#version };
      return [
        { case: "documentEdit", value: { ...place, baseVersion: this.#version - 1n, edits: [edit], sha256After } } as const,
        { case: "trigger", value: { ...place, offsetUtf16: this.#cursor, kind: TriggerKind.INVOKED } } as const,
      ].map((message) => toBinary(ClientMessageSchema, create(ClientMessageSchema, { message } as Message)));
    }).flat();
  }

  async say(frames: readonly Uint8Array[]): Promise<void> {
    for (let i = 0; i < frames.length; i += 2) {
      const answered = new Promise<void>((resolve) => {
        this.#answered = resolve;
      });
      nowMs += keyMs;
      for (const frame of frames.slice(i, i + 2)) this.#frames.push(fromBinary(ClientMessageSchema, frame));
      await answered;
    }
  }

  async close(): Promise<void> {
    this.#frames.end();
    await this.#over;
    this.#gone.abort();
    await this.#router.close();
  }

  #push(message: Message["message"]): void {
    this.#frames.push(create(ClientMessageSchema, { message } as Message));
  }
}
