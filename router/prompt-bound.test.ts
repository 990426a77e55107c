// A tier's bound on the bytes of a prompt, from the policy document to what a worker is sent, with a whole router.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { TriggerKind } from "../proto/gen/slipstream/v1/completion_pb.ts";
import { hello, opened, routed } from "../test/support/routed.ts";
import { modelOf } from "../test/support/router.ts";

const folder = mkdtempSync(join(tmpdir(), "slipstream-prompt-bound-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const lines = (from: number) => Array.from({ length: 150 }, (_, i) => `const name${from + i} = value(${from + i});\n`).join("");
const [above, below] = [lines(0), lines(500)];
const typed = "const result = compute(first, second);\nreturn result";
const fim = { prefix: "<P>", suffix: "<S>", middle: "", fileSeparator: "", repository: "" };

/** The segments of each key's prompt, of who asks for that tier. */
async function typing(tier: string) {
  const path = join(folder, `${tier}.yaml`);
  const tiers = "tiers: { small: { pools: [p], prompt: 2KiB }, wide: { pools: [p] } }";
  writeFileSync(path, `version: 1\npools: { p: { prompt: 6KiB } }\n${tiers}`);
  const { workers, session, clock, answer } = routed({ policy: path, settleMs: 0 });
  const { name, contextTokens, bytesPerToken } = modelOf({ contextTokens: 8_192 });
  await workers.welcome("w1", 4, { models: [{ name, fimFamily: "", fim, contextTokens, bytesPerToken }] });
  const editor = session();
  await editor.say(hello, opened(above + below));
  const prompts: string[][] = [];
  for (const [i, letter] of [...typed].entries()) {
    const at = above.length + i;
    const [baseVersion, version] = [BigInt(i + 1), BigInt(i + 2)];
    const edits = [{ startUtf16: at, endUtf16: at, text: letter }];
    const trigger = { triggerId: `t${i}`, documentId: "d1", version, offsetUtf16: at + 1, kind: TriggerKind.INVOKED, model: tier };
    await editor.say(
      { case: "documentEdit", value: { documentId: "d1", baseVersion, version, edits } },
      { case: "trigger", value: { ...trigger, deadlineMs: 5_000 } },
    );
    await clock.advance(1);
    const { segments } = workers.submitted("w1");
    prompts.push(segments.map(({ part }) => part.value ?? ""));
    // Other than what is typed next, so that each key asks.
    await answer("w1", ["~"]);
    await clock.advance(100);
  }
  return prompts;
}

test.each([
  ["small", 2_048],
  ["wide", 6_144],
])("the bound of tier %s is kept, and the layout stands from key to key under it", async (tier, most) => {
  const prompts = await typing(tier);
  const sizes = prompts.map((segments) => Buffer.byteLength(segments.join("")));
  expect(new Set(prompts.map((segments) => segments.join(""))).size).toBe(typed.length);
  expect(Math.max(...sizes)).toBeLessThanOrEqual(most);
  expect(Math.min(...sizes)).toBeGreaterThan(most / 3);
  // All but what is typed: the same segments at every key, but for one cut that the cursor may pass.
  const heads = new Set(prompts.map((segments) => segments.slice(0, -1).join("\0")));
  expect(heads.size).toBeLessThanOrEqual(2);
});
