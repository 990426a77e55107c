// raw-request: a request whose prefix may be a prompt rendered for some model in, the request it stands for out: prefix, suffix,
// path and other files as its fields say them, and stops that fit the model that will serve it. What cannot be read is marked,
// to be given to the model as it is.
import { create } from "@bufbuild/protobuf";
import {
  type CompleteRequest,
  CompleteRequestSchema,
  SamplingSchema,
  SnippetSchema,
  Stability,
} from "../../proto/gen/slipstream/v1/completion_pb.ts";
import { spelledIn } from "./special-text.ts";
import { takeApart } from "./take-apart.ts";

export interface RawRequest {
  readonly request: CompleteRequest;
  /** "code": it was what it seemed. "prompt": taken apart. "whole": a prompt that nothing is to be put around. */
  readonly reading: "code" | "prompt" | "whole";
}

/** As many files, and as much of one, as a client may name (router/ingress/limits.ts); the last ones are nearest. */
const filesMax = 64;
const fileUtf16Max = 5_000;

export function readRaw(given: CompleteRequest): RawRequest {
  const taken = takeApart(given.prefix);
  if (taken === undefined) return { request: given, reading: "code" };
  if (taken === "unknown") return { request: given, reading: "whole" };
  const { prefix, suffix, path, language } = taken;
  const files = taken.files.slice(-filesMax);
  const request = create(CompleteRequestSchema, {
    ...given,
    prefix,
    suffix,
    path: given.path || path,
    language: given.language || language,
    snippets: files.map(({ path, text }, i) =>
      // Clients shuffle what they send: stable ones are put in an order of their own. Who stands later was thought nearer.
      create(SnippetSchema, {
        path,
        text: firstLines(text),
        score: (i + 1) / files.length,
        stability: Stability.STABLE,
      }),
    ),
  });
  if (given.sampling) request.sampling = create(SamplingSchema, { ...given.sampling, stop: fittingStops(given.sampling.stop) });
  return { request, reading: "prompt" };
}

/**
 * Special tokens end a middle of themselves, and another model's never come. What Continue adds for DeepSeek (`//`, which ends
 * every comment and address) and for StarCoder2 (any line that begins with a t) goes with them.
 */
export function fittingStops(stops: readonly string[]): string[] {
  const own = stops.filter((stop) => spelledIn(stop).length === 0);
  if (own.length === stops.length) return own;
  const artifacts = stops.some((stop) => stop.includes("｜fim▁")) ? ["//"] : stops.includes("<file_sep>") ? ["t.", "\nt"] : [];
  return own.filter((stop) => !artifacts.includes(stop));
}

function firstLines(text: string): string {
  if (text.length <= fileUtf16Max) return text;
  const start = text.slice(0, fileUtf16Max);
  const lineEnd = start.lastIndexOf("\n");
  // A line without end is cut between characters.
  return lineEnd > 0 ? start.slice(0, lineEnd + 1) : start.replace(/[\ud800-\udbff]$/, "");
}
