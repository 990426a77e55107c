import { expect, test } from "vitest";
import { FakeClock } from "../../lib/clock.fake.ts";
import type { LiveFrame, LiveHead, LiveNow } from "../../lib/live.ts";
import { Feed } from "./feed.ts";

const head = { router: "r" } as LiveHead;
const said = { frame: { at: 1 } as LiveFrame, now: { ready: true } as LiveNow };

/** A stream that is written by the test. */
class Stream {
  readonly key: string | undefined;
  readonly signal: AbortSignal;
  readonly body: ReadableStream<Uint8Array>;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  constructor({ headers, signal }: { headers: Record<string, string>; signal: AbortSignal }) {
    this.key = headers["authorization"];
    this.signal = signal;
    this.body = new ReadableStream({
      start: (controller) => {
        this.#controller = controller;
      },
    });
    signal.addEventListener("abort", () => this.#controller?.error(new Error("aborted")));
  }
  write(text: string): void {
    this.#controller?.enqueue(new TextEncoder().encode(text));
  }
  end(): void {
    this.#controller?.close();
  }
}

function begin(answer: (stream: Stream) => Response = ({ body }) => new Response(body)) {
  const clock = new FakeClock();
  const streams: Stream[] = [];
  const heard: unknown[] = [];
  let key = "";
  const feed = new Feed(
    {
      began: (...given) => void heard.push(["began", ...given]),
      said: (...given) => void heard.push(["said", ...given]),
      lost: (why) => void heard.push(["lost", why]),
      refused: (why) => why !== undefined && heard.push(["refused", why]),
    },
    {
      clock,
      fetch: async (_, init) => {
        const stream = new Stream(init);
        streams.push(stream);
        return answer(stream);
      },
      key: () => key,
    },
  );
  const give = (next: string) => {
    key = next;
    feed.again();
  };
  const settled = async () => {
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
  };
  return { clock, streams, heard, give, settled };
}

test("lines are handed on however they are cut", async () => {
  const { streams, heard, settled } = begin();
  await settled();
  const text = `${JSON.stringify({ head })}\n${JSON.stringify({ past: [said.frame] })}\n${JSON.stringify(said)}\n`;
  for (const part of [text.slice(0, 9), text.slice(9, 40), text.slice(40)]) streams[0]?.write(part);
  await settled();
  expect(heard).toEqual([
    ["began", head, [said.frame]],
    ["said", said.frame, said.now],
  ]);
});

test("a stream that ends, or falls silent, is opened anew", async () => {
  const { clock, streams, heard, settled } = begin();
  await settled();
  streams[0]?.end();
  await settled();
  expect(heard).toEqual([["lost", "the router ended the stream"]]);
  await clock.advance(500);
  await settled();
  expect(streams).toHaveLength(2);
  await clock.advance(10_000);
  await settled();
  expect(heard.at(-1)).toEqual(["lost", "the router cannot be reached"]);
  await clock.advance(1_000);
  expect(streams).toHaveLength(3);
});

test("who is asked for a key is told, and tries with the next one at once", async () => {
  const refused = () => new Response(JSON.stringify({ error: { message: "authorization: unknown API key" } }), { status: 401 });
  const { streams, heard, give, settled } = begin(({ key, body }) => (key === "Bearer good" ? new Response(body) : refused()));
  await settled();
  expect(heard[0]).toEqual(["refused", "authorization: unknown API key"]);
  give("good");
  await settled();
  streams[1]?.write(`${JSON.stringify({ head })}\n{"past":[]}\n`);
  await settled();
  expect(heard.at(-1)).toEqual(["began", head, []]);
});
