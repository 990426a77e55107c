// programs: where the peers' programs are: brought by `npm run tools` into the user's own folder, or on the PATH. One that is not
// there is named, and left out of the comparison.
import { accessSync, constants, existsSync, readdirSync } from "node:fs";
import { delimiter, join } from "node:path";
import type { PeerTool } from "./peer-table.ts";

type Env = Readonly<Record<string, string | undefined>>;

export interface Program {
  readonly path: string;
  /** As the tools folder tells it; "": whatever is on the PATH. */
  readonly version: string;
}

const runs = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
};

export function findProgram(tool: PeerTool, env: Env): Program | undefined {
  const cache = env["XDG_CACHE_HOME"] || join(env["HOME"] ?? "", ".cache");
  const folder = join(env["SLIPSTREAM_TOOLS_DIR"] || join(cache, "slipstream", "tools"), tool);
  for (const version of existsSync(folder) ? readdirSync(folder).sort().reverse() : []) {
    // A Python program stands in its environment, beside the interpreter that the tool's own name starts.
    const path = [join(folder, version, "environment", "bin", tool), join(folder, version, tool)].find(runs);
    if (path) return { path, version };
  }
  const onPath = (env["PATH"] ?? "").split(delimiter).map((each) => join(each, tool));
  const path = onPath.find(runs);
  return path === undefined ? undefined : { path, version: "" };
}
