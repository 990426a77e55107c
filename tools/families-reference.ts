// families-reference: the families' data in, their reference page in Markdown out. Pure.
import { families } from "../lib/fim/families.ts";
import type { Family } from "../lib/fim/family.ts";
import { table } from "./proto-reference.ts";

const orders = { suffix_first: "suffix first", prefix_first: "prefix first" } as const;
const code = (text: string) => `\`${text.replaceAll("\n", "\\n")}\``;
const bullets = (title: string, texts: readonly string[]) => (texts.length === 0 ? [] : [`- ${title}: ${texts.join(", ")}`]);

export function familiesPage(all: readonly Family[] = families): string {
  const rows = all.map(({ name, title, forms, file, trained }) => {
    const [used, ...others] = forms.map(({ order }) => orders[order]);
    const beside =
      forms[0]?.repository === undefined || file === undefined ? "before the prefix, under a comment" : "a form of its own";
    return [
      `[\`${name}\`](#${name.replace(/[^a-z0-9-]/g, "")})`,
      title,
      used ?? "",
      others.join(", "),
      trained?.context === false ? "none" : beside,
    ];
  });
  return [
    "# Model families",
    "Generated from `lib/fim/families/` by `npm run generate`; do not edit.",
    "How each family wants to be asked for the middle of a text. A worker names its model's family; where it names none, the model's name, its chat template and its tokens tell. A model of no family is asked `PREFIX p SUFFIX s MIDDLE` with its own tokens, or `SUFFIX s PREFIX p` where it has no middle token. Only tokens of a form are special: code is encoded apart from them, whatever it spells.",
    "Suffix first is used wherever it was trained, because the suffix then stays in the KV while a person types. Where the prefix comes first and the form ends with the middle token, what is being typed stands behind that token ([decision 0014](../decisions/0014-what-is-typed-begins-the-middle.md)).",
    "A prompt that a client rendered itself and sends without a suffix is taken apart, whichever family's tokens it spells and in whatever order, and laid out for the model that serves ([decision 0017](../decisions/0017-families-in-lib.md)). One that cannot be read for sure is given to the model as it is.",
    table(["family", "models", "order used", "trained too", "other files"], rows),
    ...all.map(section),
    "",
  ]
    .join("\n\n")
    .replace(/\n+$/, "\n");
}

function section(family: Family): string {
  const { name, title, tokens, begin, ends, stop, forms, file, names, template = [], misspelt = [], sources, notes } = family;
  const written = forms.flatMap(({ order, single, repository }) => [
    `- ${orders[order]}: ${code(single)}`,
    ...(repository === undefined ? [] : [`- ${orders[order]}, beside other files: ${code(repository)}`]),
  ]);
  return [
    `## ${name}`,
    `${title}.${notes === undefined ? "" : ` ${notes}`}`,
    [
      ...written,
      ...(file === undefined ? [] : [`- another file: ${code(file)}`]),
      ...bullets("opened by", begin === undefined ? [] : [code(begin)]),
      ...bullets("a middle ends at", [...ends, ...stop].map(code)),
      ...bullets(
        "between files, in its vocabulary",
        [tokens.fileSeparator, tokens.repository].filter((text) => text !== "").map(code),
      ),
      ...bullets("recognised by", [
        ...names.map((words) => `"${words}" in a name`),
        ...template.map((mark) => `${code(mark)} in a chat template`),
      ]),
      ...bullets("understood, never sent", misspelt.flatMap(({ prefix, suffix, middle }) => [prefix, suffix, middle]).map(code)),
      ...bullets("read in", sources),
    ].join("\n"),
  ].join("\n\n");
}
