// fields: the forms that fields of several APIs have, and the one way in which a body is read: checked at the edge, or refused
// with the field's name.
import { z } from "zod";
import { SlipstreamError } from "../../lib/errors.ts";

export function parsed<B extends z.ZodType>(schema: B, given: unknown): z.output<B> {
  const read = schema.safeParse(given ?? {});
  if (read.success) return read.data;
  const issue = read.error.issues[0];
  const field = issue?.path.join(".") || "body";
  throw new SlipstreamError("invalid_request", `${field}: ${issue?.message ?? "is malformed"}`, { field });
}

/** Larger numbers than any model's context are a mistake, not a wish. */
const tokensMax = 131_072;

/** A bound on tokens. What is above our own is as good as ours: the text ends there, and says so. */
export const tokens = z
  .number({ error: "must be a whole number" })
  .int("must be a whole number")
  .min(1, "must be at least 1")
  .max(tokensMax, `must be at most ${tokensMax}`)
  .nullish();

/** The same where -1 and -2 say "as many as you like" (llama.cpp, Ollama). */
export const tokensOrAll = z
  .number({ error: "must be a whole number" })
  .int("must be a whole number")
  .min(-2, "must be at least -2")
  .max(tokensMax, `must be at most ${tokensMax}`)
  .nullish();

export const stops = z.union([z.string(), z.array(z.string())], { error: "must be a text or a list of texts" }).nullish();

/** Nothing but its neutral value is taken. */
export const only = <const V extends string | number | boolean>(value: V) =>
  z.literal(value, { error: `only ${JSON.stringify(value)} is supported` }).nullish();

export const never = () => z.null({ error: "is not supported" }).optional();

/** How many texts for one place. */
export const several = z
  .number({ error: "must be a whole number" })
  .int("must be a whole number")
  .min(1, "must be at least 1")
  .max(3, "must be at most 3")
  .nullish();

/** What every API in OpenAI's manner lets a client say of the text that it wants, and of how it is sent. */
export const wanted = {
  temperature: z.number().nullish(),
  top_p: z.number().nullish(),
  top_k: z.number().int().nullish(),
  seed: z.number().int().nullish(),
  stop: stops,
  stream: z.boolean().nullish(),
  stream_options: z.object({ include_usage: z.boolean().nullish() }).nullish(),
  user: z.string().nullish(),
};
