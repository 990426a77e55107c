import { expect, test } from "vitest";
import { SlipstreamError } from "../lib/errors.ts";
import { benchTensorRtCommand } from "./bench-tensorrt.ts";

test.each<[args: string[], says: RegExp]>([
  [["--hints", "--people", "0"], /--people: "0" is not a whole number between 1 and 1000/],
  [["--hints", "--seconds", "x"], /--seconds: "x"/],
  [["--hints", "--profile", "l40s-7b-eagle3"], /--profile goes without --hints/],
  [["--hints", "--http", "0"], /--http goes without --hints/],
  [["--seed", "2"], /--seed goes with --hints/],
  [["--profile", "gravity"], /--profile: "gravity" is none of/],
  [["--hints", "now"], /"now" is not an option/],
])("%j is refused with a sentence that names the flag, and exit code 64", async (args, says) => {
  const io = { env: {}, out: () => {}, complain: () => {}, on: () => {} };
  const thrown: unknown = await benchTensorRtCommand(args, io).then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(thrown).toBeInstanceOf(SlipstreamError);
  expect([(thrown as SlipstreamError).row.exit, (thrown as SlipstreamError).message]).toEqual([64, expect.stringMatching(says)]);
});
