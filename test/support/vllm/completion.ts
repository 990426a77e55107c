// completion: one answer of the pretend vLLM, streamed step by step in the shape of the real one, and the faults it may meet.
import type { ServerResponse } from "node:http";

/** What the next completion meets. */
export type Fault =
  | "refused"
  | "full"
  | "broken"
  | "cut"
  | "cut_before"
  | "hang"
  | "stall"
  | "garbage"
  | "not_json"
  | "error_event"
  | "endless_line"
  | "no_end"
  | "too_many_tokens";

export interface Body {
  readonly model?: string;
  readonly prompt?: readonly number[] | string;
  readonly max_tokens?: number;
  readonly stream?: boolean;
  readonly stop?: readonly string[];
  readonly priority?: number;
  readonly cache_salt?: string;
  readonly request_id?: string;
  readonly logprobs?: number;
  /** Of token in, token out. */
  readonly token_ids?: readonly number[];
  readonly sampling_params?: object;
  readonly tokens_out?: boolean;
  /** Of an abort by id. */
  readonly request_ids?: readonly string[];
}

/** How the model pretends. */
export interface Pretence {
  /** Which server it is, among those with OpenAI's completions; bare: one that has nothing else. */
  readonly speaks?: "vllm" | "sglang" | "llama.cpp" | "bare";
  readonly stepMs?: number;
  readonly firstMs?: number;
  /** Tokens of a step. */
  readonly perStep?: number;
  /** What it gives where it is asked for tokens; else a byte of its text is one. */
  readonly tokens?: readonly number[];
  /** What it says of a prompt, over and over: a character is a token. */
  readonly text?: (prompt: readonly number[]) => string;
}

interface Options extends Omit<Pretence, "tokens"> {
  readonly body: Body;
  /** Of the prompt. */
  readonly tokens: readonly number[];
  readonly out?: readonly number[] | undefined;
  /** Undefined: it does not say. */
  readonly cached: number | undefined;
  readonly fault: Fault | undefined;
}

interface Deps {
  readonly response: ServerResponse;
  readonly after: (ms: number, act: () => void) => void;
  readonly speculated: { drafts: number; drafted: number; accepted: number };
}

export class FakeCompletion {
  readonly #options: Options;
  readonly #deps: Deps;
  readonly #most: number;
  readonly #characters: readonly string[];
  #given = 0;
  #said = "";
  #over = false;

  constructor(options: Options, deps: Deps) {
    this.#options = options;
    this.#deps = deps;
    this.#most = options.body.max_tokens ?? 16;
    const story = options.text?.(options.tokens) ?? "const a = b;\n";
    this.#characters = Array.from(story.repeat(Math.ceil(this.#most / Math.max(1, story.length)) + 1));
  }

  start(): void {
    const { body, fault, stepMs = 1, firstMs = stepMs } = this.#options;
    const { response, after } = this.#deps;
    if (body.stream) {
      response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8" });
      response.flushHeaders();
    }
    if (fault !== "hang") after(firstMs, () => this.#step());
  }

  /** Told to stop by its name: the answer ends within a step. */
  abort(): void {
    if (this.#over) return;
    if (this.#options.body.stream) this.#event({ choices: [this.#choice("", "abort", undefined)], usage: this.#usage(false) });
    this.#end("abort");
  }

  #step(): void {
    if (this.#over) return;
    const { body, fault, stepMs = 1, perStep = 1, speaks = "vllm" } = this.#options;
    const { response, after, speculated } = this.#deps;
    if (response.destroyed || this.#faulty(fault)) return;
    const count = Math.min(perStep, this.#most - this.#given);
    if (perStep > 1) {
      speculated.drafts += 1;
      speculated.drafted += perStep - 1;
      speculated.accepted += count - 1;
    }
    const part = this.#characters.slice(this.#given, this.#given + count).join("");
    this.#given += count;
    this.#said += part;
    const stop = body.stop?.find((word) => this.#said.includes(word));
    const reason = stop !== undefined ? "stop" : this.#given >= this.#most ? "length" : null;
    // Other servers than vLLM leave the stop string out, and count at the end, if at all.
    const shown = speaks === "vllm" || stop === undefined ? part : part.slice(0, Math.max(0, part.length - stop.length));
    const usage = speaks === "vllm" ? this.#usage(false) : null;
    if (body.stream) this.#event({ choices: [this.#choice(shown, reason, stop)], usage });
    if (reason === null) after(stepMs, () => this.#step());
    else this.#end(reason);
  }

  /** True when nothing more comes. */
  #faulty(fault: Fault | undefined): boolean {
    const { response } = this.#deps;
    const begun = this.#given > 0;
    if (fault === "stall") return begun;
    if (fault === "cut" && begun) response.socket?.destroy();
    if (fault === "endless_line") response.write(`data: ${"x".repeat(2 << 20)}`);
    if (fault === "not_json") response.write("data: {'half\n\n");
    if (fault === "garbage") response.write(`data: ${JSON.stringify({ choices: "none", usage: 7 })}\n\n`);
    if (fault === "error_event") this.#event({ error: { message: "CUDA out of memory", type: "InternalServerError", code: 500 } });
    if (fault === "too_many_tokens")
      for (let i = 0; i < this.#most * 3 + 16; i++) this.#event({ choices: [this.#choice("x", null, undefined)], usage: null });
    return fault === "endless_line" || fault === "not_json" || (fault === "cut" && begun);
  }

  #choice(text: string, reason: string | null, stop: string | undefined): object {
    const tokens = Array.from(text);
    if (this.#options.body.tokens_out)
      return { index: 0, finish_reason: reason, stop_reason: stop ?? null, token_ids: this.#tokensOut(text) };
    const logprobs = this.#options.body.logprobs === undefined ? null : { token_logprobs: tokens.map(() => -0.1), tokens };
    const rest = { stop_reason: stop ?? null, prompt_token_ids: null, token_ids: null };
    return { index: 0, text, logprobs, finish_reason: reason, ...rest };
  }

  /** As many as were just counted; of a given list, those whose turn it is. */
  #tokensOut(text: string): readonly number[] {
    const { out } = this.#options;
    const count = Array.from(text).length;
    return out ? out.slice(this.#given - count, this.#given) : [...Buffer.from(text)];
  }

  #usage(final: boolean): object {
    const { tokens, cached } = this.#options;
    const counts = { prompt_tokens: tokens.length, total_tokens: tokens.length + this.#given, completion_tokens: this.#given };
    return final && cached !== undefined ? { ...counts, prompt_tokens_details: { cached_tokens: cached } } : counts;
  }

  #end(reason: string): void {
    this.#over = true;
    const { body, fault, speaks } = this.#options;
    const { response } = this.#deps;
    const whole = { choices: [this.#choice(this.#said, reason, undefined)], usage: this.#usage(true) };
    if (!body.stream) {
      json(response, 200, { ...this.#about(), ...whole });
      return;
    }
    if (fault !== "no_end") {
      if (speaks !== "bare") this.#event({ choices: [], usage: this.#usage(true), system_fingerprint: "vllm-fake" });
      response.write("data: [DONE]\n\n");
    }
    // The last word and the end of the answer leave the real one in two turns of its loop.
    this.#deps.after(1, () => response.end());
  }

  #event(data: object): void {
    this.#deps.response.write(`data: ${JSON.stringify({ ...this.#about(), ...data })}\n\n`);
  }

  #about(): object {
    const { model, request_id: id = "0" } = this.#options.body;
    return { id: `cmpl-${id}`, object: "text_completion", created: 1, model };
  }
}

export function json(response: ServerResponse, status: number, body: unknown): void {
  if (response.destroyed) return;
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}
