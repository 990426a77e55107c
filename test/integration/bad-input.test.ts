// What a router and its links make of input that cannot be, over real gRPC: each row has its clear answer, and after all of
// them the same process serves as before and holds nothing of them.
import { createHash } from "node:crypto";
import { connect } from "node:net";
import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import * as grpc from "@grpc/grpc-js";
import { afterAll, beforeAll, expect, test } from "vitest";
import { SlipstreamError } from "../../lib/errors.ts";
import { GrpcClient } from "../../lib/grpc/client.ts";
import { mount } from "../../lib/grpc/server.ts";
import {
  ClientMessageSchema,
  CompleteRequestSchema,
  CompletionService,
  FeedbackEvent,
  type FeedbackSchema,
  GenerateRequestSchema,
  Reason,
  ReportRequestSchema,
  Role,
  type SamplingSchema,
  type ServerMessage,
  type Shape,
  type Speculation,
  TriggerKind,
} from "../../proto/gen/slipstream/v1/completion_pb.ts";
import { RouterFrameSchema, WorkerFrameSchema, WorkerService } from "../../proto/gen/slipstream/v1/worker_pb.ts";
import { outcomeOf, reasonOf } from "../../sim/session-client.ts";
import { keyFile } from "../support/keys.ts";
import { type Platform, startPlatform, startServer } from "../support/platform.ts";
import { until } from "../support/until.ts";

const documentBytesMax = 64 << 10;
const { path, keys } = keyFile("acme");
let platform: Platform;
let stranger: { close(): void };
let client: GrpcClient;
let worker: GrpcClient;
let raw: grpc.Client;

beforeAll(async () => {
  // A worker of a protocol that this router does not speak.
  const other = await startServer(
    "stranger",
    mount(WorkerService, {
      link: async (stream) => {
        for await (const _ of stream.frames)
          stream.send(create(WorkerFrameSchema, { frame: { case: "welcome", value: { protocol: 9, worker: "stranger" } } }));
      },
    }),
  );
  stranger = other;
  platform = await startPlatform(
    {
      SLIPSTREAM_ROUTER_KEYS_FILE: path,
      SLIPSTREAM_ROUTER_DOCUMENT_BYTES_MAX: String(documentBytesMax),
      SLIPSTREAM_ROUTER_DOCUMENTS_MAX: "4",
    },
    { more: [`127.0.0.1:${other.port}`] },
  );
  client = new GrpcClient({ address: `127.0.0.1:${platform.ports.grpc}` });
  worker = new GrpcClient({ address: `127.0.0.1:${platform.worker}` });
  raw = new grpc.Client(`127.0.0.1:${platform.ports.grpc}`, grpc.credentials.createInsecure());
});
afterAll(async () => {
  for (const open of [client, worker, raw]) open?.close();
  await platform?.end();
  stranger?.close();
});

const metadata = { authorization: `Bearer ${keys.acme.text}` };
const {
  complete: completeMethod,
  generate: generateMethod,
  report: reportMethod,
  session: sessionMethod,
} = CompletionService.method;

/** An error as its code and field. */
const said = (thrown: unknown) => {
  if (!(thrown instanceof SlipstreamError)) throw thrown;
  return [thrown.code, thrown.field].filter(Boolean).join(" ");
};
/** "invalid_request: trigger.kind: 99 is no kind" is `invalid_request trigger.kind`. */
const detailOf = (detail: string) => /^(\w+): (?:([\w.[\]]+): )?/.exec(detail)?.slice(1).filter(Boolean).join(" ") ?? "";

/** A server message in a few words. */
function told({ message }: ServerMessage): string {
  if (message.case === "nothing") {
    const { outcome, reason, detail } = message.value;
    const why = reason === Reason.ERROR ? detailOf(detail) : "";
    return ["nothing", outcomeOf(outcome), reasonOf(reason), why].filter(Boolean).join(" ");
  }
  if (message.case === "status") return `status ${message.value.field}`;
  if (message.case === "resync") return `resync ${message.value.documentId} ${message.value.heldVersion}`;
  return message.case ?? "empty";
}

type Complete = MessageInitShape<typeof CompleteRequestSchema>;
async function complete(request: Complete, headers: Readonly<Record<string, string>> = metadata): Promise<string> {
  try {
    let last = "no message";
    const init = create(CompleteRequestSchema, { prefix: "const total = ", kind: TriggerKind.INVOKED, ...request });
    for await (const message of client.serverStream(completeMethod, init, { metadata: headers })) last = told(message);
    return last;
  } catch (thrown) {
    return said(thrown);
  }
}
const sampling = (given: MessageInitShape<typeof SamplingSchema>) => complete({ sampling: given });

async function generate(request: MessageInitShape<typeof GenerateRequestSchema>): Promise<string> {
  try {
    for await (const _ of client.serverStream(generateMethod, create(GenerateRequestSchema, request), { metadata })) break;
    return "text";
  } catch (thrown) {
    return said(thrown);
  }
}

async function report(...feedback: MessageInitShape<typeof FeedbackSchema>[]): Promise<string> {
  try {
    const { matched, unmatched } = await client.unary(reportMethod, create(ReportRequestSchema, { feedback }), { metadata });
    return `matched ${matched} of ${matched + unmatched}`;
  } catch (thrown) {
    return said(thrown);
  }
}

type Said = MessageInitShape<typeof ClientMessageSchema>["message"];
/** Of a session of its own, each time it is said. */
const hello: Said = { case: "hello", value: { protocol: "1" } };
let sessions = 0;
const named = (said: Said): Said =>
  said === hello ? { case: "hello", value: { protocol: "1", sessionId: `bad-input-${++sessions}` } } : said;
const document = "const a = 1;\nlet 😀 = a";
const open = (given: object = {}): Said => ({
  case: "documentOpen",
  value: { documentId: "d1", version: 1n, text: document, language: "typescript", ...given },
});
const trigger = (given: object = {}): Said => ({
  case: "trigger",
  value: { triggerId: "t1", documentId: "d1", version: 1n, offsetUtf16: document.length, kind: TriggerKind.INVOKED, ...given },
});
/** Neither known from before nor joined: it takes its time. */
const byChance = { sampling: { temperature: 1 } };
const edit = (given: object = {}): Said => ({
  case: "documentEdit",
  value: { documentId: "d1", baseVersion: 1n, version: 2n, ...given },
});
const change = (startUtf16: number, endUtf16: number, text = "") => edit({ edits: [{ startUtf16, endUtf16, text }] });

const messageOf = (message: Said) =>
  create(ClientMessageSchema, { message: named(message) } as MessageInitShape<typeof ClientMessageSchema>);

/** What a session hears to these messages, its greeting and texts apart, until `count` answers came or it ended. */
async function session(count: number, ...messages: Said[]): Promise<string> {
  const stream = client.duplex(sessionMethod, { metadata });
  for (const message of messages) stream.send(messageOf(message));
  const heard: string[] = [];
  try {
    if (count > 0)
      for await (const message of stream.frames) {
        if (["welcome", "policy", "partial"].includes(message.message.case ?? "")) continue;
        heard.push(told(message));
        if (heard.length === count) break;
      }
  } catch (thrown) {
    heard.push(said(thrown));
  }
  stream.end();
  return heard.join(", ");
}
const opened = (...messages: Said[]) => session(1, hello, open(), ...messages);

const bytes = (init: Complete) => Buffer.from(toBinary(CompleteRequestSchema, create(CompleteRequestSchema, init)));
/** Bytes as a request of that method; the status it ends with. */
function wire(method: string, ...frames: Buffer[]): Promise<string> {
  const header = grpc.Metadata.fromHttp2Headers(metadata);
  const call = raw.makeBidiStreamRequest(
    `/slipstream.v1.CompletionService/${method}`,
    (frame: Buffer) => frame,
    (frame) => frame,
    header,
  );
  const ended = new Promise<string>((resolve) => call.on("status", ({ code }) => resolve(`status ${grpc.status[code]}`)));
  call.on("error", () => {});
  call.resume();
  for (const frame of frames) call.write(frame);
  call.end();
  return ended;
}
const message = (said: Said) => Buffer.from(toBinary(ClientMessageSchema, messageOf(said)));

/** A link to the worker that begins with this frame. */
async function link(frame: MessageInitShape<typeof RouterFrameSchema>["frame"]): Promise<string> {
  const stream = worker.duplex(WorkerService.method.link);
  stream.send(create(RouterFrameSchema, { frame } as MessageInitShape<typeof RouterFrameSchema>));
  try {
    for await (const _ of stream.frames) return "welcomed";
    return "ended";
  } catch (thrown) {
    return (thrown as SlipstreamError).code;
  } finally {
    stream.end();
  }
}

/** A trigger that would go on for seconds, whose client is gone after its first text. */
async function vanish(): Promise<string> {
  const gone = new AbortController();
  const long = create(GenerateRequestSchema, {
    messages: [{ role: Role.USER, content: "Tell me all." }],
    sampling: { maxTokens: 4_000 },
  });
  const stream = client.serverStream(generateMethod, long, { metadata, signal: gone.signal });
  const first = await stream.next();
  gone.abort();
  const end = await stream.next().catch(said);
  return `${first.value?.message.case}, ${end}`;
}

async function vanishSession(): Promise<string> {
  const stream = client.duplex(sessionMethod, { metadata });
  const long = trigger({ shape: 3, deadlineMs: 60_000, sampling: { maxTokens: 256 } });
  for (const said of [hello, open(), long]) stream.send(messageOf(said));
  await until("the trigger runs", () => platform.router.rooms.dispatch.outstanding > 0 || platform.router.rooms.queue.length > 0);
  stream.end(new SlipstreamError("cancelled", "gone"));
  return "gone";
}

/** Bytes of no HTTP/2 on the gRPC port. */
async function scribble(text: string): Promise<string> {
  const socket = connect(platform.ports.grpc, "127.0.0.1");
  socket.on("error", () => {});
  await new Promise<void>((resolve) => socket.once("connect", () => resolve()));
  socket.write(text);
  socket.resume();
  await new Promise<void>((resolve) => socket.once("close", () => resolve()));
  return "closed";
}

const sha256 = (text: string) => new Uint8Array(createHash("sha256").update(text).digest());
const large = "x".repeat(documentBytesMax + 1);
const surrogate = document.indexOf("😀") + 1;

const rows: readonly [name: string, act: () => Promise<string>, expected: string | RegExp][] = [
  // Stateless calls.
  ["a prefix over the size of a document", () => complete({ prefix: large }), "invalid_request prefix"],
  [
    "prefix and suffix over it together",
    () => complete({ prefix: large.slice(9), suffix: large.slice(9) }),
    "invalid_request prefix",
  ],
  ["a path over its length", () => complete({ path: "p".repeat(4_097) }), "invalid_request path"],
  ["a language over its length", () => complete({ language: "l".repeat(65) }), "invalid_request language"],
  ["a language that nobody knows is plain text", () => complete({ language: "klingon" }), "completion"],
  ["an unknown kind", () => complete({ kind: 99 as TriggerKind }), "invalid_request kind"],
  ["a kind that is reserved", () => complete({ kind: TriggerKind.NEXT_EDIT }), "unsupported kind"],
  ["an unknown shape", () => complete({ shape: 99 as Shape }), "invalid_request shape"],
  ["no deadline is the default one", () => complete({ deadlineMs: 0 }), "completion"],
  ["a deadline of more than ten minutes", () => complete({ deadlineMs: 600_001 }), "invalid_request deadline_ms"],
  // Refused beforehand where the prediction sees it coming, expired where it does not.
  [
    "a deadline that nobody can keep",
    () => complete({ deadlineMs: 1, prefix: "const late = " }),
    /^nothing (refused|expired) deadline$/,
  ],
  ["a temperature that is no number", () => sampling({ temperature: Number.NaN }), "invalid_request sampling.temperature"],
  ["a temperature without end", () => sampling({ temperature: Number.POSITIVE_INFINITY }), "invalid_request sampling.temperature"],
  ["a temperature over its limit", () => sampling({ temperature: 2.5 }), "invalid_request sampling.temperature"],
  ["a top_p of zero", () => sampling({ topP: 0 }), "invalid_request sampling.top_p"],
  ["a top_k over its limit", () => sampling({ topK: 4_000_000_000 }), "invalid_request sampling.top_k"],
  ["no tokens", () => sampling({ maxTokens: 0 }), "invalid_request sampling.max_tokens"],
  ["too many tokens", () => sampling({ maxTokens: 4_294_967_295 }), "invalid_request sampling.max_tokens"],
  ["too many stops", () => sampling({ stop: [..."abcdefghi"] }), "invalid_request sampling.stop"],
  ["an empty stop", () => sampling({ stop: [""] }), "invalid_request sampling.stop[0]"],
  ["a stop over its size", () => sampling({ stop: ["a", "x".repeat(65)] }), "invalid_request sampling.stop[1]"],
  ["an unknown use of speculation", () => sampling({ speculation: 9 as Speculation }), "invalid_request sampling.speculation"],
  ["a model that nobody serves", () => complete({ model: "unheard-of" }), "nothing refused error not_found model"],
  ["an id with a line break", () => complete({ triggerId: "a\nb" }), "invalid_request trigger_id"],
  ["a session id over its length", () => complete({ sessionId: "s".repeat(129) }), "invalid_request session_id"],
  ["too many snippets", () => complete({ snippets: Array(65).fill({}) }), "invalid_request snippets"],
  ["a snippet over its size", () => complete({ snippets: [{ text: "x".repeat(16_385) }] }), "invalid_request snippets[0].text"],
  ["an empty request", () => complete({ prefix: "", kind: TriggerKind.AUTO }), "nothing gated gated"],
  ["chat without messages", () => generate({}), "invalid_request messages"],
  ["chat without text", () => generate({ messages: [{ role: Role.USER }] }), "invalid_request messages"],
  ["a message of nobody", () => generate({ messages: [{ content: "hi" }] }), "invalid_request messages[0].role"],
  ["too many reports", () => report(...Array(257).fill({ event: FeedbackEvent.SHOWN })), "invalid_request feedback"],
  ["a report of an unknown event", () => report({ event: 99 as FeedbackEvent }), "invalid_request feedback[0].event"],
  [
    "a report with a share that is no number",
    () => report({ event: 1, keptRatio: Number.NaN }),
    "invalid_request feedback[0].kept_ratio",
  ],
  ["a report of a completion that nobody knows", () => report({ event: 1, completionId: "c1" }), "matched 0 of 1"],
  // Sessions.
  ["a first message that is no hello", () => session(1, open()), "invalid_request message"],
  ["an empty first message", () => session(1, { case: undefined }), "invalid_request message"],
  [
    "a hello of another protocol",
    () => session(1, { case: "hello", value: { protocol: "2", sessionId: "s" } }),
    "protocol hello.protocol",
  ],
  [
    "a hello without a session id",
    () => session(1, { case: "hello", value: { protocol: "1" } }),
    "invalid_request hello.session_id",
  ],
  ["a second hello", () => session(1, hello, hello), "status hello"],
  ["an empty message", () => session(1, hello, { case: undefined }), "status message"],
  ["a document over its size", () => session(1, hello, open({ text: large })), "status document_open.text"],
  [
    "too many documents",
    () => session(1, hello, ...["a", "b", "c", "d", "e"].map((documentId) => open({ documentId }))),
    "status document_open.document_id",
  ],
  ["a document with another hash", () => session(1, hello, open({ sha256: sha256("other") })), "resync d1 0"],
  ["an edit of a document that is not open", () => session(1, hello, change(0, 0, "x")), "resync d1 0"],
  ["an edit of another version", () => opened(edit({ baseVersion: 7n, version: 8n })), "resync d1 1"],
  ["a version that does not grow", () => opened(edit({ version: 1n })), "status document_edit.version"],
  ["an edit whose result has another hash", () => opened(edit({ sha256After: sha256("other") })), "resync d1 2"],
  ["a hash that is none", () => opened(edit({ sha256After: new Uint8Array(3) })), "resync d1 2"],
  ["an edit past the end", () => opened(change(9_999, 9_999, "x")), "status document_edit.edits[0].start_utf16"],
  ["an edit whose start is after its end", () => opened(change(2, 1)), "status document_edit.edits[0].start_utf16"],
  ["an edit inside a surrogate pair", () => opened(change(surrogate, surrogate, "x")), "status document_edit.edits[0].start_utf16"],
  ["too many edits", () => opened(edit({ edits: Array(1_025).fill({}) })), "status document_edit.edits"],
  ["edits that make a document too large", () => opened(change(0, 0, large.slice(9))), "status document_edit.edits"],
  ["a trigger of a document that is not open", () => session(2, hello, trigger()), "resync d1 0, nothing refused resync_needed"],
  [
    "a trigger of an older version",
    () => session(2, hello, open({ version: 4n }), trigger({ version: 3n })),
    "resync d1 4, nothing refused resync_needed",
  ],
  [
    "a cursor past the end",
    () => opened(trigger({ offsetUtf16: 9_999 })),
    "nothing refused error invalid_request trigger.offset_utf16",
  ],
  [
    "a cursor inside a surrogate pair",
    () => opened(trigger({ offsetUtf16: surrogate })),
    "nothing refused error invalid_request trigger.offset_utf16",
  ],
  ["a trigger of an unknown kind", () => opened(trigger({ kind: 42 })), "nothing refused error invalid_request trigger.kind"],
  [
    "a trigger with an id that is too long",
    () => opened(trigger({ triggerId: "t".repeat(129) })),
    "nothing refused error invalid_request trigger.trigger_id",
  ],
  ["too many alternatives", () => opened(trigger({ n: 99 })), "nothing refused error invalid_request trigger.n"],
  ["a trigger of an excluded document", () => session(1, hello, open({ excluded: true }), trigger()), "nothing refused excluded"],
  ["a second trigger of a live id", () => opened(trigger(byChance), trigger(byChance)), "status trigger.trigger_id"],
  ["Cancel of a trigger that nobody knows", () => opened({ case: "cancel", value: { triggerId: "t9" } }, trigger()), "completion"],
  [
    "context of a document that is not open",
    () => session(1, hello, { case: "context", value: { documentId: "d9" } }),
    "status context.document_id",
  ],
  [
    "too much context",
    () => opened({ case: "context", value: { documentId: "d1", snippets: Array(65).fill({}) } }),
    "status context.snippets",
  ],
  ["feedback of no event", () => opened({ case: "feedback", value: { completionId: "c1" } }), "status feedback.event"],
  // Who calls.
  ["a call without a token", () => complete({}, {}), "unauthenticated authorization"],
  ["a call with an unknown token", () => complete({}, { authorization: "Bearer wrong" }), "unauthenticated authorization"],
  ["a call with another scheme", () => complete({}, { authorization: "Basic YWNtZTpzZWNyZXQ=" }), "unauthenticated authorization"],
  // The wire.
  [
    "bytes that are no UTF-8 in a text",
    () => wire("Complete", Buffer.concat([Buffer.from([0x12, 3]), Buffer.from([0x61, 0xff, 0xfe])])),
    "status INTERNAL",
  ],
  ["half a surrogate pair in a text", () => wire("Complete", Buffer.from([0x12, 3, 0xed, 0xa0, 0x80])), "status INTERNAL"],
  ["bytes that are no message", () => wire("Complete", Buffer.from([0xff, 0xff, 0xff, 0xff, 0x07])), "status INTERNAL"],
  ["a message that ends too early", () => wire("Complete", bytes({ prefix: "abcdef" }).subarray(0, 4)), "status INTERNAL"],
  [
    "fields of a newer client are passed over",
    () =>
      wire("Complete", Buffer.concat([bytes({ prefix: "a = ", kind: TriggerKind.INVOKED }), Buffer.from([0xfa, 0x3f, 1, 0x61])])),
    "status OK",
  ],
  [
    "bytes that are no message, in a session",
    () => wire("Session", message(hello), message(open()), Buffer.from([0xff, 0xff])),
    "status INTERNAL",
  ],
  [
    "a message over the size of any",
    () => wire("Complete", bytes({ prefix: "x".repeat(documentBytesMax + (3 << 20)) })),
    "status RESOURCE_EXHAUSTED",
  ],
  ["a method that nobody knows", () => wire("Divine", Buffer.alloc(0)), "status UNIMPLEMENTED"],
  ["HTTP/1 on the gRPC port", () => scribble("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"), "closed"],
  ["noise on the gRPC port", () => scribble("\u0000\u0001\u0002 noise without end ".repeat(50)), "closed"],
  // Those who leave.
  ["a client that vanishes in the middle of its text", vanish, "text, cancelled"],
  ["an editor that vanishes while its trigger runs", vanishSession, "gone"],
  // Links.
  [
    "a router of another protocol",
    () => link({ case: "hello", value: { protocolMin: 8, protocolMax: 9, router: "r", channel: 1 } }),
    "protocol",
  ],
  ["a link that begins without a hello", () => link({ case: "cancel", value: { id: 1n } }), "invalid_request"],
  [
    "a worker of another protocol is not used",
    async () => `${platform.router.rooms.dispatch.links.ready} of ${platform.router.rooms.dispatch.links.all}`,
    "1 of 2",
  ],
];

test.each(rows)("%s", async (_, act, expected) => {
  const found = await act();
  if (typeof expected === "string") expect(found).toBe(expected);
  else expect(found).toMatch(expected);
});

test("there are more than thirty of them", () => {
  expect(rows.length).toBeGreaterThan(30);
  expect(new Set(rows.map(([name]) => name)).size).toBe(rows.length);
});

test("all of them at once, and the router still serves and holds nothing of them", async () => {
  const again = await Promise.all(
    // What is refused needs no worker and no order.
    rows
      .filter(([, , expected]) => /^(invalid_request|unauthenticated|status|resync)/.test(String(expected)))
      .map(async ([name, act, expected]) => ({ name, expected, got: await act() })),
  );
  expect(again.filter(({ expected, got }) => got !== expected)).toEqual([]);
  expect(await complete({ prefix: "const last = " })).toBe("completion");
  expect(await opened(trigger())).toBe("completion");
  const { router, ports } = platform;
  const gauges = async () => {
    const text = await (await fetch(`http://127.0.0.1:${ports.admin}/metrics`)).text();
    return ["sessions", "documents"].flatMap((name) =>
      [...text.matchAll(new RegExp(`^slipstream_router_${name}(?:{[^}]*})? (\\d+)$`, "gm"))].map((found) => `${name} ${found[1]}`),
    );
  };
  await until("sessions and generations are gone", async () => {
    const { queue, settle, dispatch } = router.rooms;
    return queue.length + settle.size + dispatch.outstanding === 0 && (await gauges()).includes("sessions 0");
  });
  expect(await gauges()).toEqual(["sessions 0", "documents 0"]);
  expect(router.rooms.fleet.snapshot().workers.map(({ name, outstanding }) => [name, outstanding])).toEqual([["w1", 0]]);
});

test("no answer holds a secret of the machine or the cause of a mistake", async () => {
  const header = grpc.Metadata.fromHttp2Headers(metadata);
  const details = await new Promise<string>((resolve) => {
    const call = raw.makeServerStreamRequest(
      "/slipstream.v1.CompletionService/Complete",
      (frame: Buffer) => frame,
      (frame: Buffer) => fromBinary(CompleteRequestSchema, frame),
      Buffer.from([0xff, 0xff]),
      header,
    );
    call.on("error", (error: grpc.ServiceError) => resolve(error.details));
  });
  expect(details).not.toMatch(/node_modules|\bat \/|slp_/);
});
