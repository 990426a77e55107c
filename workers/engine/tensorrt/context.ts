// context: how many tokens a prompt and its completion may have, which TensorRT-LLM's pages do not say. Said in the settings; else what
// its figures tell; else what the model was made for, which the engine may have been started with less than.
import { readFile, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { SlipstreamError } from "../../../lib/errors.ts";

export async function contextOf(
  said: number | undefined,
  told: number | undefined,
  tokenizerPath: string,
): Promise<{ readonly tokens: number; readonly by: "settings" | "engine" | "model" }> {
  if (said !== undefined && said > 0) return { tokens: said, by: "settings" };
  if (told !== undefined && told > 0) return { tokens: told, by: "engine" };
  const made = await madeFor(tokenizerPath);
  if (made !== undefined) return { tokens: made, by: "model" };
  throw new SlipstreamError(
    "config",
    "the engine does not say how long a prompt may be; set SLIPSTREAM_WORKER_CONTEXT_TOKENS to its --max_seq_len",
  );
}

async function madeFor(path: string): Promise<number | undefined> {
  const folder = (await stat(path).catch(() => undefined))?.isDirectory() ? path : dirname(path);
  try {
    const { max_position_embeddings: most } = JSON.parse(await readFile(join(folder, "config.json"), "utf8")) as {
      max_position_embeddings?: unknown;
    };
    return typeof most === "number" && Number.isInteger(most) && most > 0 ? most : undefined;
  } catch {
    return undefined;
  }
}
