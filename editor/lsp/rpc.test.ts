import { expect, test } from "vitest";
import { FrameReader, framed } from "./framing.ts";
import { Rpc, RpcError, rpcCode } from "./rpc.ts";

function reader() {
  const [texts, bad] = [[] as string[], [] as string[]];
  const frames = new FrameReader(
    (text) => void texts.push(text),
    (sentence) => void bad.push(sentence),
  );
  return { frames, texts, bad };
}

test("messages come whole however their bytes are cut", () => {
  const { frames, texts, bad } = reader();
  const bytes = Buffer.concat([framed({ a: "é😀" }), framed({ b: 2 })]);
  for (const byte of bytes) frames.push(Buffer.from([byte]));
  frames.push(bytes);
  expect(texts.map((text) => JSON.parse(text))).toEqual([{ a: "é😀" }, { b: 2 }, { a: "é😀" }, { b: 2 }]);
  expect(bad).toEqual([]);
});

test.each([
  ["no length", "Content-Type: x\r\n\r\n{}", "without Content-Length"],
  ["a length that is no number", "Content-Length: many\r\n\r\n", "without Content-Length"],
  ["a body that is too long", "Content-Length: 99999999999\r\n\r\n", "over 64 MiB"],
  ["a header without end", "x".repeat(5_000), "longer than 4 KiB"],
])("%s is told, and the next message is read", (_, bytes, why) => {
  const { frames, texts, bad } = reader();
  frames.push(Buffer.from(bytes));
  frames.push(framed({ ok: true }));
  expect(bad[0]).toContain(why);
  expect(texts.map((text) => JSON.parse(text))).toEqual([{ ok: true }]);
});

function pair(request: (method: string, params: object, signal: AbortSignal) => unknown) {
  const [heard, bad] = [[] as string[], [] as string[]];
  const server: Rpc = new Rpc((bytes) => client.push(bytes), {
    request,
    notification: (method) => {
      heard.push(method);
      if (method === "throws") throw new Error("no");
    },
    bad: (sentence) => void bad.push(sentence),
  });
  const client: Rpc = new Rpc((bytes) => server.push(bytes), { request: () => null, notification: () => {}, bad: () => {} });
  return { client, server, heard, bad };
}

test("a request is answered, an error has its code, and a notification that fails is no answer", async () => {
  const { client, heard, bad } = pair((method) => {
    if (method === "ok") return { a: 1 };
    throw method === "known" ? new RpcError(rpcCode.methodNotFound, "no method known") : new Error("oh");
  });
  expect(await client.request("ok", {})).toEqual({ a: 1 });
  await expect(client.request("known", {})).rejects.toMatchObject({ code: rpcCode.methodNotFound });
  await expect(client.request("other", {})).rejects.toMatchObject({ code: rpcCode.internal });
  client.notify("throws", {});
  expect([heard, bad]).toEqual([["throws"], ["throws: no"]]);
});

test("$/cancelRequest aborts the signal of its request alone", async () => {
  const { client } = pair(
    (_, __, signal) =>
      new Promise((_resolve, reject) =>
        signal.addEventListener("abort", () => reject(new RpcError(rpcCode.cancelled, "cancelled"))),
      ),
  );
  const gone = new AbortController();
  const answer = client.request("waits", {}, gone.signal);
  gone.abort();
  await expect(answer).rejects.toMatchObject({ code: rpcCode.cancelled });
});

test("what is no message is told, and nothing breaks", () => {
  const { server, bad } = pair(() => null);
  for (const body of ["{", "[]", "7", '{"id": 1}']) server.push(Buffer.from(`Content-Length: ${body.length}\r\n\r\n${body}`));
  expect(bad).toEqual([
    "a body that is not JSON",
    "a message that is no object",
    "a message that is no object",
    "a message without a method",
  ]);
});
