// http-endpoint: requests of an editor to an OpenAI-compatible server over kept-alive HTTP/1.1, as client libraries make them: the
// stream's events as chunks, an abort closes the connection. Answers are bounded by what was asked for.
import { Agent, request } from "node:http";
import { SlipstreamError } from "../../lib/errors.ts";
import type { Ask, Chunk, Endpoint } from "./endpoint.ts";

export interface HttpEndpointOptions {
  readonly port: number;
  readonly model: string;
  readonly key?: string;
}

/** Of one editor, or shared: connections kept open for the next request. */
export const keptAlive = (): Agent => new Agent({ keepAlive: true, noDelay: true, maxFreeSockets: 256 });

export class HttpEndpoint implements Endpoint {
  readonly #options: HttpEndpointOptions;
  readonly #agent: Agent;

  constructor(options: HttpEndpointOptions, deps: { agent: Agent }) {
    this.#options = options;
    this.#agent = deps.agent;
  }

  complete(ask: Ask, signal: AbortSignal, say: (chunk: Chunk) => void): Promise<void> {
    const { port, model, key } = this.#options;
    const { prompt, maxTokens, stop, session } = ask;
    const body = Buffer.from(
      JSON.stringify({ model, prompt, max_tokens: maxTokens, temperature: 0, stream: true, ...(stop.length > 0 && { stop }) }),
    );
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason as Error);
      // Not the request's own option: a kept connection would end with the signal of the first request that it carried.
      const sent = request({
        ...{ host: "127.0.0.1", port, path: "/v1/completions", method: "POST", agent: this.#agent },
        headers: {
          "content-type": "application/json",
          "content-length": body.length,
          "x-session-id": session,
          ...(key !== undefined && { authorization: `Bearer ${key}` }),
        },
      });
      const abort = () => void sent.destroy(signal.reason as Error);
      signal.addEventListener("abort", abort, { once: true });
      sent.on("close", () => signal.removeEventListener("abort", abort));
      sent.on("error", reject);
      sent.on("response", (response) => {
        const events = new Events(say);
        response.setEncoding("utf8");
        response.on("data", (text: string) => {
          if (response.statusCode === 200) events.feed(text);
        });
        response.on("error", reject);
        response.on("end", () => {
          if (response.statusCode === 200) resolve();
          else reject(new SlipstreamError("unavailable", `the server answered ${response.statusCode}`));
        });
      });
      sent.end(body);
    });
  }

  close(): void {}
}

/** Server-sent events, cut anywhere. */
class Events {
  readonly #say: (chunk: Chunk) => void;
  #rest = "";

  constructor(say: (chunk: Chunk) => void) {
    this.#say = say;
  }

  feed(text: string): void {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) {
      if (!line.startsWith("data:")) continue;
      const data = line.slice(5).trim();
      if (data === "[DONE]") continue;
      const { id, choices } = JSON.parse(data) as { id: string; choices: { text?: string }[] };
      const said = choices[0]?.text ?? "";
      if (said !== "") this.#say({ id, text: said });
    }
  }
}
