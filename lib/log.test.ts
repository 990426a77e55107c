import { expect, test } from "vitest";
import { SlipstreamError } from "./errors.ts";
import { createLog, type Log, levels, silentLog } from "./log.ts";

function logged(write: (log: Log) => void, level: (typeof levels)[number] = "debug"): Record<string, unknown>[] {
  const lines: string[] = [];
  write(createLog({ process: "router", level }, { write: (line) => lines.push(line) }));
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

test("a line is JSON with time, level, process, the fields and the sentence", () => {
  const [line] = logged((log) => log.info({ pool: "inline" }, "ready"));
  expect(line).toMatchObject({ level: 30, process: "router", pool: "inline", msg: "ready" });
  expect(line?.["time"]).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
});

test.each(["prefix", "suffix", "text", "prompt", "segments", "snippets", "insertText", "content", "messages"])(
  "%s never enters a line, whatever holds it",
  (field) => {
    const secret = "const password = 'hunter2'";
    const it = { [field]: secret };
    const lines = logged((log) => {
      log.info(it, "top");
      log.info({ request: it }, "one down");
      log.info({ call: { request: it } }, "two down");
      log.info({ list: [it, it] }, "in a list");
      log.info({ call: { list: [{ request: it }] } }, "deep in a list");
      log.info({ a: { b: { c: { d: { e: { f: it } } } } } }, "deep");
      log.child(it).info("child");
      log.child({ request: it }).warn("child's object");
      log
        .child({ a: 1 })
        .child({ request: [it] })
        .warn({ it }, "grandchild");
      log.info({ bytes: Buffer.from(secret), view: new TextEncoder().encode(secret) }, "as bytes");
      log.error({ err: Object.assign(new Error("failed"), it) }, "on an error");
      log.error(
        { err: new SlipstreamError("internal", "x", { cause: Object.assign(new Error("y"), { request: it }) }) },
        "on a cause",
      );
    });
    expect(lines).toHaveLength(12);
    expect(JSON.stringify(lines)).not.toContain("hunter2");
  },
);

test("what is not named like code stays, and the logged object is left as it was", () => {
  const fields = { request: { text: "code", offset: 3, language: "go" }, tokens: [1, 2] };
  const [line] = logged((log) => log.debug(fields, "kept"));
  expect(line).toMatchObject({ request: { offset: 3, language: "go" }, tokens: [1, 2] });
  expect(fields.request.text).toBe("code");
});

test("a line stays readable: no endless depth, no endless lists", () => {
  let deep: Record<string, unknown> = {};
  for (let i = 0; i < 1_000; i++) deep = { deep };
  const [line] = logged((log) => log.info({ deep, list: new Array(10_000).fill(1), at: { toJSON: () => "a date" } }, "big"));
  expect(JSON.stringify(line).length).toBeLessThan(600);
  expect(line?.["at"]).toBe("a date");
});

test("an error is logged with its message, stack and code", () => {
  const [line] = logged((log) => log.error({ err: new SlipstreamError("worker_lost", "gone") }, "failed"));
  expect(line?.["err"]).toMatchObject({ message: "gone", code: "worker_lost", stack: expect.stringContaining("gone") });
});

test("what cannot be written as JSON does not end the process", () => {
  const round: Record<string, unknown> = { big: 1n };
  round["self"] = round;
  const lines = logged((log) => log.info({ round }, "round"));
  expect(lines).toHaveLength(1);
});

test.each(levels)("at level %s nothing below it is said", (level) => {
  const said = logged((log) => {
    for (const each of ["fatal", "error", "warn", "info", "debug"] as const) log[each]({}, each);
  }, level).map((line) => line["msg"]);
  expect(said).toEqual(level === "silent" ? [] : levels.slice(0, levels.indexOf(level) + 1));
});

test("the silent log says nothing and has children", () => {
  silentLog.child({ a: 1 }).fatal("nothing");
});

test("an API key loses its secret, wherever it stands in a field", () => {
  const key = `slp_0123456789ab_${"7".repeat(48)}`;
  const lines = logged((log) => {
    log.info({ authorization: `Bearer ${key}`, list: [{ header: key }] }, "fields");
    log.error({ err: new Error(`said ${key}`) }, "an error and its stack");
  });
  expect(JSON.stringify(lines)).not.toContain("7777");
  expect(lines[0]).toMatchObject({ authorization: "Bearer slp_0123456789ab_…" });
});
