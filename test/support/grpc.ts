// grpc: a real server on a free loopback port with a client of its own, both gone when the test is over.
import { create } from "@bufbuild/protobuf";
import { onTestFinished } from "vitest";
import type { SlipstreamError } from "../../lib/errors.ts";
import { GrpcClient } from "../../lib/grpc/client.ts";
import { type GrpcServer, type Handlers, mount, type ServerOptions, startGrpcServer } from "../../lib/grpc/server.ts";
import { CompletionService, ReportResponseSchema } from "../../proto/gen/slipstream/v1/completion_pb.ts";
import { WorkerService } from "../../proto/gen/slipstream/v1/worker_pb.ts";

export interface GrpcPair {
  readonly server: GrpcServer;
  readonly address: string;
  readonly client: GrpcClient;
  /** Mistakes of ours that the server reported. */
  readonly failures: SlipstreamError[];
}

type CompletionHandlers = Handlers<typeof CompletionService>;
export type Parts = Partial<CompletionHandlers> & Partial<Handlers<typeof WorkerService>>;

/** Handlers that answer nothing, for what a test does not use. */
const quiet: CompletionHandlers & Handlers<typeof WorkerService> = {
  session: async () => {},
  complete: async function* () {},
  generate: async function* () {},
  report: async () => create(ReportResponseSchema),
  link: async () => {},
};

export async function startPair(parts: Parts, options: Partial<ServerOptions> = {}): Promise<GrpcPair> {
  const handlers = { ...quiet, ...parts };
  const failures: SlipstreamError[] = [];
  const server = await startGrpcServer(
    { address: "127.0.0.1:0", messageBytesMax: 4 << 20, streamsPerConnectionMax: 1_000, ...options },
    {
      name: "test",
      failed: (error) => failures.push(error),
      mounts: [mount(CompletionService, handlers), mount(WorkerService, handlers)],
    },
  );
  const address = `127.0.0.1:${server.port}`;
  const client = new GrpcClient({ address });
  onTestFinished(() => {
    client.close();
    server.close();
  });
  return { server, address, client, failures };
}

/** Everything a stream says, and the error it ends with. */
export async function readAll<T>(stream: AsyncIterable<T>): Promise<{ messages: T[]; error: SlipstreamError | undefined }> {
  const messages: T[] = [];
  try {
    for await (const message of stream) messages.push(message);
  } catch (error) {
    return { messages, error: error as SlipstreamError };
  }
  return { messages, error: undefined };
}
