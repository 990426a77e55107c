// programs: where the programs are that a bench runs beside our own: brought by `npm run tools` into the user's own folder, or on
// the PATH. What was brought comes first: its version is the one that figures were taken with.
import { accessSync, constants, existsSync, readdirSync } from "node:fs";
import { delimiter, join } from "node:path";
import { SlipstreamError } from "../lib/errors.ts";

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

/** `tool`: by its name in tools/tool-table.ts. */
export function findProgram(tool: string, env: Env): Program | undefined {
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

/** Of a bench that cannot do without it; `option` names the flag that tells where it is. */
export function neededProgram(tool: string, env: Env, option: string): string {
  const found = findProgram(tool, env);
  if (found) return found.path;
  throw new SlipstreamError(
    "not_found",
    `no ${tool} on the PATH: "npm run tools -- ${tool}" brings one, and --${option} PATH names it`,
  );
}
