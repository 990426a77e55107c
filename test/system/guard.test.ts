// The guard of the figures sees a mechanism that is gone: the window that moves with every key.
import { expect, test } from "vitest";
import { slipstream } from "../support/command.ts";

test("a tree without anchored windows is worse, and is said to be", { timeout: 200_000 }, async () => {
  const { code, out, err } = await slipstream(["bench", "guard", "--ablate", "sliding_window", "--seeds", "3"], {
    timeoutMs: 190_000,
  });
  expect(code, out + err).toBe(1);
  expect(out).toMatch(/recomputed_tokens_per_key .* WORSE/);
  expect(out).toMatch(/\d+ passed, [1-9]\d* failed\n$/);
});
