// folder: a folder of as many source files as is asked, as a person's workspace may be: some in every language that is read, a few
// lines to a few hundred, with ignore files on the way. Drawn from a seed.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { below, type Random } from "../../lib/random.ts";

export interface Folder extends Disposable {
  readonly path: string;
  readonly files: number;
  readonly bytes: number;
}

const perFolder = 50;
const kinds = [
  { end: "ts", declare: (name: string) => `export function ${name}(value: number): number {\n  return value + 1;\n}\n` },
  { end: "py", declare: (name: string) => `def ${name}(value):\n    return value + 1\n` },
  { end: "go", declare: (name: string) => `func ${name}(value int) int {\n\treturn value + 1\n}\n` },
  { end: "rs", declare: (name: string) => `pub fn ${name}(value: i64) -> i64 {\n    value + 1\n}\n` },
] as const;

export function makeFolder(files: number, random: Random): Folder {
  const path = mkdtempSync(join(tmpdir(), "slipstream-folder-"));
  let bytes = 0;
  for (let i = 0; i < files; i++) {
    const inside = join(path, `area${Math.floor(i / perFolder / 10)}`, `part${Math.floor(i / perFolder) % 10}`);
    if (i % perFolder === 0) {
      mkdirSync(inside, { recursive: true });
      writeFileSync(join(inside, ".gitignore"), "*.generated.ts\nout/\n");
    }
    const { end, declare } = kinds[i % kinds.length] as (typeof kinds)[number];
    const text = Array.from({ length: 1 + below(random, 40) }, (_, nth) => declare(`work_${i}_${nth}`)).join("\n");
    bytes += text.length;
    writeFileSync(join(inside, `file${i}.${end}`), text);
  }
  return { path, files, bytes, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}
