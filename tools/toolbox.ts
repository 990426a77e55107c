// toolbox: the name of an optional tool in, its program's path or the sentence how to bring it out. Looks only into the
// user's tools folder, at the pinned version: what a test ran with is what the table says.
import { accessSync, constants } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { type ToolName, tool } from "./tool-table.ts";

export type { ToolName } from "./tool-table.ts";

export type Found = { readonly path: string } | { readonly path: undefined; readonly missing: string };

/** The user's tools folder, outside any checkout: SLIPSTREAM_TOOLS_DIR, else in the XDG cache. */
export function toolsFolder(env: NodeJS.ProcessEnv = process.env): string {
  const cache = env["XDG_CACHE_HOME"] || join(homedir(), ".cache");
  return env["SLIPSTREAM_TOOLS_DIR"] || join(cache, "slipstream", "tools");
}

/** Where a tool's program is, or will be once it is brought. */
export function programPath(name: ToolName, folder = toolsFolder()): string {
  return join(folder, name, tool(name).version, name);
}

export function findTool(name: ToolName, folder = toolsFolder()): Found {
  const path = programPath(name, folder);
  try {
    accessSync(path, constants.X_OK);
    return { path };
  } catch {
    const { version, for: purpose } = tool(name);
    return { path: undefined, missing: `${name} ${version} is not here (${purpose}); \`npm run tools -- ${name}\` brings it` };
  }
}
