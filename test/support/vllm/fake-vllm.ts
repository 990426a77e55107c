// fake-vllm: a server that speaks vLLM's HTTP as recorded from a real one (test/golden/vllm), with a pretend model, a real prefix
// cache, and faults on demand. For fast tests; the real one is in test/system.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { type BlockEvent, FakeBlocks } from "./blocks.ts";
import { type Body, FakeCompletion, type Fault, json, type Pretence } from "./completion.ts";
import { answers, errorBody, exposition, type FakeState, otherAnswers } from "./messages.ts";

export interface FakeOptions extends Pretence {
  readonly port?: number;
  readonly model?: string;
  readonly root?: string;
  readonly contextTokens?: number;
  readonly blockTokens?: number;
  readonly blocks?: number;
  readonly seats?: number;
  readonly priority?: boolean;
  readonly details?: boolean;
  readonly metrics?: boolean;
  readonly tokensOnly?: boolean;
  /** False: started without --enable-lora. */
  readonly adapters?: boolean;
  readonly kvEndpoints?: { readonly endpoint: string; readonly replay: string };
  readonly events?: (events: BlockEvent[]) => void;
}

interface Seat {
  readonly priority: number;
  readonly order: number;
  readonly start: () => void;
}

export class FakeVllm {
  readonly requests: Body[] = [];
  readonly blocks: FakeBlocks;
  /** Taken off from the front, one a completion. */
  faults: Fault[] = [];
  aborted = 0;
  running = 0;
  ready = true;
  /** It has no page for aborts any more. */
  deaf = false;
  /** Connections since the start. */
  accepted = 0;
  readonly #options: FakeOptions;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #adapters: string[] = [];
  /** By the name that the engine knows each under. */
  readonly #named = new Map<string, FakeCompletion>();
  #frozen: { readonly over: Promise<void>; readonly thaw: () => void } | undefined;
  #asleep = false;
  #waiting: Seat[] = [];
  #order = 0;
  readonly #speculated = { drafts: 0, drafted: 0, accepted: 0 };

  private constructor(options: FakeOptions) {
    this.#options = options;
    const { blockTokens = 16, blocks = 4_096, events = () => {} } = options;
    this.blocks = new FakeBlocks({ blockTokens, blocks }, { tell: events });
    this.#server = createServer((request, response) => void this.#answer(request, response));
    this.#server.on("connection", (socket) => {
      this.#sockets.add(socket);
      this.accepted += 1;
      socket.on("close", () => this.#sockets.delete(socket));
    });
  }

  static async start(options: FakeOptions = {}): Promise<FakeVllm> {
    const fake = new FakeVllm(options);
    await new Promise<void>((resolve, reject) => {
      fake.#server.once("error", reject);
      fake.#server.listen(options.port ?? 0, "127.0.0.1", resolve);
    });
    return fake;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get connections(): number {
    return this.#sockets.size;
  }

  /** From now on it answers nothing, until it goes on. */
  freeze(): void {
    if (this.#frozen) return;
    let thaw = () => {};
    const over = new Promise<void>((resolve) => {
      thaw = resolve;
    });
    this.#frozen = { over, thaw };
  }

  thaw(): void {
    this.#frozen?.thaw();
    this.#frozen = undefined;
  }

  /** As kill -9: every connection breaks, and nobody listens. */
  async kill(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const text = await bodyOf(request);
    await this.#frozen?.over;
    const { speaks = "vllm" } = this.#options;
    const body = (text === "" ? {} : JSON.parse(text)) as Body;
    const path = (request.url ?? "").split("?")[0] as string;
    if (path === "/v1/completions") this.#complete(body, response);
    else if (path === "/inference/v1/generate" && this.#options.tokensOnly !== false && body.token_ids)
      this.#complete({ ...body, ...body.sampling_params, prompt: body.token_ids, tokens_out: true }, response);
    else if (path === "/inference/v1/abort_requests" && this.#options.tokensOnly !== false && !this.deaf)
      this.#abort(body, response);
    else if (speaks !== "vllm") {
      const found = otherAnswers(path, speaks, this.#state(), this.ready);
      json(response, found.status, found.body);
    } else if (path === "/health" && !this.ready) json(response, 503, {});
    else if (path === "/metrics" && this.#options.metrics !== false) plain(response, exposition(this.#state()));
    else {
      if (path === "/sleep" || path === "/wake_up") this.#asleep = path === "/sleep";
      if (path === "/v1/load_lora_adapter") this.#adapt(body as { lora_name?: string });
      const found = answers(path, body as Record<string, unknown>, this.#state());
      json(response, found.status, found.body);
    }
  }

  #abort({ request_ids: ids = [] }: Body, response: ServerResponse): void {
    for (const id of ids) this.#named.get(id)?.abort();
    response.writeHead(200);
    response.end();
  }

  #adapt({ lora_name: name }: { lora_name?: string }): void {
    if (name !== undefined) this.#adapters.push(name);
  }

  #state(): FakeState {
    const { model = "tiny", root = "/nowhere/tiny", contextTokens = 4_096, blockTokens = 16, blocks = 4_096 } = this.#options;
    const { tokensOnly = true, kvEndpoints, perStep = 1 } = this.#options;
    return {
      ...{
        model,
        root,
        contextTokens,
        blockTokens,
        blocks,
        tokensOnly,
        adapters: this.#adapters,
        asleep: this.#asleep,
        adaptable: this.#options.adapters !== false,
      },
      ...{
        running: this.running,
        waiting: this.#waiting.length,
        used: this.blocks.size,
        asked: this.blocks.asked,
        hit: this.blocks.hit,
      },
      kv: kvEndpoints,
      speculated: perStep > 1 ? this.#speculated : undefined,
    };
  }

  #complete(body: Body, response: ServerResponse): void {
    const { seats = 64 } = this.#options;
    this.requests.push(body);
    const fault = body.stream ? this.faults.shift() : undefined;
    const tokens = typeof body.prompt === "string" ? Array.from(Buffer.from(body.prompt)) : (body.prompt ?? []);
    const refusal = this.#refusal(body, tokens, fault);
    if (refusal) json(response, refusal[0], errorBody(refusal[0], refusal[1]));
    else if (fault === "cut_before") response.socket?.destroy();
    else if (this.running < seats) this.#seated(body, tokens, response, fault);
    else this.#queue(body.priority ?? 0, response, () => this.#seated(body, tokens, response, fault));
  }

  #refusal(body: Body, tokens: readonly number[], fault: Fault | undefined): [status: number, message: string] | undefined {
    const { model = "tiny", priority = true, contextTokens = 4_096 } = this.#options;
    if (body.model !== model && !this.#adapters.includes(body.model ?? "")) return [404, "no such model"];
    if (tokens.length + (body.max_tokens ?? 16) > contextTokens) return [400, "the prompt is too long"];
    if (!priority && (body.priority ?? 0) !== 0) return [400, "priority scheduling is not enabled"];
    if (this.#options.speaks === "bare" && typeof body.prompt !== "string") return [400, "prompt must be a text"];
    if (fault === "refused") return [400, "refused for a test"];
    if (fault === "full") return [503, "the queue is full"];
    if (fault === "broken") return [500, "EngineCore encountered an issue"];
    return undefined;
  }

  #queue(priority: number, response: ServerResponse, start: () => void): void {
    const seat: Seat = { priority, order: this.#order++, start };
    this.#waiting.push(seat);
    this.#waiting.sort((a, b) => a.priority - b.priority || a.order - b.order);
    response.on("close", () => {
      this.#waiting = this.#waiting.filter((other) => other !== seat);
    });
  }

  #seated(body: Body, tokens: readonly number[], response: ServerResponse, fault: Fault | undefined): void {
    const { model = "tiny", details = true } = this.#options;
    this.running += 1;
    const cached = this.blocks.use(tokens, body.cache_salt ?? "", body.model === model ? "" : (body.model ?? ""));
    const { request_id: id = "", tokens_out: tokensOut } = body;
    const name = tokensOut ? `generate-tokens-${id}` : `cmpl-${id}-0`;
    const leave = () => {
      this.running -= 1;
      if (!response.writableEnded) this.aborted += 1;
      this.#named.delete(name);
      this.#waiting.shift()?.start();
    };
    if (response.destroyed) {
      leave();
      return;
    }
    response.on("close", leave);
    const completion = new FakeCompletion(
      { ...this.#options, out: this.#options.tokens, body, tokens, cached: details ? cached : undefined, fault },
      { response, after: (ms, act) => this.#after(ms, act), speculated: this.#speculated },
    );
    this.#named.set(name, completion);
    completion.start();
  }

  #after(ms: number, act: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      act();
    }, ms);
    this.#timers.add(timer);
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString("utf8");
}

function plain(response: ServerResponse, text: string): void {
  response.writeHead(200, { "content-type": "text/plain" });
  response.end(text);
}
