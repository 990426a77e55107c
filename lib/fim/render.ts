// render: a form and what fills it in, the segments of a prompt out. Text stays text whatever it spells: only the form's own
// tokens are special. Pure; the same on every router.
import type { FimTexts } from "./family.ts";
import type { Form, Piece } from "./form.ts";

/** A part of a prompt that is encoded apart. */
export type Segment = { readonly text: string } | { readonly special: string };

export interface Filling {
  /** Other code, in the order it shall stand. */
  readonly files: readonly { readonly path: string; readonly text: string }[];
  readonly path: string;
  readonly language: string;
  readonly repository: string;
  readonly suffix: string;
  /** The text before the cursor: pieces that stay from key to key, then what is being typed. */
  readonly head: readonly string[];
  readonly tail: string;
}

/** How the model spells the tokens of its parts: its own spelling where it has one, else the family's. */
export interface Spelling {
  readonly family: FimTexts;
  readonly model: FimTexts;
}

export function render(form: Form, spelling: Spelling, filling: Filling): Segment[] {
  const pieces = filling.files.length > 0 ? (form.repository ?? withFiles(form.single)) : form.single;
  // What is being typed is the beginning of the middle, where that follows: then neither prefix nor suffix changes with a key.
  const moved = form.order === "prefix_first" && form.endsWithMiddle;
  const { head, tail } = filling;
  const segments = fill(pieces, form, spelling, { ...filling, prefix: moved ? head : [...head, tail] });
  return moved && tail !== "" ? [...segments, { text: tail }] : segments;
}

/** Where a family has no form for other code, it stands right before the prefix. */
function withFiles(single: readonly Piece[]): readonly Piece[] {
  return single.flatMap((piece): readonly Piece[] =>
    "hole" in piece && piece.hole === "prefix" ? [{ hole: "files" }, piece] : [piece],
  );
}

function fill(
  pieces: readonly Piece[],
  form: Form,
  spelling: Spelling,
  filling: Filling & { readonly prefix: readonly string[]; readonly text?: string },
): Segment[] {
  const segments: Segment[] = [];
  let text = "";
  const flush = () => {
    if (text !== "") segments.push({ text });
    text = "";
  };
  for (const piece of pieces) {
    if ("text" in piece) text += piece.text;
    else if ("special" in piece) {
      flush();
      segments.push({ special: spelled(piece.special, spelling) });
    } else if (piece.hole === "files") {
      flush();
      for (const file of filling.files) segments.push(...fill(form.file, form, spelling, { ...filling, ...file }));
    } else if (piece.hole === "prefix") {
      // What the form sets before the prefix is encoded with its first piece.
      for (const part of filling.prefix) {
        text += part;
        flush();
      }
    } else text += literal(piece.hole, filling);
  }
  flush();
  return segments;
}

function literal(
  hole: "suffix" | "path" | "language" | "repository" | "comment" | "text",
  filling: Filling & { text?: string },
): string {
  if (hole === "comment") return commentOf(filling.language);
  return hole === "language" ? languageName(filling.language) : (filling[hole] ?? "");
}

function spelled(special: string, { family, model }: Spelling): string {
  const role = (["prefix", "suffix", "middle"] as const).find((each) => family[each] === special);
  return (role && model[role]) || special;
}

const hashed = new Set(["python", "ruby", "shellscript", "perl", "r", "yaml", "toml", "dockerfile", "makefile", "elixir", "julia", "powershell", "cmake"]); // biome-ignore format: one list
const dashed = new Set(["sql", "lua", "haskell", "ada", "elm"]);

/** What opens a comment that ends with its line. */
function commentOf(language: string): string {
  return hashed.has(language) ? "#" : dashed.has(language) ? "--" : "//";
}

/** Languages whose names are more than their identifier with a capital. */
const names: Readonly<Record<string, string>> = {
  cpp: "C++",
  csharp: "C#",
  css: "CSS",
  html: "HTML",
  javascript: "JavaScript",
  javascriptreact: "JavaScript",
  json: "JSON",
  php: "PHP",
  shellscript: "Shell",
  sql: "SQL",
  typescript: "TypeScript",
  typescriptreact: "TypeScript",
};

/** As people write it; editors send identifiers. */
function languageName(identifier: string): string {
  return Object.hasOwn(names, identifier)
    ? (names[identifier] as string)
    : identifier.replace(/^[a-z]/, (letter) => letter.toUpperCase());
}
