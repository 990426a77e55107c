// triton: a TensorRT-LLM behind NVIDIA Triton, over its generate_stream. For who has that already: it takes tokens and gives tokens, keeps
// a session's blocks longer than others, and that is all: no tenants, no order of lanes, nothing told of its cache. By its documents it
// hears of a client that leaves over gRPC alone, so that what nobody wants goes on to its end.
import { SlipstreamError } from "../../../../lib/errors.ts";
import { FileTokenizer } from "../../file-tokenizer.ts";
import { HttpEngine } from "../../http.ts";
import { OneOfEach, type OneOptions } from "../../one-of-each.ts";
import { untilReady } from "../../ready.ts";
import { ServedEngine, type Speaking } from "../../served.ts";
import { describeModels } from "../../served-models.ts";
import { warmed } from "../../served-start.ts";
import { contextOf } from "../context.ts";
import { blockTokensUsual, type TensorRtDeps, type TensorRtOptions } from "../options.ts";
import { TritonAnswer } from "./answer.ts";
import { tritonBody } from "./request.ts";

export interface TritonOptions extends TensorRtOptions, Pick<OneOptions, "oneTenant"> {
  /** Asked for by what stands before it: Triton itself knows no keys. */
  readonly key?: string;
}

const modelPath = /^\/v2\/models\/([^/]+)\/?$/;
const lacks = "Triton keeps no tenants apart";

/** "http://host:8000/v2/models/NAME". */
export function isTriton(url: string): boolean {
  return URL.canParse(url) && modelPath.test(new URL(url).pathname);
}

export async function startTriton(options: TritonOptions, deps: TensorRtDeps): Promise<ServedEngine<Buffer>> {
  const speaking = await speakTriton(options, deps);
  const requests = `slipstream-${deps.random.hex(8)}`;
  return warmed(new ServedEngine(speaking, { ...options, requests, timesQueue: true }, deps), options, deps);
}

/** Waits until Triton says that its model is ready. */
async function speakTriton(options: TritonOptions, deps: TensorRtDeps): Promise<Speaking<Buffer>> {
  const { url, key = "", slots, startMs, model: wanted } = options;
  const one = new OneOfEach({ lane: "", anyLane: true, oneTenant: options.oneTenant }, lacks);
  const http = new HttpEngine({ url, key, connectionsMax: 2 * slots + 8 }, deps);
  const signal = deps.signal ?? new AbortController().signal;
  try {
    await untilReady({ startMs }, { ...deps, http: { ask: (_path, _body, how) => http.ask("/ready", undefined, how) } });
    const tokenizer = await FileTokenizer.openFor(options.tokenizer, "", "a Triton is asked with tokens");
    const { tokens: contextTokens } = await contextOf(options.contextTokens, undefined, options.tokenizer);
    const name = modelPath.exec(new URL(url).pathname)?.[1] ?? "";
    // What Triton calls its model says what serves it, not what it is.
    const id = wanted === "" ? name : wanted;
    const models = await describeModels([{ id, root: id, parent: undefined, contextTokens }], wanted, tokenizer, signal);
    deps.log?.info({ model: id, contextTokens }, "Triton answers");
    return {
      ...{
        name: "tensorrt",
        wire: http,
        models,
        tokenizer,
        tenants: false,
        capabilities: ["tokenize"],
        feeds: [],
        cacheUntold: true,
      },
      blockTokens: options.blockTokens ?? blockTokensUsual,
      answering: (asked) => new TritonAnswer((token) => tokenizer.spell(token), asked),
      request: (work, prompt) => ({ path: "/generate_stream", body: tritonBody(work, prompt) }),
      refusal: (work) => one.refusal(work),
      ask: async (how) => {
        const { status } = await http.ask("/ready", undefined, how);
        if (status !== 200) throw new SlipstreamError("unavailable", `the engine's /ready has status ${status}`);
      },
    };
  } catch (thrown) {
    http.close();
    throw thrown;
  }
}
