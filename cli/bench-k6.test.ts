import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { SlipstreamError } from "../lib/errors.ts";
import { benchK6Command } from "./bench-k6.ts";

const bad = join(mkdtempSync(join(tmpdir(), "k6-")), "bad.ndjson");
writeFileSync(bad, "{}\n");

test("a mistake is a sentence that names the flag, before anything is started", async () => {
  const steady = ["--scenario", "steady"];
  const cases: readonly (readonly [string[], RegExp])[] = [
    [[], /--scenario is needed: steady, ramp/],
    [["--scenario", "storm"], /--scenario: "storm" is none of/],
    [[...steady, "--target", "nowhere"], /--target "nowhere" is neither up, workers nor HOST:PORT/],
    [[...steady, "--target", "127.0.0.1:7411", "--stall"], /--stall and --no-failover are for the target workers/],
    [[...steady, "--target", "10.0.0.1:7411", "--token", "x"], /--token would travel to 10\.0\.0\.1:7411 in the clear/],
    [[...steady, "--duration", "long"], /--duration: "long"/],
    [[...steady, "--rate", "0"], /--rate: "0"/],
    [[...steady, "--session", "-1s"], /session/],
    [[...steady, "--first-text", "fast"], /--first-text: "fast"/],
    [[...steady, "--unanswered", "2"], /--unanswered: "2"/],
    [[...steady, "--workers", "0"], /--workers: "0"/],
    [[...steady, "--trace", bad], /bad\.ndjson: line 1: slipstream_trace/],
    [[...steady, "--magic"], /magic/],
    [[...steady, "more"], /"more" is not an option/],
  ];
  for (const [args, says] of cases) {
    const io = { env: {}, out: () => {}, complain: () => {}, on: () => {} };
    const thrown: unknown = await benchK6Command([...args, "--k6", "/none"], io).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(thrown, args.join(" ")).toBeInstanceOf(SlipstreamError);
    expect({ args, ...(thrown as SlipstreamError), message: (thrown as SlipstreamError).message }).toMatchObject({
      args,
      code: "invalid_request",
      message: expect.stringMatching(says),
    });
  }
});
