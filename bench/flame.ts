// flame: a CPU profile as Node writes it in, a flame graph as an SVG and the functions that took most by themselves out. Pure.
// Frames narrower than a pixel are left out.

interface ProfileNode {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  readonly children?: readonly number[];
}

export interface CpuProfile {
  readonly nodes: readonly ProfileNode[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

export interface Hot {
  readonly name: string;
  /** Of the time in which anything ran. */
  readonly share: number;
}

const idle = "(idle)";
const width = 1_600;
const rowHeight = 17;
const letterWidth = 6.6;

/** Time of each node by itself, in µs. */
function selfTimes({ samples, timeDeltas }: CpuProfile): Map<number, number> {
  const times = new Map<number, number>();
  for (const [i, id] of samples.entries()) times.set(id, (times.get(id) ?? 0) + Math.max(0, timeDeltas[i] ?? 0));
  return times;
}

function nameOf({ callFrame: { functionName, url, lineNumber } }: ProfileNode): string {
  const file = url.replace(/^.*\/(?:dist|node_modules)\//, "").replace(/^file:.*\//, "");
  return `${functionName || "(anonymous)"}${file === "" ? "" : ` ${file}:${lineNumber + 1}`}`;
}

export function hottest(profile: CpuProfile, max: number): readonly Hot[] {
  const self = selfTimes(profile);
  const byName = new Map<string, number>();
  let all = 0;
  for (const node of profile.nodes) {
    const name = nameOf(node);
    const us = self.get(node.id) ?? 0;
    if (name === idle || us === 0) continue;
    all += us;
    byName.set(name, (byName.get(name) ?? 0) + us);
  }
  return [...byName]
    .sort((a, b) => b[1] - a[1])
    .slice(0, max)
    .map(([name, us]) => ({ name, share: us / all }));
}

export function flameGraph(profile: CpuProfile, title: string): string {
  const self = selfTimes(profile);
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  const totals = new Map<number, number>();
  const total = (node: ProfileNode): number => {
    let us = nameOf(node) === idle ? 0 : (self.get(node.id) ?? 0);
    for (const child of node.children ?? []) us += total(nodes.get(child) as ProfileNode);
    totals.set(node.id, us);
    return us;
  };
  const root = profile.nodes[0] as ProfileNode;
  const all = Math.max(1, total(root));
  const parts: string[] = [];
  let deepest = 0;
  const draw = (node: ProfileNode, x: number, depth: number) => {
    const us = totals.get(node.id) ?? 0;
    const wide = (us / all) * width;
    if (wide < 1) return;
    deepest = Math.max(deepest, depth);
    const name = nameOf(node);
    const share = `${((100 * us) / all).toFixed(1)} %`;
    const letters = Math.floor(wide / letterWidth) - 1;
    const y = 24 + depth * rowHeight;
    const text = letters >= 3 ? `<text x="${(x + 2).toFixed(1)}" y="${y + 12}">${escaped(name.slice(0, letters))}</text>` : "";
    parts.push(
      `<g><title>${escaped(name)}, ${share}</title><rect x="${x.toFixed(1)}" y="${y}" width="${wide.toFixed(1)}" height="${rowHeight - 1}" fill="${colour(name)}"/>${text}</g>`,
    );
    let at = x;
    const children = (node.children ?? []).map((id) => nodes.get(id) as ProfileNode);
    for (const child of children.sort((a, b) => (totals.get(b.id) ?? 0) - (totals.get(a.id) ?? 0))) {
      draw(child, at, depth + 1);
      at += ((totals.get(child.id) ?? 0) / all) * width;
    }
  };
  draw(root, 0, 0);
  const height = 24 + (deepest + 2) * rowHeight;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" font-family="monospace" font-size="11"><text x="4" y="15">${escaped(title)}</text>
${parts.join("\n")}
</svg>
`;
}

/** Ours in warm colours, packages in cool ones, Node's own grey. */
function colour(name: string): string {
  const hue = [...name].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 40, 7);
  if (/ (router|lib|proto|workers|bench)\//.test(name)) return `hsl(${10 + hue} 85% 68%)`;
  return / (@|[a-z])[\w@/.-]+:\d+$/.test(name) && !name.includes("node:") ? `hsl(${190 + hue} 55% 75%)` : "#ddd";
}

const escaped = (text: string) => text.replace(/[&<>"]/g, (letter) => `&#${letter.charCodeAt(0)};`);
