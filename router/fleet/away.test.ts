import { expect, test } from "vitest";
import { modelOf, workerOf } from "../../test/support/router.ts";
import { Away } from "./away.ts";

test("what an absent worker served is known by model, pool and to whoever asks for any, until it is forgotten", () => {
  const away = new Away();
  away.left("a:1", { ...workerOf("w1"), drained: false });
  expect([away.model("m")?.name, away.model("p")?.name, away.model("")?.name]).toEqual(["m", "m", "m"]);
  expect(away.lost.map(({ name }) => name)).toEqual(["w1"]);
  expect([away.model("other"), away.model("m")?.prefillTokensPerSecond]).toEqual([undefined, 0]);
  away.left("a:1", { ...workerOf("w1", { models: [modelOf({ name: "n" })] }), drained: true });
  expect([away.model("m"), away.model("n")?.name]).toEqual([undefined, "n"]);
  expect(away.lost).toEqual([]);
  away.forget("a:1");
  expect(away.model("n")).toBeUndefined();
});
