// The aborts of `slipstream bench vllm` before an engine that pretends, on an agent that takes fewer than there are who ask.
import { expect, test } from "vitest";
import { benchAborts } from "../../bench/vllm/aborts.ts";
import { agentBefore } from "../../bench/vllm/stopping-agent.ts";
import { FakeVllm } from "../support/vllm/fake-vllm.ts";

test("aborts are timed to their end where some who fill the seats are refused", async () => {
  const fake = await FakeVllm.start({ stepMs: 1 });
  const about = { url: fake.url, model: "", slots: 2, tokenizer: "", startMs: 10_000, confidence: false, ignoreEnd: true };
  const agent = await agentBefore(about);
  try {
    const rows = await benchAborts({ cancels: 8, warmCancels: 2, others: 6, text: "const a = 1;\n".repeat(400) }, { agent });
    expect(rows.map(({ engine }) => engine)).toEqual(["idle", "saturated", "behind"]);
    expect(rows[0]?.cancels).toBe(8);
    for (const { issued_ms: issued } of rows.filter(({ cancels }) => cancels > 0)) expect(issued.p50).toBeGreaterThanOrEqual(0);
  } finally {
    await agent.close();
    await fake.kill();
  }
}, 60_000);
