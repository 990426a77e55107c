import { expect, test } from "vitest";
import { guarded, openCall, openPort } from "./exposure.ts";

const port = (address: string, tls: boolean, asks: boolean) =>
  openPort({ setting: "GRPC_ADDRESS", address, tls, asks, remedy: "CERT and KEYS" });

test.each([
  ["127.0.0.1:1", false, false, 0],
  ["127.8.8.8:1", false, false, 0],
  ["[::1]:1", false, false, 0],
  ["LocalHost:1", false, false, 0],
  ["0.0.0.0:1", false, false, 1],
  ["[::]:1", false, false, 1],
  ["10.0.0.1:1", true, false, 1],
  ["10.0.0.1:1", false, true, 1],
  ["10.0.0.1:1", true, true, 0],
  ["127.0.0.1.example:1", false, false, 1],
  ["localhost.example:1", false, false, 1],
])("%s with TLS %s, asking %s: %i reasons against it", (address, tls, asks, reasons) => {
  expect(port(address, tls, asks)).toHaveLength(reasons);
});

test("what is open is said in one error with its remedy, and let where it is said to be wanted", () => {
  const open = [
    ...port("0.0.0.0:1", false, false),
    ...openCall({ setting: "WORKERS", address: "w:1", tls: false, remedy: "LINK_CA" }),
  ];
  expect(() => guarded(open, false)).toThrow(
    "GRPC_ADDRESS=0.0.0.0:1: other machines would reach it without TLS and without being asked who they are; set CERT and KEYS\n" +
      "WORKERS: code would travel in the clear to what is found at w:1; set LINK_CA\n" +
      "Or say --insecure, where something else guards it.",
  );
  expect([guarded(open, true), guarded([], false)]).toEqual([true, false]);
});
