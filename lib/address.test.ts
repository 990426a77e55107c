import { expect, test } from "vitest";
import { isLoopback, isLoopbackHost, parseAddress } from "./address.ts";

test.each([
  ["127.0.0.1:7411", "127.0.0.1", 7_411, true],
  ["localhost:0", "localhost", 0, true],
  ["[::1]:7411", "::1", 7_411, true],
  ["0.0.0.0:7411", "0.0.0.0", 7_411, false],
  ["[::]:7411", "::", 7_411, false],
  ["router.example:443", "router.example", 443, false],
  ["[2001:db8::1]:443", "2001:db8::1", 443, false],
  ["127.0.0.1.example:1", "127.0.0.1.example", 1, false],
])("%s is host %s, port %d, on this machine only: %s", (text, host, port, loopback) => {
  expect(parseAddress(text)).toEqual({ host, port });
  expect(isLoopback(text)).toBe(loopback);
});

test.each([
  ["127.0.0.1", true],
  ["127.0.0.1:7413", true],
  ["localhost:8080", true],
  ["[::1]:7413", true],
  ["[::1]", true],
  ["rebound.example:7413", false],
  ["127.0.0.1.rebound.example", false],
  [undefined, false],
])("a Host header %s names this machine: %s", (header, loopback) => {
  expect(isLoopbackHost(header)).toBe(loopback);
});
