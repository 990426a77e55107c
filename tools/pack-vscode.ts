// pack-vscode: the extension for VS Code: its manifest, the code that it and its language server reach, and the packages these need,
// packed by the editor's own tool. Returns the .vsix.
import { copyFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, sep } from "node:path";
import { bring } from "./bring.ts";
import { root } from "./child.ts";
import { command } from "./command.ts";
import { allowed, compile } from "./pack.ts";

const folderOfSources = "editor/vscode";

/** Of the packages only what runs. */
const ignored = [
  "**/*.ts",
  "**/*.map",
  "node_modules/**/*.md",
  "node_modules/@bufbuild/protobuf/dist/cjs/**",
  "node_modules/.bin/**",
];

interface Manifest {
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
}

const manifestIn = (folder: string) => JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest;

export async function packVscode(to: string): Promise<string> {
  const vsce = join(dirname(await bring("vsce")), "environment/node_modules/@vscode/vsce/vsce");
  const folder = mkdtempSync(join(tmpdir(), "slipstream-vscode-"));
  try {
    const { version, dependencies } = manifestIn(root);
    await compile([`${folderOfSources}/extension`, "editor/lsp/main"], folder, "the extension");
    const manifest = {
      ...manifestIn(join(root, folderOfSources)),
      version,
      dependencies: Object.fromEntries(allowed.map((name) => [name, dependencies?.[name]])),
    };
    writeFileSync(join(folder, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
    writeFileSync(join(folder, ".vscodeignore"), `${ignored.join("\n")}\n`);
    copyFileSync(join(root, "LICENSE"), join(folder, "LICENSE"));
    copyFileSync(join(root, folderOfSources, "README.md"), join(folder, "README.md"));
    for (const name of allowed) installed(name, root, folder, new Set());
    mkdirSync(to, { recursive: true });
    const out = join(to, `slipstream-${version}.vsix`);
    rmSync(out, { force: true });
    const words = ["package", "--out", out, "--allow-missing-repository", "--no-rewrite-relative-links"];
    await command([process.execPath, vsce, ...words], "vsce could not pack the extension", { cwd: folder });
    return out;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Copies a package, and what it needs, from this checkout: what the lockfile pins is what is packed. */
function installed(name: string, from: string, to: string, done: Set<string>): void {
  const place = nearest(name, from);
  if (done.has(place)) return;
  done.add(place);
  cpSync(place, join(to, place.slice(root.length + 1)), {
    recursive: true,
    dereference: true,
    filter: (path) => !path.slice(place.length).includes(`${sep}node_modules`),
  });
  for (const needed of Object.keys(manifestIn(place).dependencies ?? {})) installed(needed, place, to, done);
}

function nearest(name: string, from: string): string {
  for (let folder = from; folder.startsWith(root); folder = dirname(folder)) {
    const place = join(folder, "node_modules", name);
    if (existsSync(place)) return place;
  }
  throw new Error(`${name} is not installed; run npm ci`);
}
