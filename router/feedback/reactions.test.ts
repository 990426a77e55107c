import { expect, test } from "vitest";
import { Reactions, type Said } from "./reactions.ts";

type Row = Said["reaction"] | readonly [reaction: Said["reaction"], given: Partial<Said>];
const said = (row: Row): Said => {
  const [reaction, given] = typeof row === "string" ? [row, {}] : row;
  return { reaction, acceptedUtf16: 0, shownMs: 0, afterS: 0, ...given };
};
const partial = (acceptedUtf16: number) => ["partial", { acceptedUtf16 }] as const;
const retained = (afterS: number) => ["retained", { afterS }] as const;

test.each<[name: string, reports: readonly Row[], taken: readonly boolean[], acceptedUtf16: number]>([
  ["shown and accepted", ["shown", "accepted"], [true, true], 20],
  ["accepted by a client that never says shown", ["accepted"], [true], 20],
  ["accepted twice", ["accepted", "accepted"], [true, false], 20],
  ["shown twice", ["shown", "shown"], [true, false], 0],
  ["shown after it was accepted", ["accepted", "shown"], [true, false], 20],
  ["rejected, then accepted", ["shown", "rejected", "accepted"], [true, true, false], 0],
  ["accepted, then rejected", ["accepted", "rejected"], [true, false], 20],
  ["ignored, then superseded", ["shown", "ignored", "superseded"], [true, true, false], 0],
  ["word by word, then the rest", ["shown", partial(5), partial(9), "accepted"], [true, true, true, true], 20],
  ["two words, then let go", ["shown", partial(5), partial(9), "rejected"], [true, true, true, true], 9],
  ["less than before", [partial(9), partial(5)], [true, false], 9],
  ["none of it", [partial(0)], [false], 0],
  ["more than there is", [partial(21)], [false], 0],
  ["word by word to its end, then accepted", [partial(20), "accepted"], [true, false], 20],
  ["retained before it was accepted", ["shown", retained(30)], [true, false], 0],
  ["retained after it was rejected", ["rejected", retained(30)], [true, false], 0],
  ["retained again and again", ["accepted", retained(30), retained(120)], [true, true, true], 20],
  ["retained at a time that was told already", [partial(5), retained(120), retained(30)], [true, true, false], 5],
])("%s", (_, reports, taken, acceptedUtf16) => {
  const reactions = new Reactions(20);
  expect(reports.map((report) => reactions.take(said(report), 1_000))).toEqual(taken);
  expect(reactions.acceptedUtf16).toBe(acceptedUtf16);
});

test("how long it stood is what the client says, else since it was shown", () => {
  const told = new Reactions(20);
  told.take(said("shown"), 1_000);
  told.take(said(["rejected", { shownMs: 700 }]), 2_500);
  expect(told.shownMs).toBe(700);
  const reckoned = new Reactions(20);
  reckoned.take(said("shown"), 1_000);
  reckoned.take(said("accepted"), 2_500);
  expect(reckoned.shownMs).toBe(1_500);
  const unknown = new Reactions(20);
  unknown.take(said("accepted"), 2_500);
  expect([unknown.shown, unknown.shownMs]).toEqual([true, 0]);
});
