// What the policy document says of paths, languages and text, as a whole router keeps to it.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fromBinary } from "@bufbuild/protobuf";
import { afterEach, beforeEach, expect, test } from "vitest";
import { OutcomeBatchSchema, type OutcomeEvent } from "../proto/gen/slipstream/v1/fleet_pb.ts";
import { routed } from "../test/support/routed.ts";

let path: string;
beforeEach(() => {
  path = join(mkdtempSync(join(tmpdir(), "slipstream-policy-")), "policy.yaml");
});
afterEach(() => rmSync(join(path, ".."), { recursive: true, force: true }));

async function ready(policy: string, keepText = false) {
  writeFileSync(path, policy);
  const world = routed({ policy: path, settleMs: 0, keepText });
  await world.workers.welcome("w1");
  const told: OutcomeEvent[] = [];
  world.bus.listen("slipstream.v1.outcomes.*", ({ data }) => told.push(...fromBinary(OutcomeBatchSchema, data).outcomes));
  return { ...world, told };
}

test.each([
  ["an excluded path", { path: "a/vault/key.go", language: "go" }, "path: the policy excludes this path"],
  [
    "a language that is not completed",
    { path: "a/b.rs", language: "rust" },
    "path: the policy has no completions for this language",
  ],
])("%s is refused, and a changed document lets it through from the next call on", async (_, file, problem) => {
  const { complete, clock, answer } = await ready("version: 1\npolicies: { excludedPaths: [vault/], languages: [go] }");
  const call = { prefix: "a := ", suffix: "", ...file };
  expect(() => complete(call)).toThrow(problem);
  writeFileSync(path, "version: 2");
  await clock.advance(1_000);
  const { seen, done } = complete(call);
  await clock.advance(1);
  await answer("w1", ["1"]);
  await done;
  expect(seen).toMatchObject({ text: "1", ending: { outcome: "generated" } });
});

test.each([
  ["true", false, "1"],
  ["false", true, undefined],
])("keepText %s of the document stands before the router's own %s", async (kept, setting, want) => {
  const { complete, clock, answer, told } = await ready(`version: 1\npolicies: { keepText: ${kept} }`, setting);
  const { done } = complete({ prefix: "a := ", suffix: "" });
  await clock.advance(1);
  await answer("w1", ["1"]);
  await done;
  await clock.advance(200);
  expect(told.map(({ text }) => text)).toEqual([want]);
});
