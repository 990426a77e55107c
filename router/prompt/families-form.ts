// families-form: the parts of a prompt in, the family's form around them out, segment by segment.
import { render } from "../../lib/fim/render.ts";
import type { Segment, Trigger } from "../completion.ts";
import type { Family } from "./families.ts";
import type { Parts } from "./parts.ts";

/** Nobody says what a repository is called; models that are told a name were told many. */
const repository = "workspace";

export function formed(parts: Parts, { path, language }: Pick<Trigger, "path" | "language">, family: Family): Segment[] {
  const { chunks: files, head, tail, suffix } = parts;
  const segments = render(family.form, family.spelling, { files, path, language, repository, suffix, head, tail });
  return family.begin === "" ? segments : [{ special: family.begin }, ...segments];
}
