import { mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Records } from "./records.ts";

const folder = mkdtempSync(join(tmpdir(), "records-"));

test("each trigger is a line, and each time of each run a histogram beside it", () => {
  const path = join(folder, "deep", "all.ndjson");
  const records = new Records(path);
  for (let nth = 0; nth < 2_000; nth++)
    records.add("as shipped", { t_ms: nth, outcome: "generated", first_text_ms: nth / 10, total_ms: nth });
  records.add("hedge_off", { t_ms: 1, outcome: "gated", total_ms: 1, worker: undefined });
  records.close();
  const lines = readFileSync(path, "utf8").trimEnd().split("\n");
  expect(lines).toHaveLength(2_001);
  expect(JSON.parse(lines.at(-1) ?? "")).toEqual({ run: "hedge_off", t_ms: 1, outcome: "gated", total_ms: 1 });
  expect(readdirSync(join(folder, "deep")).sort()).toEqual([
    "all.as-shipped.first_text_ms.hgrm",
    "all.as-shipped.total_ms.hgrm",
    "all.hedge_off.total_ms.hgrm",
    "all.ndjson",
  ]);
  expect(readFileSync(join(folder, "deep", "all.as-shipped.first_text_ms.hgrm"), "utf8")).toMatch(
    /Max += {6}199\.900, Total count += +2000/,
  );
});

test("without a file nothing is written, and a place that cannot be written is a mistake of the flag", () => {
  const none = new Records(undefined);
  none.add("a", { t_ms: 0, outcome: "generated" });
  none.close();
  expect(none.wanted).toBe(false);
  expect(() => new Records(join(folder, "\0", "x.ndjson"))).toThrow(/^--records: .* cannot be written/);
});
