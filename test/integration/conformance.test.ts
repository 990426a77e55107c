// The conformance kit, played by this project's own client against a real `slipstream up`.
import { afterAll, beforeAll, expect, test } from "vitest";
import { GrpcClient } from "../../lib/grpc/client.ts";
import { anyPorts, portsOf, type Running, start } from "../support/command.ts";
import { conversation, draining, kit, replay } from "../support/conformance.ts";

let up: Running;
let client: GrpcClient;
beforeAll(async () => {
  up = await start(process.execPath, ["bin/slipstream.js", "up", "--engine", "simulated", ...anyPorts], /Ctrl-C/);
  client = new GrpcClient({ address: `127.0.0.1:${portsOf(up.out()).grpc}` });
});
afterAll(async () => {
  client?.close();
  await up?.end();
});

test("the kit has a conversation for everything that a client must know", () => {
  const all = "cancel completion drain edits errors hello hello-refused newer-stream resume resync supersede typed-ahead";
  expect([...kit].sort()).toEqual(all.split(" "));
  for (const name of kit) expect(conversation(name).about).not.toBe("");
});

test.each(kit.filter((name) => name !== draining))("%s", async (name) => {
  await replay(name, { client, run: `own-${process.pid}` });
});

test("drain", async () => {
  let ended: Promise<number | null> | undefined;
  const drain = () => {
    ended = up.end("SIGTERM");
  };
  await replay(draining, { client, run: `own-${process.pid}`, drain });
  expect(await ended).toBe(0);
});
