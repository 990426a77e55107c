// The command line as a person meets it: help, mistakes, ports in use, models that are none, Ctrl-C.
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { packageRoot } from "../../lib/package-root.ts";
import { anyPorts, portsOf, type Running, slipstream, start } from "../support/command.ts";

const folder = mkdtempSync(join(tmpdir(), "slipstream-cli-"));
const model = join(packageRoot(), "models/slipstream-fim-13m-q8_0.gguf");
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("a mistake is one sentence and an exit code", () => {
  const source = join(folder, "a.ts");
  writeFileSync(source, "const a = 1;\nconst b = 2;\n");
  const binary = join(folder, "binary.ts");
  writeFileSync(binary, Buffer.from([0xff, 0xfe, 0x00, 0xc3, 0x28]));
  const text = join(folder, "text.gguf");
  writeFileSync(text, "this is no model");
  const truncated = join(folder, "truncated.gguf");
  writeFileSync(truncated, readFileSync(model));
  truncateSync(truncated, 200_000);
  const cases: readonly (readonly [string[], number, RegExp])[] = [
    [[], 64, /Usage: slipstream/],
    [["serve"], 64, /no command "serve"/],
    [["complete"], 64, /one FILE:LINE:COL/],
    [["complete", "a.ts"], 64, /not FILE:LINE:COL/],
    [["complete", `${folder}/none.ts:1:1`], 66, /no such file/],
    [["complete", `${source}:9:1`], 64, /has 3 lines, not 9/],
    [["complete", `${source}:1:99`], 64, /the last place for the cursor is 13/],
    [["complete", `${source}:0:1`], 64, /start at 1/],
    [["complete", `${binary}:1:1`], 64, /UTF-8/],
    [["complete", `${folder}:1:1`], 64, /not a file/],
    [["complete", `${source}:1:1`, "--deadline", "soon"], 64, /--deadline: "soon"/],
    [["complete", `${source}:1:1`, "--speculation", "never"], 64, /--speculation: "never" is none of/],
    [["complete", `${source}:1:1`, "--frobnicate"], 64, /frobnicate/],
    [["complete", `${source}:1:1`, "--address", "127.0.0.1:1"], 69, /no router at 127\.0\.0\.1:1/],
    [["status", "--address", "127.0.0.1:1"], 69, /no router's admin port/],
    [["explain", "--address", "127.0.0.1:1"], 69, /no router's admin port/],
    [["explain", "a", "b"], 64, /one id/],
    [["drain", "--address", "127.0.0.1:1"], 69, /no admin port at 127\.0\.0\.1:1/],
    [["drain", "--leave", "soon"], 64, /--leave: "soon"/],
    [["drain", "--deadline", "0"], 64, /--deadline: "0"/],
    [["drain", "router-1"], 64, /"router-1" is not an option/],
    [["drain", "--pod", "a/b/c"], 64, /--pod: "a\/b\/c" is not NAMESPACE\/NAME/],
    [["explain", "--last", "0"], 64, /--last: "0"/],
    [["trace", "play"], 64, /generate, inspect, play or record/],
    [["trace", "inspect", source], 64, /a\.ts: line 1/],
    [["complete", `${source}:1:1`, "--address", "127.0.0.1"], 64, /--address: "127\.0\.0\.1" is not HOST:PORT/],
    [["bench", "engine", "--threads", "0"], 64, /--threads: "0" is not a whole number between 1 and 256/],
    [["bench", "everything"], 64, /no bench "everything"; there are: cancel/],
    [["router", "now"], 64, /"now" is not an option/],
    [["up", "--grpc", "0.0.0.0:7411"], 64, /SLIPSTREAM_ROUTER_GRPC_ADDRESS=0\.0\.0\.0:7411: other machines would reach it/],
    [["up", "--grpc", "nowhere"], 64, /SLIPSTREAM_ROUTER_GRPC_ADDRESS.*not "host:port"/s],
    [["up", "--engine", "magic"], 64, /SLIPSTREAM_WORKER_ENGINE/],
    [["up", "--threads", "0"], 64, /--threads: "0" is not a whole number between 1 and 256/],
    // Said before the model is looked for.
    [["up", "--grpc", "0.0.0.0:0", "--model", join(folder, "none.gguf")], 64, /other machines would reach it/],
    [["trace", "play", source, "--address", "127.0.0.1:1"], 69, /no router at 127\.0\.0\.1:1/],
    [["up", ...anyPorts, "--model", join(folder, "none.gguf")], 65, /none\.gguf/],
    [["up", ...anyPorts, "--model", text], 65, /text\.gguf/],
    [["up", ...anyPorts, "--model", truncated], 65, /truncated\.gguf/],
  ];
  for (const [args, code, says] of cases)
    test(`slipstream ${args.join(" ").replaceAll(folder, "DIR")}`, async () => {
      const ran = await slipstream(args);
      expect(ran.code, ran.err).toBe(code);
      expect(ran.out + ran.err).toMatch(says);
      expect(ran.err, "no stack for a person's mistake").not.toMatch(/^\s+at /m);
    });
});

test("whoever has no cluster is told where the doctor looks at this machine", async () => {
  const { code, err } = await slipstream(["doctor"], { env: { HOME: folder, KUBECONFIG: "" } });
  expect([code, err]).toEqual([64, expect.stringMatching(/there is no such file; "npx slipstream doctor --up" looks at/)]);
});

test("every command has help with examples", async () => {
  for (const command of ["up", "router", "worker", "complete", "status", "drain", "explain", "trace", "bench", "eval", "key"]) {
    const { code, out } = await slipstream([command, "--help"]);
    expect({ command, code }).toEqual({ command, code: 0 });
    expect(out).toMatch(/Example/);
  }
});

test("a port in use is said in a sentence, and nothing is left running", async () => {
  const taken = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => taken.once("listening", resolve));
  const { port } = taken.address() as { port: number };
  const { code, err } = await slipstream(["up", ...anyPorts, "--http", `127.0.0.1:${port}`]);
  taken.close();
  expect(code).toBe(69);
  expect(err).toMatch(`127.0.0.1:${port} is in use`);
});

describe("slipstream up", () => {
  let up: Running;
  let ports: ReturnType<typeof portsOf>;
  beforeAll(async () => {
    up = await start(process.execPath, ["bin/slipstream.js", "up", ...anyPorts], /Ctrl-C/);
    ports = portsOf(up.out());
  });
  afterAll(async () => void (await up?.end("SIGTERM")));

  test("completes real code with the built-in model and says what it cost", async () => {
    const ran = await slipstream(["complete", "docs/examples/basket.ts:19:12", "--json", "--address", `127.0.0.1:${ports.grpc}`]);
    expect(ran.code, ran.err).toBe(0);
    const answer = JSON.parse(ran.out) as Record<string, unknown>;
    expect(Object.keys(answer)).toEqual([
      "text",
      "outcome",
      "reason",
      "detail",
      "finish",
      "first_text_ms",
      "total_ms",
      "prompt_tokens",
      "cached_tokens",
      "recomputed_tokens",
      "drafted",
      "draft_accepted",
      "model",
      "worker",
      "trigger",
    ]);
    expect(answer).toMatchObject({ outcome: "generated", model: "slipstream-fim-13m" });
    expect(answer["prompt_tokens"]).toBeGreaterThan(50);
    expect(String(answer["text"])).not.toBe("");
  });

  test("explains the completion that it printed, step by step", async () => {
    const at = ["--address", `127.0.0.1:${ports.grpc}`];
    const { err } = await slipstream(["complete", "docs/examples/basket.ts:17:19", ...at]);
    const [, id = "none"] = /explain: npx slipstream explain (\S+)/.exec(err) ?? [];
    const admin = ["--address", `127.0.0.1:${ports.admin}`];
    const told = await slipstream(["explain", id, ...admin]);
    expect(told.code, told.err).toBe(0);
    expect(told.out).toMatch(new RegExp(`^trigger ${id} · (?:generated|empty)`));
    for (const room of ["gate", "context", "prompt", "cache", "queue", "schedule", "dispatch", "stream", "feedback"])
      expect(told.out).toMatch(new RegExp(`ms  ${room} `));
    const list = await slipstream(["explain", "--last", "5", ...admin, "--json"]);
    const { triggers } = JSON.parse(list.out) as { triggers: { trigger: string; outcome: string }[] };
    expect(triggers).toContainEqual(expect.objectContaining({ trigger: id }));
    const none = await slipstream(["explain", "nobody", ...admin]);
    expect([none.code, none.err]).toEqual([66, expect.stringContaining('no trigger "nobody"')]);
  });

  const otherPort: readonly (readonly [string[], "http" | "admin" | "grpc", RegExp])[] = [
    [["status"], "http", /is no router's admin port \(7413/],
    [["explain", "--last", "2"], "http", /is no router's admin port \(7413/],
    [["status"], "grpc", /not be a router's admin port \(7413/],
    [["complete", "docs/examples/basket.ts:19:12"], "http", /not be the router's gRPC port \(7411/],
  ];
  test.each(otherPort)("%o told the %s port says which one is meant", async (args, port, says) => {
    const ran = await slipstream([...args, "--address", `127.0.0.1:${ports[port]}`]);
    expect([ran.code, ran.err]).toEqual([69, expect.stringMatching(says)]);
    expect(ran.err).not.toMatch(/^\s+at /m);
  });

  test("admin says alive, ready and its metrics", async () => {
    const get = (path: string) => fetch(`http://127.0.0.1:${ports.admin}${path}`);
    expect((await get("/healthz")).status).toBe(200);
    expect(await (await get("/readyz")).json()).toEqual({ status: "ready", missing: [] });
    expect(await (await get("/metrics")).text()).toMatch(/slipstream_router_outcomes_total\{/);
  });

  test("Ctrl-C drains and ends with 0, and its engine goes with it", async () => {
    const began = performance.now();
    expect(await up.end("SIGINT")).toBe(0);
    expect(performance.now() - began).toBeLessThan(10_000);
    await expect(fetch(`http://127.0.0.1:${ports.admin}/healthz`)).rejects.toThrow();
  });
});
