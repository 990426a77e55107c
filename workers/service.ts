// service: WorkerService over gRPC. Each Link call is one stream of a router, served by the agent until it ends; an error that
// ends it becomes its status (a router of another protocol version: FAILED_PRECONDITION with both versions named).
import { type Mount, mount } from "../lib/grpc/server.ts";
import { WorkerService } from "../proto/gen/slipstream/v1/worker_pb.ts";
import type { Agent } from "./agent.ts";

export function workerService(agent: Agent): Mount {
  return mount(WorkerService, {
    // The stream itself is bounded: a router that does not read is cut off (lib/grpc/duplex.ts), and its generations with it.
    link: (stream) => agent.serve(stream),
  });
}
