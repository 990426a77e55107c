import { expect, test } from "vitest";
import { integer, setting } from "../lib/config.ts";
import { errorTable } from "../lib/errors.ts";
import { families } from "../lib/fim/families.ts";
import { counter } from "../lib/metrics.ts";
import { readPolicy } from "../lib/policy/read.ts";
import { familiesPage } from "./families-reference.ts";
import { policyExample } from "./policy-reference.ts";
import { stalePages } from "./reference.ts";
import { currentStamp, differences, readStamp } from "./stamp.ts";
import { configPage, errorsPage, gatePage, metricsPage } from "./table-reference.ts";

test("every error code has a row with its statuses", () => {
  const page = errorsPage();
  for (const code of Object.keys(errorTable)) expect(page).toContain(`| \`${code}\` |`);
  expect(page).toContain("| `invalid_request` | INVALID_ARGUMENT (3) | 400 | no | 64 |");
});

test("a metric is listed with its full name, kind and labels", () => {
  expect(metricsPage({ router: { a_total: counter("Counts.", ["lane"]) } })).toContain(
    "| `slipstream_router_a_total` | counter | `lane` | Counts. |",
  );
});

test("a setting is listed with its variable and default", () => {
  const page = configPage({ router: { a: setting("SLIPSTREAM_A", integer(0, 9), "3", "How many.") } });
  expect(page).toContain("| `SLIPSTREAM_A` | `3` | How many. |");
});

test("a family is listed with its forms, what ends its middle and where that can be read", () => {
  const page = familiesPage();
  for (const { name, sources } of families) {
    expect(page).toContain(`\n## ${name}\n`);
    for (const source of sources) expect(page).toContain(source);
  }
  expect(page).toContain("- suffix first: `[SUFFIX]{suffix}[PREFIX]{prefix}`");
  expect(page).toContain("| [`mellum`](#mellum) | Mellum 4B base and sft | suffix first |  | a form of its own |");
});

test("evidence is listed with its weight and where that comes from", () => {
  expect(gatePage({ a_word: { weight: -0.5, means: "A word.", source: "assumed" } })).toContain(
    "| `a_word` | -0.5 | A word. | assumed |",
  );
});

test("the example of the policy page is a policy", () => {
  expect(readPolicy(policyExample, "policy.yaml").tenants["acme"]?.models).toEqual(["inline", "chat"]);
});

test("a page that is not there is stale", () => {
  expect(stalePages("/nowhere")).toContain("docs/reference/errors.md is not what its table says");
});

test("a changed source, a changed file and another program are told apart", () => {
  const stamp = { programs: { buf: "1" }, sources: { "a.proto": "1" }, generated: { "a_pb.ts": "1" } };
  expect(differences(stamp, stamp)).toEqual([]);
  expect(differences(stamp, { programs: { buf: "2" }, sources: { "a.proto": "2" }, generated: {} })).toEqual([
    "buf has another version than the one that generated",
    "a.proto has changed since the files were generated",
    "a_pb.ts is not as it was generated",
  ]);
  expect(differences(undefined, stamp)).toEqual(["proto/gen/stamp.json is missing"]);
});

test("the stamp knows the contracts and what is made of them", () => {
  const now = currentStamp();
  expect(Object.keys(now.sources)).toContain("proto/slipstream/v1/worker.proto");
  expect(Object.keys(now.generated)).toEqual(
    expect.arrayContaining(["proto/gen/slipstream/v1/worker_pb.ts", "docs/reference/worker.md"]),
  );
  expect(Object.keys(readStamp()?.generated ?? {})).toEqual(Object.keys(now.generated));
});
