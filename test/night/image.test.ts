// Two builds of one checkout, the second with every layer anew: the same image, or what differs, by name.
import { rmSync } from "node:fs";
import { expect, test } from "vitest";
import { filesOf, layersOf } from "../../tools/cluster/archives.ts";
import { buildImage } from "../../tools/cluster/image.ts";
import { clusterPrograms, clusterToolsHere } from "../../tools/cluster/programs.ts";

test.skipIf(!clusterToolsHere())("an image is the same when it is built again", { timeout: 3_600_000 }, async () => {
  const say = (line: string) => process.stdout.write(`  ${line}\n`);
  const first = await buildImage(clusterPrograms(), say);
  const again = await buildImage(clusterPrograms(), say, { anew: "again" });
  try {
    const [one, other] = [await layersOf(first.path), await layersOf(again.path)];
    expect(other.layers.length).toBe(one.layers.length);
    const differs: string[] = [];
    for (const [n, layer] of one.layers.entries()) {
      if (layer === other.layers[n]) continue;
      const [mine, theirs] = [await filesOf(first.path, layer), await filesOf(again.path, other.layers[n] as string)];
      const known = new Set(mine);
      differs.push(...theirs.filter((line) => !known.has(line)).map((line) => `layer ${n + 1}: ${line}`));
      if (differs.length === 0) differs.push(`layer ${n + 1}: order or times of its files`);
    }
    expect(differs).toEqual([]);
    expect(other.config).toBe(one.config);
  } finally {
    rmSync(again.path, { force: true });
  }
});
