// pack: the small packages beside this one: each is the files that its entry reaches, compiled with their types,
// and grpc-js and protobuf as its only dependencies.
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { packageProgram, root } from "./child.ts";
import { command } from "./command.ts";

interface SmallPackage {
  readonly name: string;
  readonly description: string;
  /** The module that is imported, or run. */
  readonly entry: string;
  /** Files beside the code. */
  readonly files: readonly string[];
  /** Name of the program, where it is one. */
  readonly bin?: string;
}

export const smallPackages: readonly SmallPackage[] = [
  {
    name: "@slipstream/sdk",
    description: "Client of a Slipstream router for editors and products: sessions, triggers, streaming, feedback.",
    entry: "editor/sdk/sdk",
    files: ["editor/sdk/README.md"],
  },
  {
    name: "@slipstream/lsp",
    description: "Language server for inline completion (LSP 3.18) in front of a Slipstream router.",
    entry: "editor/lsp/main",
    files: ["editor/lsp/README.md"],
    bin: "slipstream-lsp",
  },
];

interface Manifest {
  readonly version: string;
  readonly license: string;
  readonly engines: object;
  readonly dependencies: Readonly<Record<string, string>>;
}

/** What the small packages may need: everything else of the product stays out. */
export const allowed = ["@bufbuild/protobuf", "@grpc/grpc-js"];

/** What the entries reach, with its types, into `lib` of the folder. */
export async function compile(entries: readonly string[], folder: string, name: string): Promise<void> {
  const config = join(folder, "tsconfig.json");
  const compilerOptions = {
    noEmit: false,
    declaration: true,
    outDir: join(folder, "lib"),
    rootDir: root,
    typeRoots: [join(root, "node_modules/@types")],
  };
  const files = entries.map((entry) => join(root, `${entry}.ts`));
  writeFileSync(config, JSON.stringify({ extends: join(root, "tsconfig.json"), compilerOptions, include: [], files }));
  await command([...packageProgram("typescript", "bin/tsc"), "-p", config], `${name} does not compile`);
  rmSync(config);
}

/** Returns the tarball's path. */
export async function pack({ name, description, entry, files, bin }: SmallPackage, to: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "slipstream-pack-"));
  try {
    const { version, license, engines, dependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as Manifest;
    await compile([entry], folder, name);
    const main = `./lib/${entry}`;
    const manifest = {
      ...{ name, version, description, license, type: "module", engines, files: ["lib"] },
      ...(bin === undefined
        ? { exports: { ".": { types: `${main}.d.ts`, default: `${main}.js` } } }
        : { bin: { [bin]: `${main}.js` } }),
      dependencies: Object.fromEntries(allowed.map((each) => [each, dependencies[each]])),
    };
    writeFileSync(join(folder, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
    for (const file of ["LICENSE", ...files])
      if (existsSync(join(root, file))) copyFileSync(join(root, file), join(folder, file.split("/").at(-1) as string));
    mkdirSync(to, { recursive: true });
    await command(["npm", "pack", folder, "--pack-destination", to, "--ignore-scripts", "--silent"], `npm could not pack ${name}`);
    return join(to, `${name.replace("@", "").replace("/", "-")}-${version}.tgz`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
