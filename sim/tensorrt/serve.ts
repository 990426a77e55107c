// serve: a server that speaks trtllm-serve's HTTP, with all that is odd in it, before a pretend engine. A client that has left is looked
// for once a second. What is read of events and iterations is gone; in versions before their events were shared out, such a page
// answers only after two seconds without a new one. Whatever goes wrong has status 400.
import { setMaxListeners } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { type Clock, systemClock } from "../../lib/clock.ts";
import { FileTokenizer } from "../../workers/engine/file-tokenizer.ts";
import { Completing, type ServeBody } from "./completing.ts";
import { type Truncation, truncatePath, truncating } from "./control.ts";
import { jsonOf } from "./events.ts";
import { wrongWith } from "./fields.ts";
import type { StandInModel } from "./model.ts";
import { type StandInOptions, standInFolder, standInModel, standInModelName } from "./stand-in.ts";

export interface ServeOptions extends StandInOptions {
  /** "1.2": no priorities, and pages that wait for quiet; "main": both otherwise. */
  readonly speaks?: "1.2" | "main";
  /** return_perf_metrics: figures that can be read by many. */
  readonly prometheus?: boolean;
  /** enable_iter_perf_stats */
  readonly iterations?: boolean;
  /** Between two looks for clients that left. */
  readonly pollMs?: number;
  /** That a page waits for, which takes away what it tells. */
  readonly quietMs?: number;
  /** lora_config */
  readonly adapters?: boolean;
  readonly model?: string;
  /** Pages whose requests may have a priority, where it knows any. */
  readonly priorityAt?: readonly ("completion" | "chat")[];
  /** Bytes that the first answer of its page of events has besides: as of a buffer that nobody has read. */
  readonly eventsPadding?: number;
}

/** What the next streamed completion meets. */
export type ServeFault = "broken" | "refused" | "cut" | "not_json" | "hang";

export class StandInServe {
  readonly requests: { readonly path: string; readonly body: ServeBody }[] = [];
  readonly engine: StandInModel;
  faults: ServeFault[] = [];
  healthy = true;
  /** It shuts down: what is told of its cache is not heard any more. */
  closing = false;
  /** What it was told may be shortened. */
  readonly truncations: Truncation[] = [];
  /** Answers of its page of events. */
  eventReads = 0;
  readonly #options: ServeOptions;
  readonly #clock: Clock;
  readonly #tokenizer: FileTokenizer;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #over = new AbortController();

  private constructor(options: ServeOptions, engine: StandInModel, tokenizer: FileTokenizer, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
    this.#tokenizer = tokenizer;
    this.engine = engine;
    // One for each completion under way.
    setMaxListeners(0, this.#over.signal);
    this.#server = createServer((request, response) => void this.#answer(request, response));
    this.#server.on("connection", (socket) => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
    });
  }

  static async start(options: ServeOptions = {}, clock: Clock = systemClock): Promise<StandInServe> {
    const {
      speaks: _s,
      prometheus: _p,
      iterations: _i,
      pollMs: _m,
      quietMs: _q,
      adapters: _a,
      model: _n,
      eventsPadding: _e,
      priorityAt: _r,
      ...model
    } = options;
    const engine = await standInModel(model, clock);
    const stand = new StandInServe(options, engine, await FileTokenizer.open(standInFolder), clock);
    await new Promise<void>((resolve, reject) => {
      stand.#server.once("error", reject);
      stand.#server.listen(options.port ?? 0, "127.0.0.1", resolve);
    });
    return stand;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get running(): number {
    return this.engine.running;
  }

  /** As kill -9: every connection breaks, and nobody listens. */
  async kill(): Promise<void> {
    this.#over.abort();
    this.engine.kill();
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const text = await bodyOf(request);
    const { prometheus = true, iterations = true, model = standInModelName } = this.#options;
    const body = (text === "" ? {} : JSON.parse(text)) as ServeBody;
    const path = (request.url ?? "").split("?")[0] as string;
    const { engine } = this;
    switch (path) {
      case "/health":
        if (this.healthy) plain(response, 200, "");
        else plain(response, 503, "LLM is unavailable. Please check the server logs for more details.");
        return;
      case "/version":
        return json(response, 200, { version: this.#speaks === "main" ? "1.3.0rc29" : "1.2.1" });
      case "/v1/models": {
        const card = { id: model, object: "model", created: 1, owned_by: "tensorrt_llm" };
        return json(response, 200, { object: "list", data: [card] });
      }
      case "/metrics":
        await this.#quiet();
        return json(response, 200, iterations ? engine.iterations.take() : []);
      case "/prometheus/metrics":
        if (!prometheus) return json(response, 404, { detail: "Not Found" });
        return plain(response, 200, engine.iterations.exposition(model, engine.options.contextTokens));
      case "/kv_cache_events":
        return this.#events(request, response);
      case truncatePath:
        return this.#truncate(request, text, response);
      case "/v1/completions":
        return this.#complete("completion", body, response);
      case "/v1/chat/completions":
        return this.#complete("chat", body, response);
      default:
        return json(response, 404, { detail: "Not Found" });
    }
  }

  get #speaks(): "1.2" | "main" {
    return this.#options.speaks ?? "main";
  }

  async #events({ method }: IncomingMessage, response: ServerResponse): Promise<void> {
    if (method !== "POST") return json(response, 405, { detail: "Method Not Allowed" });
    await this.#quiet();
    // Where they are shared out, only what a router reads of them is kept for this page, under the numbers of all.
    const shared = this.#speaks === "main";
    const events = this.engine.events.take().filter(({ change: { type } }) => !shared || type === "stored" || type === "removed");
    const padding = this.eventReads === 0 ? (this.#options.eventsPadding ?? 0) : 0;
    this.eventReads += 1;
    plain(response, 200, `[${" ".repeat(padding)}${events.map(jsonOf).join(", ")}]`, "application/json");
  }

  async #truncate({ method }: IncomingMessage, text: string, response: ServerResponse): Promise<void> {
    if (this.#speaks === "1.2") return json(response, 404, { detail: "Not Found" });
    if (method !== "POST") return json(response, 405, { detail: "Method Not Allowed" });
    const { status, error, truncations } = truncating(JSON.parse(text) as Record<string, unknown>, this.closing);
    this.truncations.push(...truncations);
    for (const { tokens, keep } of truncations) this.engine.truncate(tokens, keep);
    if (error === undefined) plain(response, status, "");
    else json(response, status, { error });
  }

  /** It waits for the next one for so long, and then for the next. */
  async #quiet(): Promise<void> {
    const { quietMs = 2_000 } = this.#options;
    if (this.#speaks === "main") return;
    const { signal } = this.#over;
    const startedMs = this.#clock.now();
    const sinceMs = () => Math.min(this.#clock.now() - startedMs, this.engine.events.quietMs);
    while (!signal.aborted && sinceMs() < quietMs) await this.#clock.sleep(quietMs - sinceMs(), signal).catch(() => {});
  }

  #complete(page: "completion" | "chat", body: ServeBody, response: ServerResponse): void {
    this.requests.push({ path: page, body });
    const fault = body.stream ? this.faults.shift() : undefined;
    const { priorityAt = ["completion", "chat"] } = this.#options;
    const priorities = this.#speaks === "main" && priorityAt.includes(page);
    const wrong = wrongWith(page, body as unknown as Record<string, unknown>, priorities);
    const refusal = wrong === undefined ? this.#refusal(body, fault) : undefined;
    if (wrong !== undefined || refusal !== undefined) {
      const error = { object: "error", message: refusal, type: "BadRequestError", param: null, code: 400 };
      json(response, 400, wrong === undefined ? error : { error: wrong });
      return;
    }
    const { pollMs = 1_000 } = this.#options;
    const completing = new Completing(
      { page, body, fault, pollMs, tokens: this.#tokensOf(body) },
      { clock: this.#clock, engine: this.engine, tokenizer: this.#tokenizer, response, over: this.#over.signal },
    );
    completing.start();
  }

  #refusal({ model = "", lora_request: lora }: ServeBody, fault: ServeFault | undefined): string | undefined {
    if (model === "") return "model must be given";
    if (lora && !this.#options.adapters) return "LoRA is not enabled: lora_config must be set";
    if (fault === "refused")
      return "The sum of prompt length (9), query length (0) and max_tokens (9) should not exceed max_seq_len (8)";
    // An engine that is done for says so as if the request were.
    if (fault === "broken") return "Executor worker returned error: CUDA out of memory";
    return undefined;
  }

  #tokensOf({ prompt, prompt_token_ids: tokens }: ServeBody): readonly number[] {
    if (tokens) return tokens;
    return typeof prompt === "string" ? this.#tokenizer.encodeText(prompt) : (prompt ?? []);
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString("utf8");
}

function plain(response: ServerResponse, status: number, text: string, type = "text/plain"): void {
  response.writeHead(status, { "content-type": type });
  response.end(text);
}

function json(response: ServerResponse, status: number, body: unknown): void {
  plain(response, status, JSON.stringify(body), "application/json");
}
