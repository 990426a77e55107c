import { expect, test } from "vitest";
import { wallOf } from "../../lib/clock.ts";
import type { SlipstreamError } from "../../lib/errors.ts";
import { createKey } from "../../lib/keys/key.ts";
import { KeyRing, keyLine } from "../../lib/keys/key-ring.ts";
import { seeded } from "../../lib/random.ts";
import { Identity } from "./identity.ts";

const thrownBy = (act: () => unknown): SlipstreamError => {
  try {
    act();
  } catch (thrown) {
    return thrown as SlipstreamError;
  }
  throw new Error("nothing was thrown");
};

const random = seeded(1);
const [acme, next, beta] = [createKey(random), createKey(random), createKey(random)];
const [admin, ended, stranger] = [createKey(random), createKey(random), createKey(random)];
const wall = wallOf("2026-11-26");
const file = [
  keyLine("acme", acme),
  keyLine("acme", next),
  keyLine("beta", beta),
  keyLine("@admin", admin),
  keyLine("beta", ended, "2026-11-25"),
];
let ring = KeyRing.parse(file.join("\n"), "keys");
const identity = new Identity({ clock: { wall: () => wall }, keys: () => ring });
const headers = (given: Record<string, string>) => (name: string) => given[name];

test("without a key ring everyone is the default tenant, whatever they bring", () => {
  const open = new Identity({ clock: { wall: () => wall } });
  expect(open.tenant(() => undefined)).toBe("default");
  expect(open.tenant(headers({ authorization: "Bearer anything" }))).toBe("default");
});

test.each([
  ["a bearer", { authorization: `Bearer ${acme.text}` }, "acme"],
  ["a bearer in small letters", { authorization: `bearer ${acme.text}` }, "acme"],
  ["a tenant's second key", { authorization: `Bearer ${next.text}` }, "acme"],
  ["x-api-key", { "x-api-key": beta.text }, "beta"],
  ["api-key", { "api-key": beta.text }, "beta"],
  [
    "x-api-key beside a bearer without a key, as some clients send it",
    { authorization: "Bearer ", "x-api-key": beta.text },
    "beta",
  ],
  ["a bearer before x-api-key", { authorization: `Bearer ${acme.text}`, "x-api-key": beta.text }, "acme"],
])("%s says the tenant", (_, given, tenant) => {
  expect(identity.tenant(headers(given))).toBe(tenant);
});

const cut = acme.text.slice(0, -1);
test.each([
  ["nothing", {}, "unauthenticated", /is required/],
  ["an empty header", { authorization: "" }, "unauthenticated", /is required/],
  ["a bearer without a key", { authorization: "Bearer " }, "unauthenticated", /is required/],
  ["empty headers of all kinds", { authorization: "", "x-api-key": " ", "api-key": "" }, "unauthenticated", /is required/],
  ["another scheme", { authorization: `Basic ${acme.text}` }, "unauthenticated", /is not "Bearer KEY"/],
  [
    "another scheme beside a good key",
    { authorization: `Basic ${acme.text}`, "x-api-key": beta.text },
    "unauthenticated",
    /is not "Bearer KEY"/,
  ],
  ["a key without its scheme", { authorization: acme.text }, "unauthenticated", /is not "Bearer KEY"/],
  ["a key with more behind it", { authorization: `Bearer ${acme.text} more` }, "unauthenticated", /is not "Bearer KEY"/],
  ["a key that nobody has", { authorization: `Bearer ${stranger.text}` }, "unauthenticated", /unknown API key/],
  [
    "a key that nobody has beside a good one",
    { authorization: `Bearer ${stranger.text}`, "x-api-key": beta.text },
    "unauthenticated",
    /unknown/,
  ],
  ["a key that lost its end", { authorization: `Bearer ${cut}` }, "unauthenticated", /unknown API key/],
  ["a key of another kind", { "x-api-key": "sk-1234567890abcdef" }, "unauthenticated", /unknown API key/],
  ["a header of ten thousand letters", { "api-key": "a".repeat(10_000) }, "unauthenticated", /unknown API key/],
  ["a key that has ended", { authorization: `Bearer ${ended.text}` }, "unauthenticated", /has ended/],
  ["an administrator's key", { authorization: `Bearer ${admin.text}` }, "permission_denied", /admin port/],
])("%s is refused with the header's name and without the key", (_, given, code, says) => {
  const error = thrownBy(() => identity.tenant(headers(given)));
  expect([error.code, error.field]).toEqual([code, "authorization"]);
  expect(error.message).toMatch(says);
  for (const key of [acme, beta, admin, ended, stranger]) expect(error.message).not.toContain(key.text.slice(-40));
  expect(error.message.length).toBeLessThan(200);
});

test("a key is changed without an outage: first both are good, then the new one alone", () => {
  const told = (key: { text: string }) => {
    try {
      return identity.tenant(headers({ "api-key": key.text }));
    } catch {
      return "refused";
    }
  };
  ring = KeyRing.parse(keyLine("acme", acme), "keys");
  expect([told(acme), told(next)]).toEqual(["acme", "refused"]);
  ring = KeyRing.parse(`${keyLine("acme", acme)}\n${keyLine("acme", next)}`, "keys");
  expect([told(acme), told(next)]).toEqual(["acme", "acme"]);
  ring = KeyRing.parse(keyLine("acme", next), "keys");
  expect([told(acme), told(next)]).toEqual(["refused", "acme"]);
});
