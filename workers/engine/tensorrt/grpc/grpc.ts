// grpc: a running TensorRT-LLM behind the Engine interface, over its gRPC service (trtllm-serve --grpc), which stops a generation by its
// name at the end of a step. For a pool of one lane and one tenant, all else is refused with the reason (one-of-each.ts). Prompts go
// and text comes as tokens, so the model's vocabulary must be at hand.
import { SlipstreamError } from "../../../../lib/errors.ts";
import { type GenerateResponse, TrtllmService as Service } from "../../../../proto/gen/third_party/trtllm_service_pb.ts";
import { FileTokenizer } from "../../file-tokenizer.ts";
import { GrpcKvFeed } from "../../grpc-kv-feed.ts";
import { OneOfEach, type OneOptions } from "../../one-of-each.ts";
import { untilReady } from "../../ready.ts";
import { ServedEngine, type Speaking } from "../../served.ts";
import { describeModels } from "../../served-models.ts";
import { warmed } from "../../served-start.ts";
import { stops } from "../../stop-strings.ts";
import { contextOf } from "../context.ts";
import { blockTokensUsual, type TensorRtDeps, type TensorRtOptions } from "../options.ts";
import { TensorRtAnswer } from "./answer.ts";
import { generateRequest } from "./request.ts";
import { TensorRtWire } from "./wire.ts";

export interface TensorRtGrpcOptions extends TensorRtOptions, OneOptions {}

const lacks = "TensorRT-LLM's gRPC has no priority, and its server reads no cache salt";

export async function startTensorRtGrpc(options: TensorRtGrpcOptions, deps: TensorRtDeps): Promise<ServedEngine<GenerateResponse>> {
  const speaking = await speakTensorRtGrpc(options, deps);
  const requests = `slipstream-${deps.random.hex(8)}`;
  return warmed(new ServedEngine(speaking, { ...options, requests, timesQueue: true }, deps), options, deps);
}

/** Waits until the engine answers, then asks what it is. Throws a sentence when it cannot be used, or must not be. */
export async function speakTensorRtGrpc(options: TensorRtGrpcOptions, deps: TensorRtDeps): Promise<Speaking<GenerateResponse>> {
  const one = new OneOfEach(options, lacks);
  const { url, startMs, tokenizer: given, model: wanted, confidence, ignoreEnd = false } = options;
  const { clock } = deps;
  const wire = new TensorRtWire({ url }, deps);
  const signal = deps.signal ?? new AbortController().signal;
  try {
    await untilReady({ startMs }, { ...deps, http: { ask: (_path, _body, how) => wire.health(how) } });
    const [about, server] = await Promise.all([wire.model({ signal }), wire.server({ signal })]);
    const { modelId } = about;
    const tokenizer = await FileTokenizer.openFor(given, modelId, "over gRPC text comes as tokens");
    const told = about.maxSeqLen || about.maxInputLen;
    const { tokens: contextTokens, by } = await contextOf(options.contextTokens, told, given === "" ? modelId : given);
    // The path of its model stands there for a name.
    const id =
      modelId
        .split("/")
        .filter((part) => part !== "")
        .at(-1) ?? "";
    const served = [{ id, root: modelId, parent: undefined, contextTokens }];
    const models = await describeModels(served, wanted, tokenizer, signal);
    deps.log?.info(
      { version: server.version, models: models.map(({ name }) => name), contextTokens, contextBy: by },
      "TensorRT-LLM answers over gRPC",
    );
    return {
      ...{ name: "tensorrt", wire, models, tokenizer, tenants: false, capabilities: ["tokenize", "kv_events"] },
      blockTokens: options.blockTokens ?? blockTokensUsual,
      feeds: [(feed) => new GrpcKvFeed({ ...feed, client: wire.client, method: Service.method.subscribeKvEvents, clock })],
      answering: () => new TensorRtAnswer((token) => tokenizer.spell(token)),
      request: (work, prompt) => ({
        path: "Generate",
        body: generateRequest(prompt, work.sampling, { stop: stops(work), confidence, ignoreEnd }),
        abort: () => wire.abort(prompt.requestId),
      }),
      refusal: (work) => one.refusal(work),
      ask: async (how) => {
        const { status, text } = await wire.health(how);
        if (status !== 200) throw new SlipstreamError("unavailable", `the engine says of its health: ${text}`);
      },
    };
  } catch (thrown) {
    wire.close();
    throw thrown;
  }
}
