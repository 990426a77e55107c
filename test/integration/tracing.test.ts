// Traces as a collector gets them: a router and a worker in one `slipstream up`, and a small OTLP/HTTP collector in this process.
import { createServer } from "node:http";
import { afterAll, beforeAll, expect, test } from "vitest";
import { anyPorts, portsOf, type Running, start } from "../support/command.ts";

interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly service: string;
}

const spans: Span[] = [];
let bodies = "";
const collector = createServer((request, response) => {
  let text = "";
  request.on("data", (chunk: Buffer) => {
    text += chunk;
  });
  request.on("end", () => {
    bodies += text;
    for (const { resource, scopeSpans } of JSON.parse(text).resourceSpans) {
      const service = resource.attributes.find(({ key }: { key: string }) => key === "service.name").value.stringValue;
      for (const span of scopeSpans[0].spans) spans.push({ ...span, service });
    }
    response.writeHead(200, { "content-type": "application/json" }).end("{}");
  });
});

let up: Running;
let port: number;
beforeAll(async () => {
  await new Promise<void>((resolve) => collector.listen(0, "127.0.0.1", resolve));
  const { port: at } = collector.address() as { port: number };
  const env = { SLIPSTREAM_OTLP_ENDPOINT: `http://127.0.0.1:${at}`, SLIPSTREAM_OTLP_SHARE: "1" };
  up = await start(process.execPath, ["bin/slipstream.js", "up", "--engine", "simulated", ...anyPorts], /Ctrl-C/, env);
  port = portsOf(up.out()).http;
});
afterAll(async () => {
  await up?.end();
  collector.close();
});

test("one trace from the caller's span over the router's rooms to the worker's phases, without code text", async () => {
  const [traceId, caller] = ["0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"];
  const response = await fetch(`http://127.0.0.1:${port}/v1/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", traceparent: `00-${traceId}-${caller}-01` },
    body: JSON.stringify({ prompt: "const secretPrefix = ", suffix: "\nsecretSuffix();\n", max_tokens: 8 }),
  });
  const { choices } = (await response.json()) as { choices: [{ text: string }] };
  // What is pending is sent before the process is gone.
  expect(await up.end("SIGTERM")).toBe(0);
  const own = spans.filter((span) => span.traceId === traceId);
  const named = (name: string) => own.find((span) => span.name === name);
  const [trigger, dispatch, generation] = [named("inline invoked"), named("dispatch"), named("generation")];
  expect(trigger).toMatchObject({ parentSpanId: caller, service: "slipstream-router" });
  for (const room of [
    "reuse",
    "gate",
    "settle",
    "context",
    "prompt",
    "cache",
    "queue",
    "schedule",
    "dispatch",
    "stream",
    "feedback",
  ])
    expect(named(room), room).toMatchObject({ parentSpanId: trigger?.spanId, service: "slipstream-router" });
  expect(generation).toMatchObject({ parentSpanId: dispatch?.spanId, service: "slipstream-worker" });
  for (const phase of ["prefill", "decode"])
    expect(named(phase), phase).toMatchObject({ parentSpanId: generation?.spanId, service: "slipstream-worker" });
  for (const { name, startTimeUnixNano, endTimeUnixNano } of own)
    expect(BigInt(endTimeUnixNano), name).toBeGreaterThanOrEqual(BigInt(startTimeUnixNano));
  expect(bodies).not.toMatch(/secret/);
  expect(choices[0].text.length).toBeGreaterThan(4);
  expect(bodies).not.toContain(JSON.stringify(choices[0].text).slice(1, -1));
});
