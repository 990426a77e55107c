// command: a program and its words in, what it wrote out; throws a sentence with the last lines of its output when it fails.
import { type RunOptions, run } from "./child.ts";

export async function command(words: readonly string[], failure: string, options: RunOptions = {}): Promise<string> {
  const { code, output, stdout } = await run(words, options);
  if (code !== 0) throw new Error(`${failure}: ${output.trim().split("\n").slice(-3).join(" | ") || `exit ${code}`}`);
  return stdout;
}
