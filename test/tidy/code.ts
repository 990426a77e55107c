// code: the text of a TypeScript file in, what runs of it out: comments, strings, regular expressions and the text of
// templates are emptied, the code inside `${…}` stays. Not a parser: enough to look for names that are used.

/** After these a slash begins a regular expression, not a division. */
const beforeRegex = /(^|[(,=:[!&|?{};+]|=>|\breturn|\bcase)\s*$/;

export function code(text: string): string {
  let out = "";
  /** Depth of braces in each open `${…}`. */
  const templates: number[] = [];
  let at = 0;
  const skipTo = (end: number, put = "") => {
    out += put;
    at = end < 0 ? text.length : end;
  };
  const skipTemplate = (from: number) => {
    const close = /(?:[^`\\$]|\\[\s\S]|\$(?!\{))*(`|\$\{)?/y;
    close.lastIndex = from;
    const match = close.exec(text);
    if (match?.[1] === "${") templates.push(0);
    skipTo(from + (match?.[0].length ?? 0), match?.[1] === "${" ? " " : "``");
  };
  while (at < text.length) {
    const char = text[at];
    const pair = text.slice(at, at + 2);
    if (pair === "//") skipTo(text.indexOf("\n", at));
    else if (pair === "/*") skipTo(text.indexOf("*/", at) < 0 ? -1 : text.indexOf("*/", at) + 2);
    else if (char === '"' || char === "'") skipTo(quoteEnd(text, at), '""');
    else if (char === "`") skipTemplate(at + 1);
    else if (char === "/" && beforeRegex.test(out.slice(-20))) skipTo(regexEnd(text, at), "/ /");
    else if (templates.length > 0 && char === "}" && templates.at(-1) === 0) {
      templates.pop();
      skipTemplate(at + 1);
    } else {
      if (templates.length > 0 && char === "{") templates[templates.length - 1] = (templates.at(-1) ?? 0) + 1;
      if (templates.length > 0 && char === "}") templates[templates.length - 1] = (templates.at(-1) ?? 0) - 1;
      out += char;
      at += 1;
    }
  }
  return out;
}

/** Index after the closing quote, or the end of the line. */
function quoteEnd(text: string, from: number): number {
  const match = /(["'])(?:\\[\s\S]|(?!\1)[^\\\n])*\1?/y;
  match.lastIndex = from;
  return from + (match.exec(text)?.[0].length ?? 1);
}

function regexEnd(text: string, from: number): number {
  const match = /\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/[a-z]*/y;
  match.lastIndex = from;
  return from + (match.exec(text)?.[0].length ?? 1);
}
