// docs/clients.md holds no row that no test tries, and no address that leads nowhere.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { packageRoot } from "../../lib/package-root.ts";
import { routes } from "../../router/http/routes.ts";

const read = (path: string) => readFileSync(join(packageRoot(), path), "utf8");
const page = read("docs/clients.md");
const section = (name: string) => page.split(/^## /m).find((part) => part.startsWith(`${name}\n`)) ?? "";
const rows = [...section("What works").matchAll(/^\| (?!client|---)(.*) \|$/gm)].map(([, line]) => {
  const [client = "", settings = "", endpoint = "", streams = "", works = "", tried = ""] = (line ?? "").split(" | ");
  const names = [...tried.matchAll(/`([^`]+)`/g)].map(([, name]) => name as string);
  return { client, settings, endpoint: endpoint.replaceAll("`", ""), streams, works, names };
});
const recorded = readdirSync(join(packageRoot(), "test/golden/http")).map((name) => name.replace(".json", ""));
const system = read("test/system/clients.test.ts");
const paths = routes.map(({ path }) => path);
const isPath = (path: string) => paths.some((known) => new RegExp(`^${known.replace(/:\w+/g, "[^/]+")}$`).test(path));

test("the table has rows, and every recorded body is in one", () => {
  expect(rows.length).toBeGreaterThan(20);
  expect(rows.flatMap(({ names }) => names).filter((name) => recorded.includes(name)).sort()).toEqual([...recorded].sort());
});

describe("each row", () => {
  test.each(rows)("$client is tried at its endpoint, and has settings", ({ endpoint, streams, names, settings }) => {
    expect(isPath(endpoint), endpoint).toBe(true);
    expect(names.length).toBeGreaterThan(0);
    for (const name of names) {
      if (!recorded.includes(name)) {
        expect(system).toContain(`"${name}"`);
        continue;
      }
      const { path, body } = JSON.parse(read(`test/golden/http/${name}.json`)) as { path: string; body: { stream?: boolean } };
      expect([path, body.stream ?? false]).toEqual([endpoint, streams === "yes"]);
    }
    const anchor = /\(#([\w-]+)\)/.exec(settings)?.[1];
    const headings = [...page.matchAll(/^### (.*)$/gm)].map(([, name]) => (name ?? "").toLowerCase().replace(/[^\w -]/g, "").replaceAll(" ", "-"));
    expect(headings).toContain(anchor);
  });
});

describe("each client that keeps a session", () => {
  const sessions = [...section("By sessions").matchAll(/^\| (?!client|---)(.*) \|$/gm)].map(([, line]) => {
    const [client = "", , , not = "", tried = ""] = (line ?? "").split(" | ");
    return { client, not, files: [...tried.matchAll(/`([^`]+)`/g)].map(([, file]) => file as string) };
  });

  test("has a row", () => expect(sessions.length).toBeGreaterThanOrEqual(7));

  test.each(sessions)("$client names tests that are there, or says that it was not run", ({ not, files }) => {
    if (files.length === 0) expect(not).toContain("not run");
    for (const file of files) expect(read(file)).toMatch(/\btest(\.each\(.*\))?\(/);
  });
});

test("every address leads to an endpoint, or to where clients add one", () => {
  const bases = ["", "/", "/v1", "/v1/"];
  const addresses = [...section("Settings to paste").matchAll(/http:\/\/127\.0\.0\.1:7412([\w/.-]*)/g)].map(([, path]) => path ?? "");
  expect(addresses.length).toBeGreaterThan(15);
  expect(addresses.filter((path) => !bases.includes(path) && !isPath(path))).toEqual([]);
});

test("settings in JSON and YAML are such", () => {
  const blocks = (language: string) =>
    [...page.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, "g"))].map(([, block]) => block as string);
  for (const block of blocks("json")) expect(() => JSON.parse(block)).not.toThrow();
  for (const block of blocks("yaml")) expect(parse(block)).toHaveProperty("models");
  expect(blocks("json").length + blocks("yaml").length).toBeGreaterThan(4);
});
