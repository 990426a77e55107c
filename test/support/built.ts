// built: makes dist current before suites that start the real program in processes of their own.
import { ensureBuilt } from "../../bin/build.js";

export default function setup(): void {
  const result = ensureBuilt({ say: () => undefined });
  if (!result.ok) throw new Error(result.why);
}
