// sample-code: a page of code as people write it, to measure how many bytes a token of a model holds.

export const sampleCode = `import { readFile } from "node:fs/promises";

export interface Entry {
  readonly name: string;
  readonly size: number;
  readonly modified: Date;
}

/** Reads the index and keeps the entries that are newer than the given date. */
export async function recentEntries(path: string, since: Date): Promise<Entry[]> {
  const text = await readFile(path, "utf8");
  const entries: Entry[] = JSON.parse(text).map((item: Record<string, string>) => ({
    name: item.name,
    size: Number(item.size),
    modified: new Date(item.modified),
  }));
  return entries.filter((entry) => entry.modified > since).sort((a, b) => a.size - b.size);
}

export class Counter {
  private readonly counts = new Map<string, number>();

  add(key: string, amount = 1): number {
    if (amount < 0) throw new RangeError("amount must not be negative");
    const next = (this.counts.get(key) ?? 0) + amount;
    this.counts.set(key, next);
    return next;
  }

  top(limit: number): [string, number][] {
    const sorted = [...this.counts.entries()].sort((left, right) => right[1] - left[1]);
    for (const [key, count] of sorted.slice(0, limit)) {
      console.log(\`\${key}: \${count}\`);
    }
    return sorted.slice(0, limit);
  }
}
`;
