import { expect, test } from "vitest";
import { pageOf, tableOf } from "./page.ts";
import { barsOf, linesOf } from "./plot.ts";

test("axes begin at zero and end at a number whose quarters are short", () => {
  const drawn = linesOf({ title: "t", x: "s", y: "ms" }, [
    {
      name: "a",
      points: [
        [0, 3],
        [17, 113],
      ],
    },
  ]);
  const labels = [...drawn.matchAll(/class="faint">([^<]*)</g)].map(([, text]) => text);
  expect(labels).toEqual(expect.arrayContaining(["0", "30", "60", "90", "120", "5", "10", "15", "20"]));
});

test("a long line keeps its peaks, and every name of a key is on the page", () => {
  const points = Array.from({ length: 50_000 }, (_, i): [number, number] => [i, i === 33_333 ? 999 : 1]);
  const names = ["one", "two", "three", "four", "five", "six", "seven"];
  const drawn = linesOf(
    { title: "t", x: "s", y: "ms" },
    names.map((name) => ({ name, points })),
  );
  expect(drawn.length).toBeLessThan(120_000);
  // The top of the axis is 1,000: the peak is drawn near it.
  const ys = [...(/points="([^"]*)"/.exec(drawn)?.[1] ?? "").matchAll(/,([\d.]+)/g)].map(([, y]) => Number(y));
  expect(Math.min(...ys)).toBeLessThan(20);
  for (const name of names) expect(drawn).toContain(`>${name}  <`);
});

test("what others wrote is text on the page", () => {
  const evil = '<script>"&';
  const page = pageOf(evil, [
    tableOf([["a"], [evil]]),
    barsOf({ title: evil, x: "", y: "" }, [[evil, 1]]),
    linesOf({ title: "", x: evil, y: "" }, []),
  ]);
  expect(page).not.toContain("<script");
  expect(page.match(/&lt;script&gt;&quot;&amp;/g)?.length).toBeGreaterThanOrEqual(5);
});
