// What gRPC users expect of any server, asked by clients that know nothing of this project: status details, health, reflection.
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { create, fromBinary } from "@bufbuild/protobuf";
import { type FileDescriptorProto, FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import * as grpc from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import protobuf from "protobufjs";
import { expect, onTestFinished, test } from "vitest";
import { SlipstreamError } from "../../lib/errors.ts";
import { CompletionService, ReportRequestSchema } from "../../proto/gen/slipstream/v1/completion_pb.ts";
import { WorkerService } from "../../proto/gen/slipstream/v1/worker_pb.ts";
import { startPair } from "../support/grpc.ts";

const { resolve } = createRequire(import.meta.url);

/** The standard messages, as googleapis publishes them. */
const rpc = protobuf.parse(
  `syntax = "proto3";
  package google.rpc;
  message Any { string type_url = 1; bytes value = 2; }
  message Status { int32 code = 1; string message = 2; repeated Any details = 3; }
  message ErrorInfo { string reason = 1; string domain = 2; map<string, string> metadata = 3; }
  message Duration { int64 seconds = 1; int32 nanos = 2; }
  message RetryInfo { Duration retry_delay = 1; }
  message BadRequest { message FieldViolation { string field = 1; string description = 2; } repeated FieldViolation field_violations = 1; }`,
  { keepCase: true },
).root;

function decode(type: string, bytes: Uint8Array): unknown {
  const message = rpc.lookupType(`google.rpc.${type}`);
  return message.toObject(message.decode(bytes), { longs: Number, arrays: true });
}

async function detailsOf(error: SlipstreamError): Promise<{ code: number; message: string; details: Record<string, unknown> }> {
  const { address } = await startPair({ report: () => Promise.reject(error) });
  const method = CompletionService.method.report;
  const bare = new grpc.Client(address, grpc.credentials.createInsecure());
  onTestFinished(() => bare.close());
  const same = (data: Buffer) => data;
  const failure = await new Promise<grpc.ServiceError>((done) => {
    bare.makeUnaryRequest(`/${method.parent.typeName}/${method.name}`, same, same, Buffer.alloc(0), (thrown) =>
      done(thrown as grpc.ServiceError),
    );
  });
  expect(failure.code).toBe(error.row.grpc);
  const status = decode("Status", failure.metadata.get("grpc-status-details-bin")[0] as Buffer) as {
    code: number;
    message: string;
    details: { type_url: string; value: Uint8Array }[];
  };
  expect(status.message).toBe(failure.details);
  const details = status.details.map(({ type_url: url, value }) => {
    const type = url.replace("type.googleapis.com/google.rpc.", "");
    return [type, decode(type, value)] as const;
  });
  return { code: status.code, message: status.message, details: Object.fromEntries(details) };
}

test("a refused field is a BadRequest with its path, and the code is an ErrorInfo", async () => {
  const error = new SlipstreamError("invalid_request", "trigger.offset_utf16: 9 is beyond the end", {
    field: "trigger.offset_utf16",
  });
  expect(await detailsOf(error)).toEqual({
    code: grpc.status.INVALID_ARGUMENT,
    message: error.message,
    details: {
      ErrorInfo: { reason: "INVALID_REQUEST", domain: "slipstream.dev" },
      BadRequest: { field_violations: [{ field: "trigger.offset_utf16", description: error.message }] },
    },
  });
});

test.each([
  [0, { seconds: 0, nanos: 0 }],
  [250, { seconds: 0, nanos: 250_000_000 }],
  [61_500.25, { seconds: 61, nanos: 500_250_000 }],
])("%d ms until the next try are a RetryInfo", async (retryAfterMs, retryDelay) => {
  const { code, details } = await detailsOf(new SlipstreamError("overloaded", "busy", { retryAfterMs }));
  expect(code).toBe(grpc.status.RESOURCE_EXHAUSTED);
  expect(details).toEqual({
    ErrorInfo: { reason: "OVERLOADED", domain: "slipstream.dev" },
    RetryInfo: { retry_delay: retryDelay },
  });
});

test("a mistake of ours has no details beyond its code", async () => {
  const { message, details } = await detailsOf(new SlipstreamError("internal", "const secret = 1"));
  expect(message).not.toContain("secret");
  expect(details).toEqual({ ErrorInfo: { reason: "INTERNAL", domain: "slipstream.dev" } });
});

/** A client made from a package's own proto file, as any tool would make it. */
function clientOf(address: string, packageName: string, proto: string, service: string): grpc.Client & Record<string, never> {
  const folder = dirname(resolve(`${packageName}/package.json`));
  const definition = loadSync(join(folder, proto), { keepCase: true, enums: String, longs: Number, defaults: true, oneofs: true });
  const Made = service
    .split(".")
    .reduce<unknown>((at, name) => (at as Record<string, unknown>)[name], grpc.loadPackageDefinition(definition));
  const client = new (Made as grpc.ServiceClientConstructor)(address, grpc.credentials.createInsecure());
  onTestFinished(() => client.close());
  return client as unknown as grpc.Client & Record<string, never>;
}

type Unary = (request: object, done: (error: grpc.ServiceError | null, answer: Record<string, unknown>) => void) => void;

test("health is told for the server and for each service, checked or watched", async () => {
  const { address, server } = await startPair({});
  const health = clientOf(address, "grpc-health-check", "proto/health/v1/health.proto", "grpc.health.v1.Health");
  const check = (service: string) =>
    new Promise((done) => {
      (health["check"] as unknown as Unary).call(health, { service }, (error, answer) =>
        done(error ? error.code : answer["status"]),
      );
    });
  const names = ["", "slipstream.v1.CompletionService", "slipstream.v1.WorkerService"];
  const watched: unknown[] = [];
  const watch = (health["watch"] as unknown as (request: object) => grpc.ClientReadableStream<{ status: string }>).call(health, {
    service: "slipstream.v1.CompletionService",
  });
  watch.on("data", ({ status }: { status: string }) => watched.push(status)).on("error", () => {});
  expect(await Promise.all(names.map(check))).toEqual(["NOT_SERVING", "NOT_SERVING", "NOT_SERVING"]);
  server.setServing(true);
  expect(await Promise.all(names.map(check))).toEqual(["SERVING", "SERVING", "SERVING"]);
  expect(await check("slipstream.v1.Nothing")).toBe(grpc.status.NOT_FOUND);
  server.setServing(false);
  await expect.poll(() => watched).toEqual(["NOT_SERVING", "SERVING", "NOT_SERVING"]);
  watch.cancel();
});

test.each(["v1", "v1alpha"])("reflection %s lists the services and gives files that describe them wholly", async (version) => {
  const { address } = await startPair({});
  const proto = `build/proto/grpc/reflection/${version}/reflection.proto`;
  const reflection = clientOf(address, "@grpc/reflection", proto, `grpc.reflection.${version}.ServerReflection`);
  type Answer = {
    list_services_response?: { service: { name: string }[] };
    file_descriptor_response?: { file_descriptor_proto: Buffer[] };
    error_response?: { error_code: number };
  };
  const stream = (reflection["ServerReflectionInfo"] as unknown as () => grpc.ClientDuplexStream<object, Answer>).call(reflection);
  stream.on("error", () => {});
  onTestFinished(() => void stream.end());
  const ask = (question: object) =>
    new Promise<Answer>((done) => {
      stream.once("data", done);
      stream.write(question);
    });
  const { list_services_response: list } = await ask({ list_services: "" });
  const names = list?.service.map(({ name }) => name) ?? [];
  expect(names).toEqual(expect.arrayContaining(["slipstream.v1.CompletionService", "slipstream.v1.WorkerService"]));

  const files = new Map<string, FileDescriptorProto>();
  const take = async (question: object) => {
    const { file_descriptor_response: response } = await ask(question);
    for (const bytes of response?.file_descriptor_proto ?? []) {
      const file = fromBinary(FileDescriptorProtoSchema, bytes);
      files.set(file.name, file);
    }
  };
  for (const symbol of ["WorkerService", "CompletionService.Session", "Submit"]) {
    await take({ file_containing_symbol: `slipstream.v1.${symbol}` });
    for (const { dependency } of [...files.values()]) for (const name of dependency) await take({ file_by_filename: name });
  }
  for (const { proto } of [WorkerService.file, CompletionService.file]) expect(files.get(proto.name)).toEqual(proto);
  for (const { dependency } of files.values()) for (const name of dependency) expect([...files.keys()]).toContain(name);

  expect((await ask({ file_containing_symbol: "slipstream.v1.Nonsense" })).error_response?.error_code).toBe(grpc.status.NOT_FOUND);
});

test("an unknown method and an unknown service are UNIMPLEMENTED", async () => {
  const { address } = await startPair({});
  const bare = new grpc.Client(address, grpc.credentials.createInsecure());
  onTestFinished(() => bare.close());
  const same = (data: Buffer) => data;
  for (const path of ["/slipstream.v1.CompletionService/Nothing", "/slipstream.v9.Nothing/Nothing"]) {
    const code = await new Promise((done) => {
      bare.makeUnaryRequest(path, same, same, Buffer.alloc(0), (thrown) => done(thrown?.code));
    });
    expect([path, code]).toEqual([path, grpc.status.UNIMPLEMENTED]);
  }
});

test("bytes that are no message are refused and the server lives", async () => {
  const { address, client } = await startPair({});
  const bare = new grpc.Client(address, grpc.credentials.createInsecure());
  onTestFinished(() => bare.close());
  const same = (data: Buffer) => data;
  const { report } = CompletionService.method;
  for (const bytes of ["ff", "0affffffff0f", "0a05", "0a020aff"]) {
    const failure = await new Promise<grpc.ServiceError | null>((done) => {
      bare.makeUnaryRequest("/slipstream.v1.CompletionService/Report", same, same, Buffer.from(bytes, "hex"), done);
    });
    expect(failure?.code).toBe(grpc.status.INTERNAL);
  }
  expect((await client.unary(report, create(ReportRequestSchema))).matched).toBe(0);
});
