// install: `npm run tools [-- NAME…] [-- --list]`. Brings the named tools, or all, and says which are missing for what.
import { bring } from "./bring.ts";
import { type ToolName, tool, toolNames } from "./tool-table.ts";
import { findTool, toolsFolder } from "./toolbox.ts";

const say = (line: string) => void process.stdout.write(`${line}\n`);

const words = process.argv.slice(2);
const unknown = words.filter((word) => word !== "--list" && !toolNames.includes(word as ToolName));
if (unknown.length > 0) {
  say(`tools: there is no ${unknown.join(", ")}; there are ${toolNames.join(", ")}, and --list`);
  process.exitCode = 64;
} else if (words.includes("--list")) list();
else process.exitCode = await bringAll(words.length > 0 ? (words as ToolName[]) : toolNames);

function list(): void {
  say(`tools folder: ${toolsFolder()}`);
  for (const name of toolNames) {
    const { version, for: purpose, scripts } = tool(name);
    say(
      `  ${`${name} ${version}`.padEnd(20)} ${findTool(name).path ? "here   " : "missing"}  ${purpose}; used by ${scripts.join(", ")}`,
    );
  }
}

async function bringAll(names: readonly ToolName[]): Promise<number> {
  let missing = 0;
  for (const name of names) {
    const { version, scripts } = tool(name);
    try {
      say(`${name} ${version}: ${await bring(name, { say })}`);
    } catch (error) {
      missing += 1;
      say((error as Error).message);
      say(`  without ${name}: ${scripts.join(", ")} lacks what needs it`);
    }
  }
  return missing > 0 ? 1 : 0;
}
