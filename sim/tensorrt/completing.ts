// completing: one answer of the pretend trtllm-serve, streamed step by step in the shape of the real one (completion_stream_post_processor
// and chat_stream_post_processor of tensorrt_llm/serve/postprocess_handlers.py), and the faults that it may meet.
import type { ServerResponse } from "node:http";
import type { Clock } from "../../lib/clock.ts";
import type { FileTokenizer } from "../../workers/engine/file-tokenizer.ts";
import { TokenText } from "../../workers/engine/token-text.ts";
import { type ModelStep, priorityUsual, type StandInModel } from "./model.ts";
import type { ServeFault } from "./serve.ts";

export interface ServeBody {
  readonly model?: string;
  readonly prompt?: readonly number[] | string;
  readonly prompt_token_ids?: readonly number[];
  readonly max_tokens?: number;
  readonly max_completion_tokens?: number;
  readonly stream?: boolean;
  readonly stream_options?: { readonly include_usage?: boolean; readonly continuous_usage_stats?: boolean };
  readonly stop?: readonly string[];
  readonly include_stop_str_in_output?: boolean;
  readonly priority?: number;
  readonly cache_salt?: string;
  readonly logprobs?: number | boolean;
  readonly lora_request?: { readonly lora_name: string; readonly lora_int_id: number; readonly lora_path: string };
}

interface Options {
  readonly page: "completion" | "chat";
  readonly body: ServeBody;
  readonly tokens: readonly number[];
  readonly fault: ServeFault | undefined;
  readonly pollMs: number;
}

interface Deps {
  readonly clock: Clock;
  readonly engine: StandInModel;
  readonly tokenizer: FileTokenizer;
  readonly response: ServerResponse;
  readonly over: AbortSignal;
}

const maxTokensUsual = 16;

export class Completing {
  readonly #options: Options;
  readonly #deps: Deps;
  readonly #text: TokenText;
  #abort: () => void = () => {};
  #first = true;
  #said = "";
  #finished = false;

  constructor(options: Options, deps: Deps) {
    this.#options = options;
    this.#deps = deps;
    this.#text = new TokenText((token) => deps.tokenizer.spell(token));
  }

  start(): void {
    const { body, tokens } = this.#options;
    const { engine, response } = this.#deps;
    const request = {
      tokens,
      maxTokens: body.max_completion_tokens ?? body.max_tokens ?? maxTokensUsual,
      stop: body.stop ?? [],
      salt: body.cache_salt ?? "",
      adapter: body.lora_request?.lora_name ?? "",
      priority: body.priority ?? priorityUsual,
    };
    try {
      this.#abort = engine.submit(request, (step) => this.#step(step));
    } catch (thrown) {
      const message = (thrown as Error).message;
      response.writeHead(400, { "content-type": "application/json" });
      response.end(JSON.stringify({ object: "error", message, type: "BadRequestError", param: null, code: 400 }));
      return;
    }
    if (body.stream) {
      response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8" });
      response.flushHeaders();
    }
    void this.#awaitDisconnected();
  }

  /** Whether the client is still there is looked at every `pollMs`, from the request's beginning on. */
  async #awaitDisconnected(): Promise<void> {
    const { clock, response, over } = this.#deps;
    while (!over.aborted && !response.destroyed && !this.#finished) await clock.sleep(this.#options.pollMs, over).catch(() => {});
    if (!this.#finished) this.#abort();
  }

  #step(step: ModelStep): void {
    const { body, fault } = this.#options;
    const { response } = this.#deps;
    this.#finished = step.finish !== undefined;
    const text = this.#text.push(step.tokens);
    this.#said += text;
    if (response.destroyed || fault === "hang") return;
    if (fault === "not_json") response.write("data: {'half\n\n");
    if (fault === "cut" && step.given.length > 1) response.socket?.destroy();
    if (response.destroyed) return;
    if (body.stream) this.#chunk(text, step);
    if (step.finish !== undefined) this.#end(step);
  }

  #chunk(text: string, step: ModelStep): void {
    const { page, body } = this.#options;
    const continuous = body.stream_options?.continuous_usage_stats === true;
    if (page === "chat" && this.#first) {
      const choice = { index: 0, delta: { role: "assistant" } };
      // A blank before its end, as the real one writes it.
      this.#write({ choices: [choice], ...(continuous && { usage: this.#usage(step, 0) }) }, " ");
    }
    this.#first = false;
    const choice = page === "chat" ? this.#chatChoice(text, step) : this.#choice(text, step);
    this.#write({ choices: [choice], usage: continuous ? this.#usage(step, step.given.length) : null });
  }

  #choice(text: string, { tokens, finish }: ModelStep): object {
    const sure = this.#options.body.logprobs ? { token_logprobs: tokens.map(() => -0.1), tokens: [], text_offset: [] } : null;
    const rest = { finish_reason: finish ?? null, stop_reason: null, avg_decoded_tokens_per_iter: null };
    return { index: 0, text, token_ids: null, logprobs: sure, ...rest };
  }

  /** What is null is left out there. */
  #chatChoice(content: string, { tokens, finish }: ModelStep): object {
    const sure = this.#options.body.logprobs
      ? { logprobs: { content: tokens.map(() => ({ token: "x", logprob: -0.1, bytes: [120] })) } }
      : {};
    return { index: 0, delta: { content }, ...sure, ...(finish !== undefined && { finish_reason: finish }) };
  }

  #usage({ cached }: ModelStep, completion: number): object {
    const prompt = this.#options.tokens.length;
    return {
      ...{ prompt_tokens: prompt, total_tokens: prompt + completion, completion_tokens: completion },
      prompt_tokens_details: { cached_tokens: cached },
    };
  }

  #end(step: ModelStep): void {
    const { body, page } = this.#options;
    const { response } = this.#deps;
    const usage = this.#usage(step, step.given.length);
    if (body.stream) {
      if (body.stream_options?.include_usage) this.#write({ choices: [], usage });
      response.write("data: [DONE]\n\n");
      response.end();
      return;
    }
    const choice =
      page === "chat" ? { index: 0, message: { role: "assistant", content: this.#said } } : this.#choice(this.#said, step);
    response.writeHead(200, { "content-type": "application/json" });
    response.end(
      JSON.stringify({ ...this.#about(), choices: [{ ...choice, finish_reason: step.finish }], usage, prompt_token_ids: null }),
    );
  }

  #write(event: object, more = ""): void {
    this.#deps.response.write(`data: ${JSON.stringify({ ...this.#about(), ...event })}${more}\n\n`);
  }

  #about(): object {
    const { page, body } = this.#options;
    const object = page === "chat" ? "chat.completion.chunk" : "text_completion";
    return { id: page === "chat" ? "chatcmpl-1" : "cmpl-1", object, created: 1, model: body.model };
  }
}
