// rpc: JSON-RPC 2.0 over framed bytes, one end of it: requests are answered once, notifications are not, `$/cancelRequest` aborts a
// request's signal. The same for a server and for a client. Requests under way are bounded.
import { FrameReader, framed } from "./framing.ts";

export const rpcCode = {
  parse: -32_700,
  invalidRequest: -32_600,
  methodNotFound: -32_601,
  invalidParams: -32_602,
  internal: -32_603,
  notInitialized: -32_002,
  cancelled: -32_800,
} as const;

export class RpcError extends Error {
  readonly code: number;
  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** A field that is not as it must be. */
export const invalidParams = (sentence: string) => new RpcError(rpcCode.invalidParams, sentence);

type Params = Readonly<Record<string, unknown>>;

interface Handlers {
  /** Throws a RpcError, or answers. */
  readonly request: (method: string, params: Params, signal: AbortSignal) => unknown;
  readonly notification: (method: string, params: Params) => void;
  /** A message that could not be understood. */
  readonly bad: (sentence: string) => void;
}

type Id = number | string;
interface Waiting {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

const underWayMax = 256;

export class Rpc {
  readonly #write: (bytes: Buffer) => void;
  readonly #handlers: Handlers;
  readonly #reader: FrameReader;
  readonly #answering = new Map<Id, AbortController>();
  readonly #asked = new Map<Id, Waiting>();
  #ids = 0;

  constructor(write: (bytes: Buffer) => void, handlers: Handlers) {
    this.#write = write;
    this.#handlers = handlers;
    this.#reader = new FrameReader(
      (text) => this.#receive(text),
      (sentence) => this.#malformed(rpcCode.parse, sentence),
    );
  }

  push(chunk: Buffer): void {
    this.#reader.push(chunk);
  }

  notify(method: string, params: object): void {
    this.#write(framed({ jsonrpc: "2.0", method, params }));
  }

  /** Rejects with a RpcError; an abort tells the other side, whose answer still ends it. */
  request(method: string, params: object, signal?: AbortSignal): Promise<unknown> {
    const id = ++this.#ids;
    if (this.#asked.size >= underWayMax) return Promise.reject(new RpcError(rpcCode.internal, "too many requests under way"));
    const cancel = () => this.notify("$/cancelRequest", { id });
    signal?.addEventListener("abort", cancel, { once: true });
    const answer = new Promise((resolve, reject) => this.#asked.set(id, { resolve, reject }));
    // Waited for before it is written: the other end may answer in this tick.
    this.#write(framed({ jsonrpc: "2.0", id, method, params }));
    return answer.finally(() => signal?.removeEventListener("abort", cancel));
  }

  /** The other side is gone. */
  close(): void {
    for (const { reject } of this.#asked.values()) reject(new RpcError(rpcCode.internal, "the other side is gone"));
    this.#asked.clear();
    for (const controller of this.#answering.values()) controller.abort();
  }

  #receive(text: string): void {
    let message: unknown;
    try {
      message = JSON.parse(text);
    } catch {
      this.#malformed(rpcCode.parse, "a body that is not JSON");
      return;
    }
    if (typeof message !== "object" || message === null || Array.isArray(message)) {
      this.#malformed(rpcCode.invalidRequest, "a message that is no object");
      return;
    }
    const { id, method, params, result, error } = message as Record<string, unknown>;
    const known = typeof id === "number" || typeof id === "string" ? id : undefined;
    if (typeof method !== "string") {
      if (known !== undefined && this.#asked.has(known)) this.#answered(known, result, error);
      // An answer is never answered: two ends would do so for ever.
      else if (result !== undefined || error !== undefined) this.#handlers.bad("an answer that nobody waits for");
      else this.#malformed(rpcCode.invalidRequest, "a message without a method", known);
      return;
    }
    const given = typeof params === "object" && params !== null ? (params as Params) : {};
    if (known !== undefined) void this.#answer(known, method, given);
    else if (method === "$/cancelRequest") this.#answering.get(given["id"] as Id)?.abort();
    else this.#heard(method, given);
  }

  #heard(method: string, params: Params): void {
    try {
      this.#handlers.notification(method, params);
    } catch (thrown) {
      // A notification has no answer.
      this.#handlers.bad(`${method}: ${(thrown as Error).message}`);
    }
  }

  async #answer(id: Id, method: string, params: Params): Promise<void> {
    const controller = new AbortController();
    const answer = (rest: object) => this.#write(framed({ jsonrpc: "2.0", id, ...rest }));
    if (this.#answering.size >= underWayMax || this.#answering.has(id)) {
      answer({ error: { code: rpcCode.invalidRequest, message: "too many requests under way, or an id that is" } });
      return;
    }
    this.#answering.set(id, controller);
    try {
      const result = await this.#handlers.request(method, params, controller.signal);
      answer({ result: result ?? null });
    } catch (thrown) {
      const code = thrown instanceof RpcError ? thrown.code : rpcCode.internal;
      answer({ error: { code, message: (thrown as Error).message } });
    } finally {
      this.#answering.delete(id);
    }
  }

  #answered(id: Id, result: unknown, error: unknown): void {
    const waiting = this.#asked.get(id);
    this.#asked.delete(id);
    if (typeof error !== "object" || error === null) waiting?.resolve(result);
    else {
      const { code, message } = error as { code?: unknown; message?: unknown };
      waiting?.reject(new RpcError(Number(code), String(message)));
    }
  }

  #malformed(code: number, sentence: string, id: Id | undefined = undefined): void {
    this.#handlers.bad(sentence);
    this.#write(framed({ jsonrpc: "2.0", id: id ?? null, error: { code, message: sentence } }));
  }
}
