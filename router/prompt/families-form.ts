// families-form: the parts of a prompt in, the family's form around them out, segment by segment.
import { render } from "../../lib/fim/render.ts";
import type { Segment, Trigger } from "../completion.ts";
import type { Family } from "./families.ts";
import type { Parts } from "./parts.ts";

/** Nobody says what a repository is called; models that are told a name were told many. */
const repository = "workspace";

/** No budget counts the path: more of it than this tells a model nothing. */
const pathUtf16Max = 200;

export function formed(parts: Parts, { path, language }: Pick<Trigger, "path" | "language">, family: Family): Segment[] {
  const { chunks: files, head, tail, suffix } = parts;
  const place = { path: shortened(path), language, repository };
  const segments = render(family.form, family.spelling, { files, ...place, suffix, head, tail });
  return family.begin === "" ? segments : [{ special: family.begin }, ...segments];
}

/** Its end, from a folder on where there is one. */
function shortened(path: string): string {
  if (path.length <= pathUtf16Max) return path;
  const end = path.slice(-pathUtf16Max);
  const folder = end.indexOf("/");
  return folder >= 0 ? end.slice(folder + 1) : end.replace(/^[\udc00-\udfff]/, "");
}
