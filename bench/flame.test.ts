import { expect, test } from "vitest";
import { type CpuProfile, flameGraph, hottest } from "./flame.ts";

const frame = (functionName: string, url = "") => ({ functionName, url, lineNumber: 4 });
const profile: CpuProfile = {
  nodes: [
    { id: 1, callFrame: frame("(root)"), children: [2, 3] },
    { id: 2, callFrame: frame("(idle)") },
    { id: 3, callFrame: frame("run", "file:///somewhere/dist/router/pipeline.js"), children: [4, 5] },
    { id: 4, callFrame: frame("<hash>", "file:///somewhere/dist/lib/hash.js") },
    { id: 5, callFrame: frame("<hash>", "file:///somewhere/dist/lib/hash.js") },
  ],
  samples: [2, 3, 4, 5, 4],
  timeDeltas: [1_000, 100, 50, 100, 150],
};

test("what took most by itself leads, the same function once, and time in which nothing ran is nobody's", () => {
  expect(hottest(profile, 5)).toEqual([
    { name: "<hash> lib/hash.js:5", share: 0.75 },
    { name: "run router/pipeline.js:5", share: 0.25 },
  ]);
  expect(hottest(profile, 1)).toHaveLength(1);
});

test("the graph holds each frame with its share, and no name is markup", () => {
  const graph = flameGraph(profile, "a & b");
  expect(graph).toContain("run router/pipeline.js:5, 100.0 %");
  expect(graph).toContain("&#60;hash&#62; lib/hash.js:5, 50.0 %");
  expect(graph).toContain("a &#38; b");
  expect(graph).not.toContain("(idle)");
});
