// A person's session through the recorder: the router answers as without it, and the trace holds nothing of their code.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, expect, test } from "vitest";
import { anyPorts, portsOf, slipstream, start } from "../support/command.ts";

const folder = mkdtempSync(join(tmpdir(), "slipstream-record-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const own = (...args: string[]) => ["bin/slipstream.js", ...args];

test("what is typed through the recorder is answered, and becomes a trace without a word of the code", {
  timeout: 90_000,
}, async () => {
  await using up = await start(process.execPath, own("up", "--engine", "simulated", ...anyPorts), /admin\s/);
  const out = join(folder, "recorded");
  const router = `127.0.0.1:${portsOf(up.out()).grpc}`;
  const recorder = await start(
    process.execPath,
    own("trace", "record", "--listen", "127.0.0.1:0", "--address", router, "--out", out),
    /recording: editors connect to/,
  );
  const address = /connect to (127\.0\.0\.1:\d+)/.exec(recorder.out())?.[1] ?? "";
  const played = await slipstream([
    "trace",
    "play",
    "router/pipeline.ts",
    "--keys",
    "40",
    "--speed",
    "20",
    "--json",
    "--address",
    address,
  ]);
  expect(played.code, played.err).toBe(0);
  expect(JSON.parse(played.out)).toMatchObject({ triggers: 40, answered: 40, exactly_one_outcome: true });
  expect(await recorder.end("SIGINT"), recorder.out()).toBe(0);
  const [name = ""] = readdirSync(out);
  const inspected = await slipstream(["trace", "inspect", join(out, name), "--json"]);
  expect(JSON.parse(inspected.out)).toMatchObject({ source: "recorded", triggers: { auto: 40 }, edits: { typed: 40 } });
  const text = gunzipSync(readFileSync(join(out, name))).toString();
  expect(text).not.toMatch(/pipeline|trigger[A-Z]|Superseded|settle|dispatch/);
  const again = await slipstream(["trace", "play", join(out, name), "--speed", "20", "--address", router]);
  expect(again.code, again.err).toBe(0);
});
