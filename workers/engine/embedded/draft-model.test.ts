import { expect, test } from "vitest";
import { vocabularyProblem } from "./draft-model.ts";

test.each<[title: string, draft: string[], says: RegExp | undefined]>([
  ["the same vocabulary is one", ["a", "b", "c"], undefined],
  ["a longer one is another", ["a", "b", "c", "d"], /4 tokens, the target's 3/],
  ["a token that is another is named", ["a", "x", "c"], /token 1 differs/],
])("%s", (_title, draft, says) => {
  const problem = vocabularyProblem(["a", "b", "c"], draft);
  if (says) expect(problem).toMatch(says);
  else expect(problem).toBeUndefined();
});
