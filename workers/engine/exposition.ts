// exposition: a Prometheus text exposition in, the samples of a few names out. Engines write some thousand lines of which a dozen
// matter, ten times a second: the names are looked for in the whole text, and no other line is looked at.

export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export type Samples = ReadonlyMap<string, readonly Sample[]>;

const label = /(\w+)="((?:[^"\\]|\\.)*)"/g;

/** `wanted`: whole names. Lines that are no samples are passed over. */
export function readSamples(text: string, wanted: readonly string[]): Samples {
  const found = new Map<string, Sample[]>();
  for (const name of wanted) {
    const samples: Sample[] = [];
    for (let at = text.indexOf(name); at >= 0; at = text.indexOf(name, at + name.length)) {
      const after = text[at + name.length];
      if ((at > 0 && text[at - 1] !== "\n") || (after !== "{" && after !== " ")) continue;
      const newline = text.indexOf("\n", at);
      const sample = read(text.slice(at + name.length, newline < 0 ? text.length : newline));
      if (sample) samples.push(sample);
    }
    if (samples.length > 0) found.set(name, samples);
  }
  return found;
}

/** Of all label sets; undefined where the name does not occur. */
export function sum(samples: Samples, name: string): number | undefined {
  return samples.get(name)?.reduce((total, { value }) => total + value, 0);
}

/** What follows a name: labels, a value, perhaps a time. */
function read(rest: string): Sample | undefined {
  const close = rest.lastIndexOf("}");
  const [text = ""] = rest
    .slice(close + 1)
    .trim()
    .split(" ");
  const value = text === "" ? Number.NaN : Number(text);
  if (Number.isNaN(value)) return undefined;
  const labels: Record<string, string> = {};
  for (const [, key = "", each = ""] of rest.slice(0, close + 1).matchAll(label)) labels[key] = each;
  return { labels, value };
}
