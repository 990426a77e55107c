// A client that knows nothing of this project but what the server tells about itself by reflection.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { run } from "../../tools/child.ts";
import { findTool } from "../../tools/toolbox.ts";
import { anyPorts, portsOf, type Running, start } from "../support/command.ts";

const grpcurl = findTool("grpcurl");

describe.skipIf(grpcurl.path === undefined)("grpcurl", () => {
  let server: Running;
  let address = "";

  beforeAll(async () => {
    server = await start(process.execPath, ["bin/slipstream.js", "up", ...anyPorts], /ready/);
    address = `127.0.0.1:${portsOf(server.out()).grpc}`;
  });

  afterAll(async () => {
    expect(await server.end()).toBe(0);
  });

  const ask = (...words: string[]) => run([grpcurl.path as string, "-plaintext", ...words]);
  const call = (method: string, message: object) => ask("-d", JSON.stringify(message), address, method);

  test("lists the services it finds by reflection", async () => {
    const { code, stdout } = await ask(address, "list");
    expect(code).toBe(0);
    expect(stdout.split("\n")).toEqual(expect.arrayContaining(["slipstream.v1.CompletionService", "grpc.health.v1.Health"]));
  });

  test("describes a message with its fields", async () => {
    const { stdout } = await ask(address, "describe", "slipstream.v1.CompleteRequest");
    expect(stdout).toContain("string prefix = 2;");
  });

  test("finds the router serving", async () => {
    expect(JSON.parse((await call("grpc.health.v1.Health/Check", {})).stdout)).toEqual({ status: "SERVING" });
  });

  test("has code completed by the built-in model", async () => {
    const prefix = "def add(a, b):\n    return ";
    const request = { prefix, suffix: "\n", path: "add.py", language: "python", kind: "TRIGGER_KIND_INVOKED", deadlineMs: 10_000 };
    const { code, stdout, output } = await call("slipstream.v1.CompletionService/Complete", request);
    expect(code, output).toBe(0);
    const answer = JSON.parse(stdout) as { completion?: { items: { insertText: string }[]; outcome: string } };
    expect(answer.completion?.outcome).toBe("OUTCOME_GENERATED");
    expect(answer.completion?.items[0]?.insertText).toMatch(/\S/);
  });

  test("is told by name which field is wrong", async () => {
    const { code, output } = await call("slipstream.v1.CompletionService/Complete", { prefix: "a", sampling: { temperature: 9 } });
    // grpcurl ends with 64 + the status: INVALID_ARGUMENT is 3.
    expect(code).toBe(67);
    expect(output).toContain("sampling.temperature");
  });
});
