// grpc: a running vLLM behind the Engine interface, over its gRPC service. For a pool of one lane and one tenant, all else is refused with
// the reason (one-of-each.ts). Prompts go and text comes as tokens, so the model's vocabulary must be at hand.
import type { GenerateResponse } from "../../../../proto/gen/third_party/vllm_engine_pb.ts";
import { VllmEngine as Service } from "../../../../proto/gen/third_party/vllm_engine_pb.ts";
import { FileTokenizer } from "../../file-tokenizer.ts";
import { GrpcKvFeed } from "../../grpc-kv-feed.ts";
import { OneOfEach, type OneOptions } from "../../one-of-each.ts";
import { untilReady } from "../../ready.ts";
import { ServedEngine, type Speaking } from "../../served.ts";
import { describeModels } from "../../served-models.ts";
import { type StartDeps, type StartOptions, warmed } from "../../served-start.ts";
import { stops } from "../../stop-strings.ts";
import { GrpcAnswer } from "./answer.ts";
import { generateRequest } from "./request.ts";
import { GrpcWire } from "./wire.ts";

export { isGrpc } from "./wire.ts";

export interface VllmGrpcOptions extends StartOptions, OneOptions {}

const blockTokensUsual = 16;

export class VllmGrpcEngine extends ServedEngine<GenerateResponse> {
  /** Waits until the engine answers, then asks what it is. Throws a sentence when it cannot be used, or must not be. */
  static async start(options: VllmGrpcOptions, deps: StartDeps): Promise<VllmGrpcEngine> {
    const one = new OneOfEach(options, "vLLM's gRPC has no priority, no cache_salt and no adapters");
    const speaking = await connect(options, one, deps);
    const requests = `slipstream-${deps.random.hex(8)}`;
    return warmed(new VllmGrpcEngine(speaking, { ...options, requests }, deps), options, deps);
  }
}

async function connect(options: VllmGrpcOptions, one: OneOfEach, deps: StartDeps): Promise<Speaking<GenerateResponse>> {
  const { url, startMs, tokenizer: given, model: wanted, confidence, ignoreEnd = false } = options;
  const { clock } = deps;
  const wire = new GrpcWire({ url }, deps);
  const signal = deps.signal ?? new AbortController().signal;
  try {
    await untilReady({ startMs }, { ...deps, http: { ask: (_path, _body, how) => wire.health(how) } });
    const [about, server] = await Promise.all([wire.model({ signal }), wire.server({ signal })]);
    const { servedModelName, modelPath, tokenizerPath, maxContextLength } = about;
    const tokenizer = await FileTokenizer.openFor(given, tokenizerPath || modelPath, "over gRPC text comes as tokens");
    const id = servedModelName === "" ? modelPath : servedModelName;
    const served = [{ id, root: modelPath, parent: undefined, contextTokens: maxContextLength }];
    const models = await describeModels(served, wanted, tokenizer, signal);
    deps.log?.info({ models: models.map(({ name }) => name), seats: server.maxNumSeqs }, "vLLM answers over gRPC");
    return {
      ...{ name: "vllm", wire, models, tokenizer, tenants: false, capabilities: ["tokenize", "kv_events"] },
      blockTokens: server.blockSize || blockTokensUsual,
      feeds: [(told) => new GrpcKvFeed({ ...told, client: wire.client, method: Service.method.subscribeKvEvents, clock })],
      answering: () => new GrpcAnswer((token) => tokenizer.spell(token)),
      request: (work, prompt) => ({
        path: "Generate",
        body: generateRequest(prompt, work.sampling, { stop: stops(work), confidence, ignoreEnd }),
      }),
      refusal: (work) => one.refusal(work),
      ask: async (how) => void (await wire.health(how)),
    };
  } catch (thrown) {
    wire.close();
    throw thrown;
  }
}
