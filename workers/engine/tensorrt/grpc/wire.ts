// wire: TensorRT-LLM's gRPC service (proto/third_party/smg-grpc-proto): generations as streams, their abort by name, and what the engine
// says of itself.
import { create } from "@bufbuild/protobuf";
import type { Clock } from "../../../../lib/clock.ts";
import {
  AbortRequestSchema,
  type GenerateRequestSchema,
  type GenerateResponseSchema,
  GetModelInfoRequestSchema,
  type GetModelInfoResponse,
  GetServerInfoRequestSchema,
  type GetServerInfoResponse,
  HealthCheckRequestSchema,
  TrtllmService as Service,
} from "../../../../proto/gen/third_party/trtllm_service_pb.ts";
import { type Asking, GrpcCalls } from "../../grpc-calls.ts";
import type { Answer } from "../../http.ts";

/** Of a generation that was told to stop; its stream is reset then, which stops it as well. */
const abortMs = 1_000;

export class TensorRtWire extends GrpcCalls<typeof GenerateRequestSchema, typeof GenerateResponseSchema> {
  constructor(options: { readonly url: string }, deps: { readonly clock: Clock }) {
    super(options, { ...deps, generate: Service.method.generate });
  }

  /** False: the engine does not know it, or not yet: a request is known there only when it is taken up. */
  async abort(requestId: string): Promise<boolean> {
    const question = create(AbortRequestSchema, { requestId });
    const answer = await this.ask(Service.method.abort, question, { timeoutMs: abortMs }).catch(() => undefined);
    return answer?.success === true;
  }

  /** As a page of an engine's health would answer: its word is "OK", or a reason. */
  async health(asking: Asking = {}): Promise<Answer> {
    const { status } = await this.ask(Service.method.healthCheck, create(HealthCheckRequestSchema), asking);
    return { status: status === "OK" ? 200 : 503, text: status };
  }

  model(asking: Asking): Promise<GetModelInfoResponse> {
    return this.ask(Service.method.getModelInfo, create(GetModelInfoRequestSchema), asking);
  }

  server(asking: Asking): Promise<GetServerInfoResponse> {
    return this.ask(Service.method.getServerInfo, create(GetServerInfoRequestSchema), asking);
  }
}
