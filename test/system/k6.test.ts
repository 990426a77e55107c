// The load tests with the real k6: a run whose limits hold ends with 0 and leaves its page; one that must fail, a worker that hangs while
// nobody looks after it, ends with k6's own code for a crossed limit.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { findTool } from "../../tools/toolbox.ts";
import { slipstream } from "../support/command.ts";

const k6 = findTool("k6");
const out = mkdtempSync(join(tmpdir(), "slipstream-k6-test-"));
afterAll(() => rmSync(out, { recursive: true, force: true }));
/** As k6 ends when a threshold was crossed. */
const crossed = 99;

describe.skipIf(!k6.path)("k6", () => {
  // What a busy machine takes is no mistake of ours: limits of time are wide here.
  const wide = ["--first-text", "20000", "--late", "5000", "--unanswered", "0.5"];
  const run = (...args: string[]) =>
    slipstream(["bench", "k6", "--k6", k6.path ?? "", "--out", out, ...args], { timeoutMs: 150_000 });

  test("typing, chat and HTTP against a router with four simulated workers hold their limits", { timeout: 160_000 }, async () => {
    const records = join(out, "tiers.ndjson");
    const {
      code,
      out: text,
      err,
    } = await run("--scenario", "tiers", "--duration", "8s", "--session", "4s", "--records", records, ...wide);
    expect(code, text + err).toBe(0);
    expect(text).toMatch(/✓ slipstream_triggers\{tier:chat\} count>0[\s\S]*passed/);
    const lines = readFileSync(records, "utf8").trimEnd().split("\n");
    const tiers = new Set(lines.map((line) => (JSON.parse(line) as { tier: string }).tier));
    expect([...tiers].sort()).toEqual(["chat", "http", "inline"]);
    expect(readdirSync(out).filter((name) => name.endsWith(".hgrm"))).toHaveLength(2);
    expect(readFileSync(join(out, "k6-tiers.html"), "utf8")).toMatch(/<svg/);
    expect(JSON.parse(readFileSync(join(out, "k6-tiers.json"), "utf8"))).toMatchObject({
      scenario: "tiers",
      passed: true,
      exit: 0,
    });
  });

  // One of two workers, with slots for all: a router that looks after nobody goes on sending to one that hangs for as long as it
  // has credit there, and few slots would end that after a handful of triggers, which their people's next keys retire.
  test("a worker that hangs while failover is off fails the run", { timeout: 160_000 }, async () => {
    const {
      code,
      out: text,
      err,
    } = await run(
      ...["--scenario", "steady", "--duration", "12s", "--session", "6s", "--rate", "8", "--stall", "--no-failover"],
      ...["--workers", "2", "--slots", "64"],
      ...["--first-text", "20000", "--late", "5000", "--unanswered", "0.002"],
    );
    expect(code, text + err).toBe(crossed);
    expect(text).toMatch(/✗ slipstream_unanswered\{tier:inline\} rate<0\.002[\s\S]*FAILED \(k6 ended with 99\)/);
  });
});
