// sampling: the wire's Sampling in, ours out with every default filled in, or an error that names the field.
import { invalid } from "../../lib/errors.ts";
import { Speculation, type Sampling as WireSampling } from "../../proto/gen/slipstream/v1/completion_pb.ts";
import type { Sampling } from "../generation.ts";

const maxTokensDefault = 64;
const topKMax = 1_000_000;
const stopsMax = 8;
const stopBytesMax = 64;

const speculations: Readonly<Partial<Record<Speculation, Sampling["speculation"]>>> = {
  [Speculation.UNSPECIFIED]: "auto",
  [Speculation.AUTO]: "auto",
  [Speculation.ALWAYS]: "always",
  [Speculation.OFF]: "off",
};

export function checkSampling(wire: WireSampling | undefined, maxTokensMax: number): Sampling {
  const maxTokens = wire?.maxTokens ?? Math.min(maxTokensDefault, maxTokensMax);
  within("max_tokens", maxTokens, 1, maxTokensMax);
  const temperature = wire?.temperature ?? 0;
  within("temperature", temperature, 0, 2);
  const topP = wire?.topP ?? 1;
  if (!(topP > 0 && topP <= 1)) throw invalid("submit.sampling.top_p", "must be above 0 and at most 1");
  const topK = wire?.topK ?? 0;
  within("top_k", topK, 0, topKMax);
  const stop = wire?.stop ?? [];
  if (stop.length > stopsMax) throw invalid("submit.sampling.stop", `must be at most ${stopsMax} strings`);
  for (const [index, text] of stop.entries()) {
    const bytes = Buffer.byteLength(text);
    if (bytes === 0 || bytes > stopBytesMax) throw invalid(`submit.sampling.stop[${index}]`, `must be 1 to ${stopBytesMax} bytes`);
  }
  const speculation = speculations[wire?.speculation ?? Speculation.UNSPECIFIED];
  if (!speculation) throw invalid("submit.sampling.speculation", `${wire?.speculation} is no kind of speculation`);
  // Engines take seeds of 32 bits; equal seeds stay equal.
  const seed = wire?.seed === undefined ? undefined : Number(BigInt.asUintN(32, wire.seed ^ (wire.seed >> 32n)));
  return { maxTokens, temperature, topP, topK, seed, stop, speculation };
}

function within(field: string, value: number, min: number, max: number): void {
  if (!(value >= min && value <= max)) throw invalid(`submit.sampling.${field}`, `must be ${min} to ${max}`);
}
