// pack-all: `npm run pack [-- FOLDER]`: the tarballs of the small packages, with their sizes; `npm run pack:vscode` the extension for
// VS Code, apart because the editor's own tool packs it, which is brought first.
import { statSync } from "node:fs";
import { join, resolve } from "node:path";
import { root } from "./child.ts";
import { pack, smallPackages } from "./pack.ts";
import { packVscode } from "./pack-vscode.ts";

const words = process.argv.slice(2);
const to = resolve(words.find((word) => word !== "--vscode") ?? join(root, "reports/packages"));
const say = (path: string) => void process.stdout.write(`${path}  ${(statSync(path).size / 1_024).toFixed(1)} KiB\n`);
if (words.includes("--vscode")) say(await packVscode(to));
else for (const each of smallPackages) say(await pack(each, to));
