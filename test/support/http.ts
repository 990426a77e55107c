// http: an HTTP port as a client without a library meets it: JSON posted, events and lines of a stream read as they are.
export interface Asked {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Parsed, where it is JSON. */
  readonly json: unknown;
}

export class HttpPort {
  readonly url: string;
  readonly #headers: Readonly<Record<string, string>>;

  constructor(port: number, headers: Record<string, string> = {}) {
    this.url = `http://127.0.0.1:${port}`;
    this.#headers = headers;
  }

  post(path: string, body: unknown, headers: Record<string, string> = {}, signal?: AbortSignal): Promise<Response> {
    return fetch(`${this.url}${path}`, {
      method: "POST",
      headers: { "content-type": "application/json", ...this.#headers, ...headers },
      body: typeof body === "string" ? body : JSON.stringify(body),
      ...(signal ? { signal } : {}),
    });
  }

  async ask(method: "GET" | "POST", path: string, body?: unknown): Promise<Asked> {
    const response =
      method === "POST" ? await this.post(path, body ?? {}) : await fetch(`${this.url}${path}`, { headers: this.#headers });
    return read(response);
  }
}

export async function read(response: Response): Promise<Asked> {
  const text = await response.text();
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    json = undefined;
  }
  return { status: response.status, headers: response.headers, text, json };
}

/** The data of server-sent events, [DONE] left as it is. */
export function eventsOf(text: string): string[] {
  return text.split("\n\n").flatMap((event) => (event.startsWith("data: ") ? [event.slice(6)] : []));
}

/** The objects of newline-delimited JSON. */
export function linesOf(text: string): unknown[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));
}
