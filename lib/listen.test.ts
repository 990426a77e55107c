import { expect, test } from "vitest";
import { listening } from "./listen.ts";

test("what listens is handed on", async () => {
  expect(await listening("gRPC", "127.0.0.1:1", async () => 7)).toBe(7);
});

test.each([
  [
    new Error("listen EADDRINUSE: address already in use 127.0.0.1:7411"),
    /^127\.0\.0\.1:7411 is in use: another program has the gRPC port\./,
  ],
  [new Error("listen EACCES: permission denied"), /^cannot listen on 127\.0\.0\.1:7411 for gRPC: listen EACCES/],
  ["odd", /^cannot listen on 127\.0\.0\.1:7411 for gRPC: odd$/],
])("%o becomes one sentence with its cause", async (cause, sentence) => {
  const failing = listening("gRPC", "127.0.0.1:7411", () => Promise.reject(cause));
  await expect(failing).rejects.toMatchObject({ code: "unavailable", message: expect.stringMatching(sentence), cause });
});
