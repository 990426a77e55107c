// The conformance kit, played by this project's own client against a real `slipstream up`.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { GrpcClient } from "../../lib/grpc/client.ts";
import { anyPorts, portsOf, type Running, start } from "../support/command.ts";
import { conversation, draining, kit, replay, unhurried } from "../support/conformance.ts";
import { replayBySdk } from "../support/conformance-sdk.ts";

let up: Running;
let client: GrpcClient;
beforeAll(async () => {
  up = await start(process.execPath, ["bin/slipstream.js", "up", "--engine", "simulated", ...anyPorts], /Ctrl-C/, unhurried);
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

const own = "versions are its own";
/** What the SDK keeps its users from saying; of all else every line is played. What it does itself about a mirror that differs is in sdk-heals. */
const leftOut: Readonly<Record<string, readonly string[]>> = {
  completion: ["line 12: a report has an event"],
  edits: [`line 13: ${own}`],
  errors: [
    "line 9: refused here: edits[0]: [9999, 9999) is not in a text of 75 units",
    `line 11: ${own}`,
    "line 13: a document that is not open is no document",
    "line 15: refused here: offset: 9999 is not in a text of 75 units",
    "line 17: there is no such kind to ask for",
    "line 19: temperature cannot be asked for",
  ],
  hello: ["line 6: a session says hello once"],
  "hello-refused": [
    "line 3: a session begins with its hello",
    ...[6, 9].map((line) => `line ${line}: the protocol and the session's name are its own`),
  ],
  "newer-stream": ["line 8: a session says hello once"],
  resync: [...[7, 9, 12, 13, 15, 17].map((line) => `line ${line}: ${own}`), "line 19: a document that is not open is no document"],
};

describe("by the SDK", () => {
  // A router that has not completed these texts yet.
  let fresh: Running;
  const replayed = (name: string, drain?: () => void) =>
    replayBySdk(name, { address: `127.0.0.1:${portsOf(fresh.out()).grpc}`, run: "sdk", ...(drain ? { drain } : {}) });
  beforeAll(async () => {
    fresh = await start(process.execPath, ["bin/slipstream.js", "up", "--engine", "simulated", ...anyPorts], /Ctrl-C/, unhurried);
  });
  afterAll(async () => void (await fresh?.end()));

  test.each(kit.filter((name) => name !== draining))("%s", async (name) => {
    expect(await replayed(name)).toEqual(leftOut[name] ?? []);
  });

  test("drain", async () => {
    let ended: Promise<number | null> | undefined;
    const drain = () => {
      ended = fresh.end("SIGTERM");
    };
    expect(await replayed(draining, drain)).toEqual([]);
    expect(await ended).toBe(0);
  });
});

test("drain", async () => {
  let ended: Promise<number | null> | undefined;
  const drain = () => {
    ended = up.end("SIGTERM");
  };
  await replay(draining, { client, run: `own-${process.pid}`, drain });
  expect(await ended).toBe(0);
});
