import { expect, test } from "vitest";
import { systemClock } from "../../lib/clock.ts";
import { FakeApiserver } from "../../test/support/fake-apiserver.ts";
import { Connection, connectionDefaults } from "./connection.ts";

test("a connection that is dropped in the moment of a call is an apiserver that cannot be reached, not a mistake of ours", async () => {
  await using server = await FakeApiserver.start();
  const connection = new Connection(connectionDefaults, { target: server.target(), clock: systemClock });
  const ask = () => connection.ask({ method: "GET", path: "/api/v1/configmaps" }, new AbortController().signal);
  try {
    (await ask()).stream.resume();
    // Every turn until the call is sent is one in which somebody else may drop it.
    for (let turns = 0; turns < 12; turns++) {
      const asked = ask();
      for (let turn = 0; turn < turns; turn++) await Promise.resolve();
      connection.drop();
      const became = await asked.then(
        ({ stream }) => stream.resume() && "answered",
        (error) => error.code,
      );
      expect(["answered", "unavailable"], `after ${turns} turns`).toContain(became);
    }
  } finally {
    connection.close();
  }
});
