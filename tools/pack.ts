// pack: `npm run pack`: the small packages beside this one: each is the files that its entry reaches, compiled with their types,
// and grpc-js and protobuf as its only dependencies. Writes tarballs; says their sizes.
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
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
];

interface Manifest {
  readonly version: string;
  readonly license: string;
  readonly engines: object;
  readonly dependencies: Readonly<Record<string, string>>;
}

/** What the small packages may need: everything else of the product stays out. */
const allowed = ["@bufbuild/protobuf", "@grpc/grpc-js"];

/** Returns the tarball's path. */
export async function pack({ name, description, entry, files, bin }: SmallPackage, to: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "slipstream-pack-"));
  try {
    const { version, license, engines, dependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as Manifest;
    const config = join(folder, "tsconfig.json");
    const compilerOptions = {
      noEmit: false,
      declaration: true,
      outDir: join(folder, "lib"),
      rootDir: root,
      typeRoots: [join(root, "node_modules/@types")],
    };
    writeFileSync(
      config,
      JSON.stringify({ extends: join(root, "tsconfig.json"), compilerOptions, include: [], files: [join(root, `${entry}.ts`)] }),
    );
    await command([...packageProgram("typescript", "bin/tsc"), "-p", config], `${name} does not compile`);
    const main = `./lib/${entry}`;
    const manifest = {
      ...{ name, version, description, license, type: "module", engines, files: ["lib"] },
      exports: { ".": { types: `${main}.d.ts`, default: `${main}.js` } },
      ...(bin === undefined ? {} : { bin: { [bin]: `${main}.js` } }),
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

/** `npm run pack [-- FOLDER]`. */
export async function packAll(to: string, say: (line: string) => void): Promise<void> {
  for (const each of smallPackages) {
    const tarball = await pack(each, to);
    say(`${tarball}  ${(statSync(tarball).size / 1_024).toFixed(1)} KiB`);
  }
}

if (process.argv[1]?.endsWith("/tools/pack.js"))
  await packAll(resolve(process.argv[2] ?? join(root, "reports/packages")), (line) => void process.stdout.write(`${line}\n`));
