import { expect, test } from "vitest";
import { FakeClock } from "../../lib/clock.fake.ts";
import { SlipstreamError } from "../../lib/errors.ts";
import type { RouterFrame, Tokens } from "../../proto/gen/slipstream/v1/worker_pb.ts";
import { Tokenizing } from "./tokenizing.ts";

const answerOf = (id: bigint, given: Partial<Tokens> = {}) =>
  ({ $typeName: "slipstream.v1.Tokens", id, ids: [], pieces: [], code: "", detail: "", ...given }) as Tokens;

function asking() {
  const clock = new FakeClock();
  const tokenizing = new Tokenizing({ clock });
  const sent: RouterFrame[] = [];
  const ask = (text = "a") =>
    tokenizing
      .ask("m", [{ special: "<s>" }, { text }], (frame) => sent.push(frame))
      .catch((thrown: unknown) => SlipstreamError.from(thrown).code);
  return { clock, tokenizing, sent, ask };
}

test("each text gets the answer to its own number, in whatever order they come", async () => {
  const { tokenizing, sent, ask } = asking();
  const [first, second] = [ask(), ask("b")];
  expect(sent.map(({ frame }) => frame.case === "tokenize" && frame.value.segments.length)).toEqual([2, 2]);
  tokenizing.answered(answerOf(2n, { ids: [7] }));
  tokenizing.answered(answerOf(1n, { ids: [5, 6] }));
  tokenizing.answered(answerOf(1n, { ids: [9] }));
  expect(await first).toMatchObject({ ids: [5, 6] });
  expect(await second).toMatchObject({ ids: [7] });
});

test("a refusal, a broken link and a worker that says nothing are told", async () => {
  const { clock, tokenizing, ask } = asking();
  const refused = ask();
  tokenizing.answered(answerOf(1n, { code: "unsupported", detail: "no" }));
  const unknown = ask();
  tokenizing.answered(answerOf(2n, { code: "of a newer worker", detail: "no" }));
  const broken = ask();
  tokenizing.broken(new SlipstreamError("worker_lost", "gone"));
  const late = ask();
  await clock.advance(5_000);
  expect(await Promise.all([refused, unknown, broken, late])).toEqual([
    "unsupported",
    "engine_failed",
    "worker_lost",
    "deadline_exceeded",
  ]);
});

test("too many at once are refused", () => {
  const { tokenizing, ask } = asking();
  for (let i = 0; i < 64; i++) void ask();
  expect(() => tokenizing.ask("m", [], () => {})).toThrow(/too many/);
});
