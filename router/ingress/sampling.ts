// sampling: what a caller asks of the sampler, honoured or refused by name. Inline text is greedy unless asked otherwise.
import { invalid } from "../../lib/errors.ts";
import { type Sampling as SamplingMessage, Speculation } from "../../proto/gen/slipstream/v1/completion_pb.ts";
import type { Sampling } from "../completion.ts";
import { textBytes, within } from "./check.ts";
import { limits } from "./limits.ts";

const speculation: Readonly<Record<number, Sampling["speculation"]>> = {
  [Speculation.UNSPECIFIED]: "auto",
  [Speculation.AUTO]: "auto",
  [Speculation.ALWAYS]: "always",
  [Speculation.OFF]: "off",
};

export function sampling(
  field: string,
  message: SamplingMessage | undefined,
  defaults: { maxTokens: number; maxTokensMax: number },
): Sampling {
  const stop = message?.stop ?? [];
  if (stop.length > limits.stopsMax) throw invalid(`${field}.stop`, `more than ${limits.stopsMax}`);
  for (const [i, text] of stop.entries()) {
    if (textBytes(`${field}.stop[${i}]`, text, limits.stopBytesMax) === 0) throw invalid(`${field}.stop[${i}]`, "is empty");
  }
  const speculate = speculation[message?.speculation ?? Speculation.UNSPECIFIED];
  if (!speculate) throw invalid(`${field}.speculation`, "no such value");
  const topP = message?.topP ?? 1;
  if (!(topP > 0 && topP <= 1)) throw invalid(`${field}.top_p`, `${topP} is not above 0 and at most 1`);
  return {
    maxTokens: within(`${field}.max_tokens`, message?.maxTokens ?? defaults.maxTokens, 1, defaults.maxTokensMax),
    temperature: within(`${field}.temperature`, message?.temperature ?? 0, 0, limits.temperatureMax),
    topP,
    topK: within(`${field}.top_k`, message?.topK ?? 0, 0, limits.topKMax),
    seed: message?.seed === undefined ? undefined : Number(message.seed & 0xffffffffn),
    stop,
    speculation: speculate,
  };
}
