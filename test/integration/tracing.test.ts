// Traces as a collector gets them: a router and a worker in one `slipstream up`, and a small OTLP/HTTP collector in this process.
import { createServer } from "node:http";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { afterAll, beforeAll, expect, test } from "vitest";
import { GrpcClient } from "../../lib/grpc/client.ts";
import {
  ClientMessageSchema,
  CompleteRequestSchema,
  CompletionService,
  TriggerKind,
} from "../../proto/gen/slipstream/v1/completion_pb.ts";
import { anyPorts, portsOf, type Running, start } from "../support/command.ts";
import { readAll } from "../support/grpc.ts";

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
let grpcPort: number;
beforeAll(async () => {
  await new Promise<void>((resolve) => collector.listen(0, "127.0.0.1", resolve));
  const { port: at } = collector.address() as { port: number };
  const env = { SLIPSTREAM_OTLP_ENDPOINT: `http://127.0.0.1:${at}`, SLIPSTREAM_OTLP_SHARE: "1" };
  up = await start(process.execPath, ["bin/slipstream.js", "up", "--engine", "simulated", ...anyPorts], /Ctrl-C/, env);
  ({ http: port, grpc: grpcPort } = portsOf(up.out()));
});
afterAll(async () => {
  await up?.end();
  collector.close();
});

test("one trace from the caller's span over the router's rooms to the worker's phases, without code text", async () => {
  const callers = {
    complete: { trace: "1af7651916cd43dd8448eb211c80319c", span: "c7ad6b7169203331" },
    trigger: { trace: "2af7651916cd43dd8448eb211c80319c", span: "d7ad6b7169203331" },
  };
  const [traceId, caller] = ["0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"];
  const response = await fetch(`http://127.0.0.1:${port}/v1/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", traceparent: `00-${traceId}-${caller}-01` },
    body: JSON.stringify({ prompt: "const secretPrefix = ", suffix: "\nsecretSuffix();\n", max_tokens: 8 }),
  });
  const { choices } = (await response.json()) as { choices: [{ text: string }] };
  await overGrpc(callers);
  // What is pending is sent before the process is gone.
  expect(await up.end("SIGTERM")).toBe(0);
  for (const { trace, span } of Object.values(callers))
    expect(spans.find((each) => each.traceId === trace && each.parentSpanId === span)?.name).toBe("inline invoked");
  const own = spans.filter((span) => span.traceId === traceId);
  // Router and worker both have a "queue", and either's spans may come first.
  const named = (name: string, service = "") => own.find((span) => span.name === name && span.service.endsWith(service));
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
    expect(named(room, "router"), room).toMatchObject({ parentSpanId: trigger?.spanId, service: "slipstream-router" });
  expect(generation).toMatchObject({ parentSpanId: dispatch?.spanId, service: "slipstream-worker" });
  for (const phase of ["prefill", "decode"])
    expect(named(phase), phase).toMatchObject({ parentSpanId: generation?.spanId, service: "slipstream-worker" });
  for (const { name, startTimeUnixNano, endTimeUnixNano } of own)
    expect(BigInt(endTimeUnixNano), name).toBeGreaterThanOrEqual(BigInt(startTimeUnixNano));
  expect(bodies).not.toMatch(/secret/);
  expect(choices[0].text.length).toBeGreaterThan(4);
  expect(bodies).not.toContain(JSON.stringify(choices[0].text).slice(1, -1));
});

type Caller = { readonly trace: string; readonly span: string };
const headerOf = ({ trace, span }: Caller) => `00-${trace}-${span}-01`;

/** A stateless call and a trigger of a session, each beneath its caller's span. */
async function overGrpc(callers: { readonly complete: Caller; readonly trigger: Caller }): Promise<void> {
  const { method } = CompletionService;
  const client = new GrpcClient({ address: `127.0.0.1:${grpcPort}` });
  const request = create(CompleteRequestSchema, { prefix: "const a = ", kind: TriggerKind.INVOKED });
  const metadata = { traceparent: headerOf(callers.complete) };
  await readAll(client.serverStream(method.complete, request, { metadata }));
  const stream = client.duplex(method.session);
  const say = (message: MessageInitShape<typeof ClientMessageSchema>["message"]) =>
    void stream.send(create(ClientMessageSchema, { message } as MessageInitShape<typeof ClientMessageSchema>));
  say({ case: "hello", value: { protocol: "1", sessionId: "s" } });
  say({ case: "documentOpen", value: { documentId: "d", version: 1n, text: "const b = " } });
  const asked = { documentId: "d", version: 1n, offsetUtf16: 10, kind: TriggerKind.INVOKED };
  say({ case: "trigger", value: { ...asked, traceparent: headerOf(callers.trigger) } });
  for await (const { message } of stream.frames) if (message.case === "completion" || message.case === "nothing") break;
  stream.end();
  client.close();
}
