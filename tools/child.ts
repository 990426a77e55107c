// child: a command in, its exit code and output out. Nothing runs through a shell.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** Folder of the package, from the sources and from dist alike. */
export const root = nearestPackage(dirname(fileURLToPath(import.meta.url)));

/** More output than this of one command is not kept. */
const outputCharactersMax = 8_000_000;

export interface Ran {
  /** 127 when the command does not exist, 128 when a signal ended it. */
  readonly code: number;
  /** Standard output and error as they came. */
  readonly output: string;
  /** Standard output alone. */
  readonly stdout: string;
  readonly ms: number;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Passes the child's output through as it comes, instead of keeping it. */
  readonly show?: boolean;
}

export function run(command: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const [program = "", ...rest] = command;
  const startedMs = performance.now();
  return new Promise((resolve) => {
    const child = spawn(program, rest, {
      cwd: options.cwd ?? root,
      env: { ...process.env, ...options.env },
      stdio: options.show ? "inherit" : ["ignore", "pipe", "pipe"],
    });
    let output = "";
    let stdout = "";
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      if (stdout.length < outputCharactersMax) stdout += text;
      if (output.length < outputCharactersMax) output += text;
    });
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      if (output.length < outputCharactersMax) output += text;
    });
    const end = (code: number) => resolve({ code, output, stdout, ms: performance.now() - startedMs });
    child.on("error", (error) => {
      output += `${error.message}\n`;
      end(127);
    });
    child.on("close", (code) => end(code ?? 128));
  });
}

/** The command that runs a program of an installed package with this Node. */
export function packageProgram(name: string, file: string): string[] {
  const folders = createRequire(join(root, "package.json")).resolve.paths(name) ?? [];
  const found = folders.map((folder) => join(folder, name, file)).find((path) => existsSync(path));
  if (!found) throw new Error(`${name} is not installed; run npm ci`);
  return [process.execPath, found];
}

function nearestPackage(from: string): string {
  let folder = from;
  while (!existsSync(join(folder, "package.json"))) {
    const parent = dirname(folder);
    if (parent === folder) throw new Error(`no package.json above ${from}`);
    folder = parent;
  }
  return folder;
}
