import { expect, test } from "vitest";
import { z } from "zod";
import {
  address,
  addressList,
  bytes,
  choice,
  duration,
  flag,
  integer,
  readConfig,
  setting,
  text,
  unknownSettings,
} from "./config.ts";
import type { SlipstreamError } from "./errors.ts";

const schemas: Record<string, z.ZodType<unknown, string>> = {
  integer: integer(-5, 1_000),
  duration: duration(10, 3_600_000),
  bytes: bytes(1, 1 << 30),
  address,
  addressList,
  text,
  flag,
  choice: choice("auto", "always", "off"),
};

test.each([
  ["integer", "0", 0],
  ["integer", "-5", -5],
  ["integer", "1000", 1_000],
  ["integer", "007", 7],
  ["duration", "250ms", 250],
  ["duration", "250", 250],
  ["duration", "1.5s", 1_500],
  ["duration", "2m", 120_000],
  ["duration", "1h", 3_600_000],
  ["bytes", "1", 1],
  ["bytes", "64KiB", 65_536],
  ["bytes", "2MiB", 2_097_152],
  ["bytes", "1GiB", 1_073_741_824],
  ["address", "127.0.0.1:0", "127.0.0.1:0"],
  ["address", "localhost:65535", "localhost:65535"],
  ["address", "[::1]:7411", "[::1]:7411"],
  ["addressList", "", []],
  ["addressList", " a:1 , b:2,", ["a:1", "b:2"]],
  ["text", "", ""],
  ["flag", "true", true],
  ["flag", "false", false],
  ["choice", "off", "off"],
] as const)("%s takes %o", (schema, given, value) => {
  expect(readConfig({ it: setting("X", schemas[schema] as z.ZodType<unknown, string>, given, "") }, {}, "X_")).toEqual({
    it: value,
  });
});

test.each([
  ["integer", "", "is not a whole number"],
  ["integer", "1.5", "is not a whole number"],
  ["integer", "1e3", "is not a whole number"],
  ["integer", "0x10", "is not a whole number"],
  ["integer", " 1", "is not a whole number"],
  ["integer", "-6", "must be at least -5"],
  ["integer", "1001", "must be at most 1000"],
  ["integer", "99999999999999999999999", "must be at most 1000"],
  ["duration", "", "is not a duration"],
  ["duration", "5 s", "is not a duration"],
  ["duration", "1d", "is not a duration"],
  ["duration", "-1s", "is not a duration"],
  ["duration", "1.2.3s", "is not a duration"],
  ["duration", "9ms", "must be at least 10 ms"],
  ["duration", "61m", "must be at most 3600000 ms"],
  ["bytes", "1KB", "is not a size"],
  ["bytes", "1.5MiB", "is not a size"],
  ["bytes", "0", "must be at least 1 bytes"],
  ["bytes", "2GiB", "must be at most 1073741824 bytes"],
  ["address", "7411", 'is not "host:port"'],
  ["address", "localhost", 'is not "host:port"'],
  ["address", ":7411", 'is not "host:port"'],
  ["address", "::1:7411", 'is not "host:port"'],
  ["address", "a b:1", 'is not "host:port"'],
  ["address", "host:65536", "has a port above 65535"],
  ["addressList", "a:1,b", 'is not "host:port"'],
  ["flag", "yes", 'must be "true" or "false"'],
  ["flag", "TRUE", 'must be "true" or "false"'],
  ["choice", "never", "must be one of auto, always, off"],
] as const)("%s refuses %o: %s", (schema, given, problem) => {
  const read = () =>
    readConfig(
      { it: setting("SLIPSTREAM_IT", schemas[schema] as z.ZodType<unknown, string>, "", "") },
      { SLIPSTREAM_IT: given },
      "SLIPSTREAM_",
    );
  expect(read).toThrow(`SLIPSTREAM_IT=${JSON.stringify(given)}: ${problem}`);
});

test("a value that has one fault is told one", () => {
  const read = () => readConfig({ at: setting("SLIPSTREAM_AT", address, "", "") }, { SLIPSTREAM_AT: "127.0.0.1" }, "SLIPSTREAM_");
  expect(read).toThrow(/"127\.0\.0\.1": is not "host:port"$/);
});

const table = {
  port: setting("SLIPSTREAM_T_PORT", integer(0, 65_535), "7411", "Port."),
  pause: setting("SLIPSTREAM_T_PAUSE", duration(0, 1_000), "40ms", "Pause."),
  name: setting("SLIPSTREAM_T_NAME", z.string().min(1, "must not be empty"), "router", "Name."),
};

test("what the environment does not say has its default", () => {
  const config = readConfig(table, { SLIPSTREAM_T_PAUSE: "0", HOME: "/", SLIPSTREAM_OTHER: "x" }, "SLIPSTREAM_T_");
  expect(config).toEqual({ port: 7_411, pause: 0, name: "router" });
  expect(Object.isFrozen(config)).toBe(true);
});

test("every problem is told at once, unknown names with the prefix among them", () => {
  const env = { SLIPSTREAM_T_PORT: "x", SLIPSTREAM_T_NAME: "", SLIPSTREAM_T_PAUSES: "1", SLIPSTREAM_T_PAUSE: "1s" };
  let error: SlipstreamError | undefined;
  try {
    readConfig(table, env, "SLIPSTREAM_T_");
  } catch (thrown) {
    error = thrown as SlipstreamError;
  }
  expect(error).toMatchObject({ code: "config", row: { exit: 64 } });
  expect(error?.message.split("\n")).toEqual([
    "The configuration has 3 problems:",
    '  SLIPSTREAM_T_PORT="x": is not a whole number',
    '  SLIPSTREAM_T_NAME="": must not be empty',
    "  SLIPSTREAM_T_PAUSES: no such setting",
  ]);
});

test("where the environment may be of a later release, names that are not known are told and no problem", () => {
  const env = { SLIPSTREAM_UNKNOWN_SETTINGS: "ignore", SLIPSTREAM_T_PAUSES: "1", SLIPSTREAM_T_PAUSE: "0" };
  expect(readConfig(table, env, "SLIPSTREAM_T_").pause).toBe(0);
  expect(unknownSettings(table, env, "SLIPSTREAM_T_")).toEqual(["SLIPSTREAM_T_PAUSES"]);
  expect(() => readConfig(table, { ...env, SLIPSTREAM_T_PORT: "x" }, "SLIPSTREAM_T_")).toThrow("SLIPSTREAM_T_PORT");
  expect(() => readConfig(table, { SLIPSTREAM_UNKNOWN_SETTINGS: "maybe" }, "SLIPSTREAM_T_")).toThrow(
    'SLIPSTREAM_UNKNOWN_SETTINGS="maybe": must be one of refuse, ignore',
  );
});

test("one problem is one problem", () => {
  expect(() => readConfig(table, { SLIPSTREAM_T_PORT: "70000" }, "SLIPSTREAM_T_")).toThrow(/^The configuration has a problem:\n/);
});

test("a default that does not fit its own schema is a problem like any other", () => {
  expect(() => readConfig({ it: setting("X", integer(0, 1), "2", "") }, {}, "X_")).toThrow('X="2": must be at most 1');
});
