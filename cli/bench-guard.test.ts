import { expect, test } from "vitest";
import { SlipstreamError } from "../lib/errors.ts";
import { benchGuardCommand } from "./bench-guard.ts";

test("a mistake is a sentence that names the flag", async () => {
  const cases: readonly (readonly [string[], RegExp])[] = [
    [["--seeds", "1"], /--seeds: "1" is not a whole number between 2 and 8/],
    [["--seeds", "x"], /--seeds: "x"/],
    [["--ablate", "gravity_off"], /--ablate: "gravity_off" is none of/],
    [["--magic"], /magic/],
    [["now"], /"now" is not an option/],
  ];
  for (const [args, says] of cases) {
    const io = { env: {}, out: () => {}, complain: () => {}, on: () => {} };
    const thrown: unknown = await benchGuardCommand(args, io).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(thrown, args.join(" ")).toBeInstanceOf(SlipstreamError);
    expect({ args, exit: (thrown as SlipstreamError).row.exit, message: (thrown as SlipstreamError).message }).toMatchObject({
      args,
      exit: 64,
      message: expect.stringMatching(says),
    });
  }
});
