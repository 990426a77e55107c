// connect: one stream of a link over real gRPC. A connection for each stream, so that a big transfer on the bulk one never sits
// before an inline delta in the same socket.
import { GrpcClient } from "../lib/grpc/client.ts";
import type { ClientTls } from "../lib/tls/client.ts";
import { WorkerService } from "../proto/gen/slipstream/v1/worker_pb.ts";
import type { Connect } from "./dispatch/dispatch.ts";

/** A worker behind a network that has gone away is found out within twice this, also while it owes nothing. */
const keepAliveMs = 5_000;

/** `tls` is asked anew for each connection: renewed certificates are used from the next one on. */
export function connectGrpc(tls: () => ClientTls | undefined): Connect {
  return (address) => {
    const client = new GrpcClient({ address, keepAliveMs, tls: tls() });
    const stream = client.duplex(WorkerService.method.link);
    stream.signal.addEventListener("abort", () => client.close(), { once: true });
    return stream;
  };
}
