import { expect, test } from "vitest";
import { globOf, matchesAny } from "./glob.ts";

test.each([
  [".env", ".env", true],
  [".env", "a/b/.env", true],
  [".env", "a/.env/b", false],
  [".env", "a.env", false],
  ["*.pem", "keys/a.pem", true],
  ["*.pem", "keys/a.pem.ts", false],
  ["/keys/*.pem", "keys/a.pem", true],
  ["/keys/*.pem", "/keys/a.pem", true],
  ["/keys/*.pem", "x/keys/a.pem", false],
  ["keys/*.pem", "/home/user/p/keys/a.pem", true],
  ["keys/*.pem", "keys/deep/a.pem", false],
  ["keys/**/*.pem", "keys/very/deep/a.pem", true],
  ["keys/**/*.pem", "keys/a.pem", true],
  ["secrets/", "a/secrets/b/c", true],
  ["secrets/", "a/secrets.txt", false],
  ["a?.go", "x/ab.go", true],
  ["a?.go", "x/a.go", false],
  ["**", "anything/at.all", true],
  ["a.b", "axb", false],
  ["secrets/**", "C:\\p\\secrets\\k", true],
  ["größe/*", "größe/ä", true],
])("%s matches %s: %s", (glob, path, want) => {
  expect(matchesAny(path, [globOf(glob)])).toBe(want);
});

test("a glob made to be slow ends", () => {
  const path = `${"a/".repeat(400)}${"a".repeat(200)}`;
  expect(matchesAny(path, [globOf(`${"**/a/".repeat(60)}${"*a".repeat(60)}b`)])).toBe(false);
});
