import { expect, test } from "vitest";
import { secretIn } from "./secrets.ts";

const letters = "aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0eF3hI6kL9n";

// Put together here, so that no scanner of this repository takes them for real.
test.each<[name: string, text: string]>([
  ["a private key", `-----BEGIN ${"PRIVATE"} KEY-----\nMII`],
  ["a private key", `-----BEGIN PGP ${"PRIVATE"} KEY BLOCK-----`],
  ["an AWS access key", `id = AKIA${"ABCDEFGH12345678"}`],
  ["a GitHub token", `ghp_${letters}`],
  ["a GitHub token", `github_pat_${letters}${letters}`],
  ["a GitLab token", `glpat-${letters.slice(0, 20)}`],
  ["a Slack token", `xoxb-${"123456789012"}-abc`],
  ["a Stripe key", `sk_live_${letters.slice(0, 24)}`],
  ["a Google API key", `AIza${letters.slice(0, 35)}`],
  ["an npm token", `npm_${letters.slice(0, 36)}`],
  ["an API key in the form sk-…", `sk-${letters}`],
  ["a JSON web token", `eyJ${letters.slice(0, 20)}.eyJ${letters.slice(0, 20)}.${letters}`],
  ["a password in an address", `postgres://app:${"s3cr3tpass"}@db.internal/app`],
  ["a value under a telling name", `const dbPassword = "${letters.slice(0, 14)}";`],
  ["a value under a telling name", `{ "client_secret": "${letters.slice(0, 20)}" }`],
  ["a value under a telling name", `API_KEY='${letters.slice(0, 16)}'`],
])("%s is found", (name, text) => {
  expect(secretIn(`let a = 1;\n${text}\nlet b = 2;`)).toBe(name);
});

test.each([
  ["code that reads a password", "const password = readFileSync(path, 'utf8').trim();"],
  ["a name that is no value", 'const tokenHeader = "authorization";'],
  ["a template", `const token = "Bearer \${value}0000000";`],
  ["a hash", "sha256: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
  ["an address without a password", "http://user@example.com:8080/path"],
  ["an address with a port", "https://example.com:8443/a@b"],
  ["an address whose password is a variable", `postgres://app:\${PASSWORD}@db/app`],
  ["tokens of a parser", 'if (token === "identifier1") return parsePassword(tokens);'],
  ["a public key", "-----BEGIN PUBLIC KEY-----"],
])("%s is none", (_, text) => {
  expect(secretIn(text)).toBeUndefined();
});

test("a text made to be slow ends", () => {
  for (const part of ["token=", "secret-", "a://b:", "eyJa.", "-----BEGIN ", "password='aaaa"])
    expect(secretIn(part.repeat(4_000))).toBeUndefined();
});
