import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { KeyRing } from "../lib/keys/key-ring.ts";
import { key } from "./key.ts";

const folder = mkdtempSync(join(tmpdir(), "slipstream-key-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function run(...args: string[]) {
  const said = { out: "", complaint: "" };
  const code = await key(args, {
    env: {},
    out: (text) => {
      said.out += text;
    },
    complain: (sentence) => {
      said.complaint += sentence;
    },
    on: () => {},
  });
  return { ...said, code };
}

test("a key is shown once beside the line by which it is known", async () => {
  const { out, complaint } = await run("create", "--tenant", "acme");
  const [text = "", line = ""] = out.split("\n");
  expect(KeyRing.parse(line, "keys").find(text, 0)).toMatchObject({ tenant: "acme" });
  expect(line).not.toContain(text.slice(-48));
  expect(complaint).toMatch(/stored nowhere/);
});

test("a second key is appended to the first, in a file that its owner alone may read", async () => {
  const path = join(folder, "keys.txt");
  const first = await run("create", "--tenant", "acme", "--append", path);
  const second = await run("create", "--tenant", "acme", "--until", "2099-01-31", "--append", path);
  const admin = await run("create", "--admin", "--append", path, "--json");
  const ring = KeyRing.parse(readFileSync(path, "utf8"), path);
  for (const { out } of [first, second]) expect(ring.find(out.trim(), 0)).toMatchObject({ tenant: "acme" });
  expect(ring.find((JSON.parse(admin.out) as { key: string }).key, 0)).toMatchObject({ tenant: "@admin" });
  expect(statSync(path).mode & 0o077).toBe(0);
});

writeFileSync(join(folder, "list.txt"), "milk\nbread");
test.each([
  ["nothing", [], "create"],
  ["another verb", ["delete", "--tenant", "a"], "create"],
  ["no tenant", ["create"], "tenant"],
  ["a tenant and --admin", ["create", "--tenant", "a", "--admin"], "tenant"],
  ["an empty tenant", ["create", "--tenant", ""], "tenant"],
  ["a tenant that divides keys", ["create", "--tenant", "a/b"], "tenant"],
  ["the administrators' name as a tenant", ["create", "--tenant", "@admin"], "tenant"],
  ["a day that is none", ["create", "--tenant", "a", "--until", "tomorrow"], "until"],
  ["a file that is no key file", ["create", "--tenant", "a", "--append", join(folder, "list.txt")], "append"],
  ["a folder", ["create", "--tenant", "a", "--append", folder], "append"],
])("%s is refused by name", async (_, args, field) => {
  await expect(run(...args)).rejects.toMatchObject({ code: "invalid_request", field });
});
