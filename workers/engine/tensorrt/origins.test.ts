import { expect, test } from "vitest";
import { Origins } from "./origins.ts";

const one = { salt: "one", adapter: "" };

test("a first block is the tenant's who asked with it", () => {
  const origins = new Origins({ blockTokens: 2 });
  origins.asked([1, 2, 3, 4], "one", "");
  expect(origins.of([1, 2], "h")).toMatchObject(one);
  // It is told with those that follow, or again.
  expect(origins.of([1, 2, 9, 9], "h")).toMatchObject(one);
  expect(origins.unclear).toBe(0);
});

test("two tenants' equal first blocks are nobody's, until one of them has it", () => {
  const origins = new Origins({ blockTokens: 2 });
  origins.asked([1, 2, 3], "one", "");
  expect(origins.of([1, 2], "h1")).toMatchObject(one);
  origins.asked([1, 2, 4], "two", "");
  expect(origins.of([1, 2], "h2")).toMatchObject({ salt: "two" });
  origins.clear();
  expect(origins.of([1, 2], "h1")).toBeUndefined();
  expect(origins.unclear).toBe(1);
});

test("a tenant whose block was given up may have it again", () => {
  const origins = new Origins({ blockTokens: 2 });
  origins.asked([1, 2], "one", "");
  origins.of([1, 2], "h1");
  origins.removed("h1");
  expect(origins.of([1, 2], "h1")).toMatchObject(one);
});

test("what nobody of ours asked with is of nobody in particular", () => {
  expect(new Origins({ blockTokens: 2 }).of([7, 8], "h")).toEqual({ salt: "", adapter: "" });
});

test("adapters compute blocks of their own", () => {
  const origins = new Origins({ blockTokens: 2 });
  origins.asked([1, 2], "one", "");
  origins.asked([1, 2], "one", "style");
  expect(origins.of([1, 2], "h")).toBeUndefined();
});

test("first blocks of long ago are forgotten", () => {
  const origins = new Origins({ blockTokens: 1 });
  origins.asked([0], "one", "");
  origins.of([0], "h0");
  for (let token = 1; token <= 8_192; token++) origins.asked([token], "one", "");
  expect(origins.of([0], "h0")).toEqual({ salt: "", adapter: "" });
  for (let tenant = 0; tenant < 70; tenant++) origins.asked([8_000], `t${tenant}`, "");
  expect(origins.of([8_000], "h")).toBeUndefined();
});
