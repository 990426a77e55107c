// feed: the router's stream of figures in (/live), each line handed on as it comes; a stream that ends is opened anew, later and later.
// What was before is told first, so that a page that comes late, or back, has the last minutes.
import type { LiveFrame, LiveHead, LiveLine, LiveNow } from "../../lib/live.ts";
import type { PageClock } from "../clock.ts";
import { bearer } from "../keys.ts";

export interface FeedListener {
  /** A stream begins: all that is known is from here on. */
  readonly began: (head: LiveHead, past: readonly LiveFrame[]) => void;
  readonly said: (frame: LiveFrame, now: LiveNow) => void;
  readonly lost: (why: string) => void;
  readonly refused: (why: string | undefined) => void;
}

interface Deps {
  readonly clock: PageClock;
  readonly fetch: (path: string, init: { headers: Record<string, string>; signal: AbortSignal }) => Promise<Response>;
  readonly key: () => string;
}

const againMs = { first: 500, most: 5_000 } as const;
/** Of a stream that says something each second: it is gone, though nobody said so. */
const silenceMs = 10_000;

export class Feed {
  readonly #deps: Deps;
  readonly #listener: FeedListener;
  #running: AbortController | undefined;
  #failures = 0;
  #timer: Disposable | undefined;

  constructor(listener: FeedListener, deps: Deps) {
    this.#listener = listener;
    this.#deps = deps;
    this.again();
  }

  /** Now: the first time, and with another key. */
  again(): void {
    this.#timer?.[Symbol.dispose]();
    this.#running?.abort();
    const running = new AbortController();
    this.#running = running;
    void this.#follow(running).then((why) => {
      if (running !== this.#running) return;
      if (why !== undefined) this.#listener.lost(why);
      this.#timer = this.#deps.clock.timer(Math.min(againMs.most, againMs.first * 2 ** this.#failures++), () => this.again());
    });
  }

  /** Returns why it ended; undefined: somebody else is to give a key. */
  async #follow(running: AbortController): Promise<string | undefined> {
    const { clock, key } = this.#deps;
    let head: LiveHead | undefined;
    let silence: Disposable | undefined;
    const listen = () => {
      silence?.[Symbol.dispose]();
      silence = clock.timer(silenceMs, () => running.abort());
    };
    try {
      listen();
      const response = await this.#deps.fetch("/live", { headers: bearer(key()), signal: running.signal });
      const who = response.status === 401 || response.status === 403;
      this.#listener.refused(who ? await whyNot(response) : undefined);
      if (!response.ok || !response.body)
        return who ? "an administrator's key is wanted" : `the router answered HTTP ${response.status}`;
      for await (const text of lines(response.body)) {
        listen();
        const line = JSON.parse(text) as LiveLine;
        if ("head" in line) head = line.head;
        else if ("past" in line && head) this.#listener.began(head, line.past);
        else if ("frame" in line) {
          this.#failures = 0;
          this.#listener.said(line.frame, line.now);
        }
      }
      return "the router ended the stream";
    } catch {
      return "the router cannot be reached";
    } finally {
      silence?.[Symbol.dispose]();
    }
  }
}

async function whyNot(response: Response): Promise<string> {
  const body = (await response.json().catch(() => undefined)) as { error?: { message?: string } } | undefined;
  return body?.error?.message ?? "an administrator's key is wanted";
}

async function* lines(body: ReadableStream<Uint8Array>): AsyncGenerator<string, void> {
  const reader = body.pipeThrough(new TextDecoderStream() as unknown as TransformStream<Uint8Array, string>).getReader();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const parts = (rest + value).split("\n");
      rest = parts.pop() ?? "";
      yield* parts;
    }
  } finally {
    // Whoever leaves in the midst of it lets the connection go.
    await reader.cancel().catch(() => {});
  }
}
