// languages: what the playground can be written in: how each is read, and what it begins with. The samples leave a hole where a
// completion has something to say.
import { javascriptLanguage, typescriptLanguage } from "@codemirror/lang-javascript";
import { pythonLanguage } from "@codemirror/lang-python";
import { StreamLanguage } from "@codemirror/language";
import { go } from "@codemirror/legacy-modes/mode/go";
import { rust } from "@codemirror/legacy-modes/mode/rust";
import type { Extension } from "@codemirror/state";

export interface PlayLanguage {
  readonly name: string;
  readonly path: string;
  readonly sample: string;
  readonly reading: () => Extension;
}

const basket = `// A basket of things to buy. Type after "return", or at the end of any line.
export interface Item {
  name: string;
  price: number;
  count: number;
}

export class Basket {
  items: Item[] = [];

  add(item: Item): void {
    const known = this.items.find((other) => other.name === item.name);
    if (known) known.count += item.count;
    else this.items.push(item);
  }

  total(): number {
    return |
  }
}
`;

const javascript = `// Type after "return".
export function average(numbers) {
  let sum = 0;
  for (const number of numbers) sum += number;
  return |
}

export function largest(numbers) {
  return Math.max(...numbers);
}
`;

const python = `def average(numbers):
    total = 0
    for number in numbers:
        total += number
    return |


def largest(numbers):
    return max(numbers)
`;

const golang = `package basket

func Average(numbers []float64) float64 {
	sum := 0.0
	for _, number := range numbers {
		sum += number
	}
	return |
}
`;

const rustlang = `pub fn average(numbers: &[f64]) -> f64 {
    let sum: f64 = numbers.iter().sum();
    |
}
`;

/** By LSP identifier. "|" is where the cursor stands. */
export const languages: Readonly<Record<string, PlayLanguage>> = {
  typescript: { name: "TypeScript", path: "basket.ts", sample: basket, reading: () => typescriptLanguage },
  javascript: { name: "JavaScript", path: "numbers.js", sample: javascript, reading: () => javascriptLanguage },
  python: { name: "Python", path: "numbers.py", sample: python, reading: () => pythonLanguage },
  go: { name: "Go", path: "numbers.go", sample: golang, reading: () => StreamLanguage.define(go) },
  rust: { name: "Rust", path: "numbers.rs", sample: rustlang, reading: () => StreamLanguage.define(rust) },
  plaintext: { name: "Plain text", path: "notes.txt", sample: "|", reading: () => [] },
};

export const firstLanguage = "typescript";

export function sampleOf(language: string): { readonly text: string; readonly cursor: number } {
  const { sample } = languages[language] ?? { sample: "|" };
  const cursor = sample.indexOf("|");
  return { text: sample.slice(0, cursor) + sample.slice(cursor + 1), cursor };
}
