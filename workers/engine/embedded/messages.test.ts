import { expect, test } from "vitest";
import { SlipstreamError } from "../../../lib/errors.ts";
import { noUsage } from "../../generation.ts";
import { fromFailure, parseFromChild, parseToChild, toFailure, toFinished } from "./messages.ts";

const sampling = { maxTokens: 8, temperature: 0, topP: 1, topK: 0 };
const generate = {
  kind: "generate",
  id: 1,
  lane: "inline",
  segments: [{ text: "a" }, { special: "<x>" }],
  cacheSalt: "",
  affinity: "",
  sampling,
  speculation: { mode: "auto", lengthMax: 0 },
};

test("messages of both sides pass unchanged", () => {
  expect(parseToChild(generate)).toEqual(generate);
  const piece = { kind: "piece", id: 3, text: "é", tokens: 2, confidence: 0.5 };
  expect(parseFromChild(piece)).toEqual(piece);
});

const bad: [title: string, parse: (raw: unknown) => unknown, raw: unknown, says: RegExp][] = [
  ["nothing", parseToChild, undefined, /agent/],
  ["an unknown kind", parseToChild, { kind: "shutdown" }, /kind/],
  ["an id that is no number", parseToChild, { kind: "abort", id: "1" }, /id/],
  ["a negative id", parseToChild, { kind: "abort", id: -1 }, /id/],
  ["a segment that is neither text nor special", parseToChild, { ...generate, segments: [{ words: "a" }] }, /segments\.0/],
  ["too many segments", parseToChild, { ...generate, segments: Array(5_000).fill({ text: "" }) }, /segments/],
  ["no tokens wanted", parseToChild, { ...generate, sampling: { ...sampling, maxTokens: 0 } }, /maxTokens/],
  ["a temperature below zero", parseToChild, { ...generate, sampling: { ...sampling, temperature: -1 } }, /temperature/],
  ["a piece without tokens", parseFromChild, { kind: "piece", id: 1, text: "a", tokens: 0 }, /engine child.*tokens/],
  ["an end without usage", parseFromChild, { kind: "ended", id: 1, how: { kind: "aborted" } }, /usage/],
  ["an error code that is not in the table", parseFromChild, { kind: "refused", error: { code: "oops", message: "" } }, /code/],
];

test.each(bad)("%s is a protocol error that names the field", (_title, parse, raw, says) => {
  expect(() => parse(raw)).toThrow(SlipstreamError);
  expect(() => parse(raw)).toThrow(says);
});

test("an error crosses with its code, its sentence and its field", () => {
  const error = new SlipstreamError("invalid_request", "segments: too long", { field: "segments" });
  const back = fromFailure(toFailure(error));
  expect(back).toBeInstanceOf(SlipstreamError);
  expect([back.code, back.message, back.field]).toEqual([error.code, error.message, error.field]);
  const finished = toFinished({ kind: "failed", error: toFailure(error), usage: noUsage() });
  expect(finished.kind === "failed" && finished.error.code).toBe("invalid_request");
});
