import { createServer } from "node:http";
import { expect, test } from "vitest";
import { FakeClock } from "../clock.fake.ts";
import { isSent } from "./tail.ts";
import { type Span, Tracing } from "./tracing.ts";

const span = (name: string): Span => ({
  ...{ traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331", parentId: undefined, name, kind: "internal" },
  ...{ startUnixMs: 1_700_000_000_000.25, endUnixMs: 1_700_000_000_001, attributes: { a: "x", b: 2, c: 0.5, d: true } },
});

/** A collector that answers `status`, and what it was sent. */
async function collector(status = 200) {
  const bodies: { resourceSpans: { scopeSpans: { spans: { name: string }[] }[] }[] }[] = [];
  const server = createServer((request, response) => {
    let text = "";
    request.on("data", (chunk: Buffer) => {
      text += chunk;
    });
    request.on("end", () => {
      bodies.push(JSON.parse(text));
      response.writeHead(request.url === "/v1/traces" ? status : 404).end("{}");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  const names = () =>
    bodies.map(({ resourceSpans }) => resourceSpans[0]?.scopeSpans[0]?.spans.map(({ name }: { name: string }) => name));
  return { endpoint: `http://127.0.0.1:${port}/`, bodies, names, [Symbol.asyncDispose]: async () => void server.close() };
}

function tracing(endpoint: string) {
  const complaints: [string, number][] = [];
  const options = { endpoint, service: "s", instance: "i", version: "1", everyMs: 1_000, batchMax: 3, pendingMax: 5 };
  const made = new Tracing(options, { clock: new FakeClock(), complain: (why, spans) => complaints.push([why, spans]) });
  return { tracing: made, complaints };
}

test("spans go to the collector in batches, as OTLP says them", async () => {
  await using at = await collector();
  const { tracing: made, complaints } = tracing(at.endpoint);
  made.send([span("a"), span("b")]);
  made.send([span("c"), span("d"), span("e")]);
  await made.flush();
  expect(at.names()).toEqual([
    ["a", "b", "c"],
    ["d", "e"],
  ]);
  expect(at.bodies[0]?.resourceSpans[0]).toMatchObject({
    resource: { attributes: expect.arrayContaining([{ key: "service.name", value: { stringValue: "s" } }]) },
    scopeSpans: [
      {
        spans: [
          {
            kind: 1,
            startTimeUnixNano: "1700000000000250000",
            endTimeUnixNano: "1700000000001000000",
            attributes: [
              { key: "a", value: { stringValue: "x" } },
              { key: "b", value: { intValue: "2" } },
              { key: "c", value: { doubleValue: 0.5 } },
              { key: "d", value: { boolValue: true } },
            ],
          },
          {},
          {},
        ],
      },
    ],
  });
  expect(complaints).toEqual([]);
});

test("what is more than it may hold is dropped and counted", async () => {
  await using at = await collector();
  const { tracing: made } = tracing(at.endpoint);
  made.send(["a", "b", "c", "d", "e", "f", "g"].map(span));
  await made.flush();
  expect([made.dropped, at.names().flat().length]).toEqual([2, 5]);
});

test("a collector that refuses, or is away, loses the batch and nothing else", async () => {
  await using at = await collector(503);
  const refused = tracing(at.endpoint);
  refused.tracing.send([span("a")]);
  await refused.tracing.flush();
  expect([refused.tracing.dropped, refused.complaints]).toEqual([1, [["HTTP 503", 1]]]);
  const away = tracing("http://127.0.0.1:1");
  away.tracing.send([span("a")]);
  await away.tracing.flush();
  expect([away.tracing.dropped, away.complaints.length]).toEqual([1, 1]);
});

test.each<[name: string, traceEnd: string, ended: { tookMs: number; failed: boolean }, share: number, sent: boolean]>([
  ["quick and well", "80000000", { tookMs: 50, failed: false }, 0, false],
  ["slow", "80000000", { tookMs: 201, failed: false }, 0, true],
  ["failed", "80000000", { tookMs: 5, failed: true }, 0, true],
  ["within the share", "3fffffff", { tookMs: 5, failed: false }, 0.25, true],
  ["beyond the share", "40000000", { tookMs: 5, failed: false }, 0.25, false],
  ["any of all", "ffffffff", { tookMs: 5, failed: false }, 1, true],
])("of traces, one that is %s is sent or not", (_, traceEnd, ended, share, sent) => {
  expect(isSent({ traceId: "0".repeat(24) + traceEnd }, ended, { slowMs: 200, share })).toBe(sent);
});
