import { expect, test } from "vitest";
import type { SlipstreamError } from "../../lib/errors.ts";
import { Identity } from "./identity.ts";

const thrownBy = (act: () => unknown): SlipstreamError => {
  try {
    act();
  } catch (thrown) {
    return thrown as SlipstreamError;
  }
  throw new Error("nothing was thrown");
};

test("without tokens everyone is the default tenant, whatever they bring", () => {
  const identity = new Identity({ tokens: "" });
  expect(identity.tenant(undefined)).toBe("default");
  expect(identity.tenant("Bearer anything")).toBe("default");
});

const tokens = "acme=secret, beta=c2VjcmV0LTI==,beta=other";

test.each([
  ["Bearer secret", "acme"],
  ["bearer secret", "acme"],
  ["Bearer c2VjcmV0LTI==", "beta"],
  ["Bearer other", "beta"],
])("%s is the token of %s", (authorization, tenant) => {
  expect(new Identity({ tokens }).tenant(authorization)).toBe(tenant);
});

test.each([
  ["nothing", undefined],
  ["an empty header", ""],
  ["another scheme", "Basic secret"],
  ["a token without its scheme", "secret"],
  ["no token", "Bearer "],
  ["an unknown token", "Bearer wrong"],
  ["a token that lost its padding", "Bearer c2VjcmV0LTI"],
  ["a token with more behind it", "Bearer secret more"],
  ["a tenant and its token", "Bearer acme=secret"],
])("%s is refused with the header's name and without the token", (_, authorization) => {
  const error = thrownBy(() => new Identity({ tokens }).tenant(authorization));
  expect([error.code, error.field]).toEqual(["unauthenticated", "authorization"]);
  expect(error.message).not.toMatch(/secret|wrong|c2Vj/);
});

test.each([
  ["no token", "acme="],
  ["no tenant", "=secret"],
  ["a word alone", "secret"],
  ["a tenant with a slash, which divides keys", "a/b=secret"],
  ["a token with a space, which no header could bring", "acme=a b"],
  ["one token for two tenants", "acme=secret,beta=secret"],
])("a setting with %s is refused without the token", (_, setting) => {
  const error = thrownBy(() => new Identity({ tokens: setting }));
  expect(error.code).toBe("config");
  expect(error.message).toContain("SLIPSTREAM_ROUTER_TOKENS");
  expect(error.message).not.toContain("secret");
});
