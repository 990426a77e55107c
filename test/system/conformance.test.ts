// The conformance kit, played by a client that is not ours: Python's grpcio, with stubs that its own protoc makes of proto/.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { root, run } from "../../tools/child.ts";
import { findTool } from "../../tools/toolbox.ts";
import { anyPorts, portsOf, type Running, start } from "../support/command.ts";
import { draining, kit, kitFolder, unhurried } from "../support/conformance.ts";

const grpcio = findTool("grpcio");

describe.skipIf(grpcio.path === undefined)("grpcio", () => {
  let up: Running;
  let stubs = "";

  beforeAll(async () => {
    stubs = mkdtempSync(join(tmpdir(), "slipstream-stubs-"));
    const proto = join(root, "proto");
    const out = [`--python_out=${stubs}`, `--grpc_python_out=${stubs}`];
    const file = join(proto, "slipstream/v1/completion.proto");
    const made = await run([grpcio.path as string, "-m", "grpc_tools.protoc", `-I${proto}`, ...out, file]);
    expect(made.code, made.output).toBe(0);
    up = await start(process.execPath, ["bin/slipstream.js", "up", "--engine", "simulated", ...anyPorts], /Ctrl-C/, unhurried);
  });

  afterAll(async () => {
    await up?.end();
    rmSync(stubs, { recursive: true, force: true });
  });

  /** Plays conversations; the router is asked to end where one says so. */
  const play = (names: readonly string[], drain: () => void = () => {}) =>
    new Promise<{ code: number | null; out: string }>((resolve, reject) => {
      const address = `127.0.0.1:${portsOf(up.out()).grpc}`;
      const program = join(root, "test/system/conformance/replay.py");
      const child = spawn(grpcio.path as string, [program, address, kitFolder, stubs, `python-${process.pid}`, ...names]);
      let out = "";
      const read = (data: Buffer) => {
        out += data;
        if (/^drain$/m.test(String(data))) drain();
      };
      child.stdout.on("data", read);
      child.stderr.on("data", read);
      child.on("error", reject);
      child.on("close", (code) => resolve({ code, out }));
    });

  test("plays every conversation as it is written down", async () => {
    const names = kit.filter((name) => name !== draining);
    const { code, out } = await play(names);
    expect(out.trim().split("\n")).toEqual(names.map((name) => `ok ${name}`));
    expect(code).toBe(0);
  });

  test("the example of Python alone completes code", async () => {
    const example = join(root, "docs/examples/complete.py");
    const env = { PYTHONPATH: stubs };
    const { code, output, stdout } = await run([grpcio.path as string, example, `127.0.0.1:${portsOf(up.out()).grpc}`], { env });
    expect(code, output).toBe(0);
    expect(stdout).toMatch(/^(.+)\n+'.+' in \d+ ms\n$/s);
  });

  test("is told of a drain, served on and let go", async () => {
    let ended: Promise<number | null> | undefined;
    const { out } = await play([draining], () => {
      ended = up.end("SIGTERM");
    });
    expect(out.trim().split("\n")).toEqual(["drain", "ok drain"]);
    expect(await ended).toBe(0);
  });
});
