import { expect, test } from "vitest";
import { noDefaults, readDefaults } from "./defaults.ts";

test("what is absent is nothing", () => {
  expect(readDefaults("{}", "defaults.json")).toEqual(noDefaults);
  expect(noDefaults.workers).toMatchObject({ labels: {}, tolerations: [], networkPolicy: true, disruptionBudget: true });
});

test.each([
  ["{", /^defaults\.json: is no JSON/],
  ['{"routers": {}}', /routers/],
  ['{"router": {"tolerations": [{"effect": "Never"}]}}', /router\.tolerations\.0\.effect/],
  [
    '{"workers": {"resources": {"cpu": "much"}}, "imageRegistry": "HTTP://x"}',
    /imageRegistry: is not a registry.*workers\.resources\.cpu/,
  ],
])("%s is refused by field", (text, problem) => {
  expect(() => readDefaults(text, "defaults.json")).toThrow(problem);
});
