import { expect, test } from "vitest";
import { readPolicy } from "./read.ts";

const whole = `
version: 7
tiers:
  inline: { pools: [inline-7b, inline-3b], fallback: small, deadlines: { auto: 100ms } }
  small: { pools: [inline-3b] }
  chat: { pools: [chat-32b] }
pools:
  inline-7b: { model: qwen2.5-coder-7b }
  inline-3b: {}
  chat-32b: { deadlines: { chat: 30s } }
tenants:
  acme:
    models: [inline, chat]
    default: inline
    quotas: { sessions: 500, triggersPerSecond: 200, generations: 64 }
    policies: { excludedPaths: ["secrets/**"], keepText: true }
  "*": { models: [small] }
policies:
  excludedPaths: ["**/.env"]
`;

test("a whole document in YAML or JSON is the same document", () => {
  const yaml = readPolicy(whole, "policy.yaml");
  expect(yaml.tiers["inline"]).toEqual({ pools: ["inline-7b", "inline-3b"], fallback: "small", deadlines: { auto: 100 } });
  expect(yaml.tenants["acme"]?.quotas).toEqual({ sessions: 500, triggersPerSecond: 200, generations: 64 });
  expect(yaml.policies).toEqual({ excludedPaths: ["**/.env"] });
  expect(readPolicy('{"version": 1}', "a.json")).toEqual({ version: 1, tiers: {}, pools: {}, tenants: {}, policies: {} });
  expect(readPolicy("{version: 1}", "a.yaml").version).toBe(1);
});

const problemsOf = (text: string): string[] => {
  try {
    readPolicy(text, "policy.yaml");
  } catch (thrown) {
    expect(thrown).toMatchObject({ code: "config" });
    return (thrown as Error).message
      .split("\n")
      .slice(1)
      .map((line) => line.trim());
  }
  return [];
};

test("every problem is told at once, each with its field", () => {
  const text = `
version: 0
tiers:
  inline: { pools: [gone], fallback: nowhere, deadlines: { auto: soon }, prompt: 6kB }
  bad name: { pools: [a] }
  empty: { pools: [] }
tenants:
  acme: { quotas: { sessions: 1.5 }, polices: {} }
`;
  expect(problemsOf(text)).toEqual([
    "version: must be at least 1",
    'tiers.inline.deadlines.auto: is not a duration like "250ms", "5s" or "2m"',
    'tiers.inline.prompt: is not a size like "64KiB" or "2MiB"',
    "tiers.bad name: is not a name of letters, digits, ., _ and -, 63 at most",
    "tiers.empty.pools: must name a pool",
    "tenants.acme.quotas.sessions: is not a whole number",
    'tenants.acme: Unrecognized key: "polices"',
  ]);
});

test("names that lead nowhere are told with the place that uses them", () => {
  const text = `
version: 1
tiers:
  a: { pools: [p, gone], fallback: b }
  b: { pools: [p], fallback: a }
  c: { pools: [p], fallback: nowhere }
  p: { pools: [p] }
pools: { p: {} }
tenants:
  acme: { models: [a, x], default: c }
  "*": { default: y }
`;
  expect(problemsOf(text)).toEqual([
    'tiers.a.pools[1]: there is no pool "gone"',
    "tiers.a.fallback: leads back to this tier",
    "tiers.b.fallback: leads back to this tier",
    'tiers.c.fallback: there is no tier "nowhere"',
    "tiers.p: is also the name of a pool; a call could mean either",
    'tenants.acme.models[1]: there is no tier or pool "x"',
    'tenants.acme.default: "c" is not among the tenant\'s models',
    'tenants.*.default: there is no tier or pool "y"',
  ]);
});

test.each([
  ["nothing", "", "Invalid input: expected object, received null"],
  ["a list", "- a", "Invalid input: expected object, received array"],
  ["a key twice", "version: 1\nversion: 2", "Map keys must be unique at line 2, column 1:"],
  ["a brace that is not closed", '{"version": 1', "Flow map must end with a }"],
])("%s is a problem", (_, text, problem) => {
  expect(problemsOf(text).join("\n")).toContain(problem);
});

test("a document that is too large is refused before it is read, and many problems are cut short", () => {
  expect(problemsOf(`{"version": 1, "x": "${"a".repeat(1 << 20)}"}`)).toEqual(["is larger than 1048576 bytes"]);
  const pools = Array.from({ length: 80 }, (_, i) => `  p${i}: { model: 1 }`).join("\n");
  expect(problemsOf(`version: 1\npools:\n${pools}`).at(-1)).toBe("and 30 more");
});
