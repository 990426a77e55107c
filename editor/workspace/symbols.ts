// symbols: the text of a file in, its declarations out: a name, and the lines that say what it is. By the words that declare in each
// family of languages, not by a parser: it is context for a model, and may miss some. Pure, bounded.

export interface Declared {
  readonly name: string;
  readonly line: number;
  readonly text: string;
}

const linesOfOne = 6;
const perFileMax = 400;
const lineCharactersMax = 300;

const words =
  /^(?:export\s+|default\s+|public\s+|private\s+|protected\s+|static\s+|abstract\s+|async\s+|final\s+|pub(?:\([^)]*\))?\s+|declare\s+|unsafe\s+)*(?:function\*?|class|interface|type|enum|const|let|var|def|func|fn|struct|trait|impl|module|mod|object|record|namespace|protocol)\s+(?:\([^)]*\)\s*)?([A-Za-z_$][\w$]{2,63})/;

export function declarations(text: string): Declared[] {
  const found: Declared[] = [];
  const lines = text.split("\n");
  for (let i = 0; i < lines.length && found.length < perFileMax; i++) {
    const line = lines[i] as string;
    // What is deep inside a function is nobody else's.
    if (line.length > lineCharactersMax || /^(\t|\s{4})/.test(line)) continue;
    const name = words.exec(line.trimStart())?.[1];
    if (name === undefined) continue;
    let end = i + 1;
    while (
      end < lines.length &&
      end < i + linesOfOne &&
      (lines[end] as string).trim() !== "" &&
      (lines[end] as string).length <= lineCharactersMax
    )
      end++;
    found.push({ name, line: i, text: lines.slice(i, end).join("\n") });
  }
  return found;
}

/** Names in the lines around a cursor, the nearest first. */
export function namesNear(text: string, offset: number, unitsMax = 2_000): string[] {
  const before = text.slice(Math.max(0, offset - unitsMax), offset).match(/[A-Za-z_$][\w$]{2,63}/g) ?? [];
  const after = text.slice(offset, offset + unitsMax / 4).match(/[A-Za-z_$][\w$]{2,63}/g) ?? [];
  return [...new Set([...before.reverse(), ...after])];
}
