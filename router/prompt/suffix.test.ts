import { expect, test } from "vitest";
import { type Difference, suffixDifference } from "./suffix.ts";

const rest = `\n  next();\n}\n\nfunction other() {\n${"  call(one, two);\n".repeat(40)}}\n`;
const edited = (text: string, at: number, added: string) => text.slice(0, at) + added + text.slice(at);

test.each<[name: string, held: string, now: string, difference: Difference]>([
  ["the same text", rest, rest, "none"],
  ["a bracket that the editor closed", rest, `)${rest}`, "closers"],
  ["several of them", rest, `");${rest}`, "closers"],
  ["a block that the editor closed on a line of its own", rest, `\n  }${rest}`, "closers"],
  ["one more where there was one", `)${rest}`, `})${rest}`, "closers"],
  ["a closing sign that is no longer there", `)${rest}`, rest, "too_much"],
  ["text that came before it", rest, `foo${rest}`, "too_much"],
  ["more signs than a person opens", rest, `)))))))))${rest}`, "too_much"],
  ["a line that moved to the other side of the cursor", rest, rest.slice(10), "too_much"],
  ["an edit far below", rest, edited(rest, 300, "x = 1;\n"), "stale"],
  ["an edit in the next lines", rest, edited(rest, 5, "x"), "too_much"],
  ["a bracket closed and an edit far below", rest, `)${edited(rest, 300, "x = 1;\n")}`, "stale"],
  ["another half of it", rest, rest.slice(0, 300) + "// other\n".repeat(50), "too_much"],
  ["a text that goes on where it ended", "}\n", "}\nfoo();\n", "too_much"],
  ["nothing after the cursor", "", "", "none"],
  ["a closing sign where there was nothing", "", "}", "closers"],
  ["text where there was nothing", "", "foo", "too_much"],
  ["all of it gone", rest, "", "too_much"],
])("%s", (_, held, now, difference) => {
  expect(suffixDifference({ suffix: held, suffixIsCut: false }, now)).toBe(difference);
});

test("where the held text was cut off, what follows there is no difference", () => {
  const held = { suffix: rest.slice(0, 200), suffixIsCut: true };
  expect(suffixDifference(held, `${rest}more();\n`)).toBe("none");
  expect(suffixDifference(held, `"\n}${rest}`)).toBe("closers");
  expect(suffixDifference(held, rest.slice(0, 120))).toBe("too_much");
});
