// exposition: a Prometheus text exposition in, the samples of a few names out. Engines write some thousand lines of which a dozen
// matter, ten times a second: every other line costs the comparison of its first characters.

export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export type Samples = ReadonlyMap<string, readonly Sample[]>;

const label = /(\w+)="((?:[^"\\]|\\.)*)"/g;

/** `wanted`: whole names. Lines that are no samples are passed over. */
export function readSamples(text: string, wanted: ReadonlySet<string>): Samples {
  const found = new Map<string, Sample[]>();
  for (let start = 0; start < text.length; ) {
    const newline = text.indexOf("\n", start);
    const end = newline < 0 ? text.length : newline;
    if (text[start] !== "#") take(text.slice(start, end), wanted, found);
    start = end + 1;
  }
  return found;
}

/** Of all label sets; undefined where the name does not occur. */
export function sum(samples: Samples, name: string): number | undefined {
  return samples.get(name)?.reduce((total, { value }) => total + value, 0);
}

function take(line: string, wanted: ReadonlySet<string>, found: Map<string, Sample[]>): void {
  const name = /^[^{\s]*/.exec(line)?.[0] ?? "";
  if (!wanted.has(name)) return;
  const close = line.lastIndexOf("}");
  const value = Number(
    line
      .slice(close < 0 ? name.length : close + 1)
      .trim()
      .split(" ")[0],
  );
  if (Number.isNaN(value)) return;
  const labels: Record<string, string> = {};
  for (const [, key = "", text = ""] of line.slice(name.length, close + 1).matchAll(label)) labels[key] = text;
  const samples = found.get(name) ?? [];
  samples.push({ labels, value });
  found.set(name, samples);
}
