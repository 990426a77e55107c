// wire: vLLM's gRPC service (proto/third_party/smg-grpc-proto): generations as streams, and what the engine says of itself.
import { create } from "@bufbuild/protobuf";
import type { Clock } from "../../../../lib/clock.ts";
import {
  type GenerateRequestSchema,
  type GenerateResponseSchema,
  GetLoadsRequestSchema,
  type GetLoadsResponse,
  GetModelInfoRequestSchema,
  type GetModelInfoResponse,
  GetServerInfoRequestSchema,
  type GetServerInfoResponse,
  HealthCheckRequestSchema,
  VllmEngine as Service,
} from "../../../../proto/gen/third_party/vllm_engine_pb.ts";
import { type Asking, GrpcCalls } from "../../grpc-calls.ts";
import type { Answer } from "../../http.ts";

export { isGrpc } from "../../grpc-calls.ts";

export class GrpcWire extends GrpcCalls<typeof GenerateRequestSchema, typeof GenerateResponseSchema> {
  constructor(options: { readonly url: string }, deps: { readonly clock: Clock }) {
    super(options, { ...deps, generate: Service.method.generate });
  }

  /** As a page of an engine's health would answer. */
  async health(asking: Asking = {}): Promise<Answer> {
    const { healthy, message } = await this.ask(Service.method.healthCheck, create(HealthCheckRequestSchema), asking);
    return { status: healthy ? 200 : 503, text: message };
  }

  model(asking: Asking): Promise<GetModelInfoResponse> {
    return this.ask(Service.method.getModelInfo, create(GetModelInfoRequestSchema), asking);
  }

  server(asking: Asking): Promise<GetServerInfoResponse> {
    return this.ask(Service.method.getServerInfo, create(GetServerInfoRequestSchema), asking);
  }

  /** What runs and waits there, by its own count, and its version. */
  loads(asking: Asking): Promise<GetLoadsResponse> {
    return this.ask(Service.method.getLoads, create(GetLoadsRequestSchema), asking);
  }
}
