import { expect, test } from "vitest";
import { Texts } from "./texts.ts";

test.each<[name: string, text: string, generated: boolean]>([
  ["nothing", "", true],
  ["all of one", "return total;", true],
  ["the middle of one", "turn to", true],
  ["two, the second going on from the first", "if (a) go();", true],
  ["the end of what two made, typed through", "(a) go", true],
  ["as many as were asked", "if (a) go(); else stop();", true],
  ["the second without what it went on from", "return go();", false],
  ["two of which the second goes on from nothing", "return total;if (a)", false],
  ["another tenant's", "secret", false],
  ["own text with another tenant's after it", "if (a) secret", false],
])("a text of %s: %s", (_, text, generated) => {
  const texts = new Texts();
  texts.wrote("own", { text: "return total;", promptEnd: "{\n" });
  texts.wrote("own", { text: "if (a) ", promptEnd: "{\n" });
  texts.wrote("own", { text: "go(); ", promptEnd: "if (a) " });
  texts.wrote("own", { text: "else ", promptEnd: "if (a) go(); " });
  texts.wrote("own", { text: "stop();", promptEnd: "if (a) go(); else " });
  texts.wrote("other", { text: "secret", promptEnd: "if (a) " });
  expect(texts.generated("own", text)).toBe(generated);
});
