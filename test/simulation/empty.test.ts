import { test } from "vitest";
import { runWorld } from "../../sim/world.ts";
import { worldOf } from "./worlds.ts";

test("x", async () => {
  const seen: Record<string, number> = {};
  for (let s = 1; s <= 100; s++)
    for (const { outcome } of (await runWorld(worldOf(s))).records) seen[outcome] = (seen[outcome] ?? 0) + 1;
  console.log(JSON.stringify(seen));
}, 900000);
