// calibration: a fixed piece of work of the kind that the system does (small objects, maps, text, hashes, closures); out comes the
// processor time it takes here and now. Other processor times are told as multiples of it.
import { createHash } from "node:crypto";
import { processorMs } from "../../lib/clock.ts";

const rounds = 60;
const entries = 400;

/** In ms. What it computes is folded into a number that is used, so that nothing of it can be left out. */
export function calibrated(): number {
  const sinceMs = processorMs();
  let folded = 0;
  for (let round = 0; round < rounds; round++) {
    const known = new Map<string, { readonly at: number; text: string }>();
    let text = "";
    for (let i = 0; i < entries; i++) {
      text = `${text.slice(-200)}const value${i} = compute(${round + i});\n`;
      known.set(`key ${i % 97}`, { at: i, text });
      folded += (known.get(`key ${(i * 31) % 97}`)?.text.length ?? 0) + text.lastIndexOf("\n", text.length - 2);
    }
    const made = JSON.stringify([...known]);
    folded += createHash("sha256").update(made).digest()[0] ?? 0;
    folded += (JSON.parse(made) as unknown[]).filter((_, i) => i % 3 === 0).length;
  }
  const tookMs = processorMs() - sinceMs;
  return folded > 0 ? tookMs : Number.NaN;
}
