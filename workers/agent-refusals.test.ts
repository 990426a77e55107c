// What a router may not say to the agent, and what happens when it does.
import { expect, test } from "vitest";
import { Lane } from "../proto/gen/slipstream/v1/worker_pb.ts";
import { code, idle, RouterEnd, type Wish, worker } from "./router-end.fake.ts";

test.each([
  ["an unknown model", { model: "gpt" }, "not_found", "submit.model"],
  ["no lane", { lane: Lane.UNSPECIFIED }, "invalid_request", "submit.lane"],
  ["a lane of the future", { lane: 17 as Lane }, "invalid_request", "submit.lane"],
  ["no segments", { segments: [] }, "invalid_request", "submit.segments"],
  ["an empty segment", { segments: [{}] }, "invalid_request", "submit.segments[0]"],
  ["segments without text", { segments: [{ part: { case: "text", value: "" } }] }, "invalid_request", "submit.segments"],
  ["an unknown special token", { segments: [{ part: { case: "special", value: "<|im_start|>" } }] }, "invalid_request", "special"],
  ["a prompt over the bytes", { text: "x".repeat(300_000) }, "invalid_request", "submit.segments"],
  ["a prompt over the context", { text: code.repeat(2_000) }, "invalid_request", "submit.segments"],
  [
    "too many segments",
    { segments: Array(300).fill({ part: { case: "text", value: "x" } }) },
    "invalid_request",
    "submit.segments",
  ],
  ["no tokens wanted", { sampling: { maxTokens: 0 } }, "invalid_request", "submit.sampling.max_tokens"],
  ["too many tokens", { sampling: { maxTokens: 100_000 } }, "invalid_request", "submit.sampling.max_tokens"],
  ["a temperature of 3", { sampling: { temperature: 3 } }, "invalid_request", "submit.sampling.temperature"],
  ["a temperature that is no number", { sampling: { temperature: Number.NaN } }, "invalid_request", "submit.sampling.temperature"],
  ["top_p 0", { sampling: { topP: 0 } }, "invalid_request", "submit.sampling.top_p"],
  ["an empty stop", { sampling: { stop: [""] } }, "invalid_request", "submit.sampling.stop[0]"],
  ["nine stops", { sampling: { stop: Array(9).fill("x") } }, "invalid_request", "submit.sampling.stop"],
  ["a stop of 65 bytes", { sampling: { stop: ["x".repeat(65)] } }, "invalid_request", "submit.sampling.stop[0]"],
  ["speculation of the future", { sampling: { speculation: 9 } }, "invalid_request", "submit.sampling.speculation"],
  ["a deadline of an hour", { deadlineMs: 3_600_000 }, "invalid_request", "submit.deadline_ms"],
  ["digests cut short", { blockDigests: new Uint8Array(7) }, "invalid_request", "submit.block_digests"],
  ["digests without end", { blockDigests: new Uint8Array(80_000) }, "invalid_request", "submit.block_digests"],
  ["a salt of a kilobyte", { cacheSalt: "x".repeat(1_024) }, "invalid_request", "submit.cache_salt"],
  ["a draft of 100", { draftDepthHint: 100 }, "invalid_request", "submit.draft_depth_hint"],
] as const)("%s is refused by name and the stream lives", async (_what, wish, code_, field) => {
  const { clock, engine, connect } = worker();
  const router = connect();
  await clock.advance(0);
  router.submit(1n, wish as Wish);
  router.submit(2n);
  await clock.advance(1_000);
  expect(router.all("refused")).toMatchObject([{ id: 1n, code: code_, retryable: false }]);
  expect(router.all("refused")[0]?.detail).toContain(field);
  expect(router.all("done", 2n).length).toBe(1);
  expect(engine.load()).toMatchObject(idle);
});

test.each([
  ["no hello", { case: "cancel", value: { id: 1n } }, "invalid_request", "hello"],
  ["an empty frame first", { case: undefined }, "invalid_request", "hello"],
  [
    "a router of the future",
    { case: "hello", value: { protocolMin: 2, protocolMax: 3, router: "r", channel: 1 } },
    "protocol",
    "2 to 3",
  ],
  [
    "a router of the past",
    { case: "hello", value: { protocolMin: 0, protocolMax: 0, router: "r", channel: 1 } },
    "protocol",
    "0 to 0",
  ],
  [
    "versions upside down",
    { case: "hello", value: { protocolMin: 2, protocolMax: 1, router: "r", channel: 1 } },
    "invalid_request",
    "protocol_min",
  ],
  [
    "a router without a name",
    { case: "hello", value: { protocolMin: 1, protocolMax: 1, channel: 1 } },
    "invalid_request",
    "hello.router",
  ],
  ["no channel", { case: "hello", value: { protocolMin: 1, protocolMax: 1, router: "r" } }, "invalid_request", "hello.channel"],
] as const)("a stream that begins with %s is ended with the reason", async (_what, frame, code_, says) => {
  const { clock, agent } = worker();
  const router = new RouterEnd(agent, clock, { hello: false });
  router.send(frame as never);
  await clock.advance(0);
  expect(router.error).toMatchObject({ code: code_ });
  expect(router.error?.message).toContain(says);
  expect(router.frames).toEqual([]);
});

test("breaches of the protocol end the stream; frames nobody knows, or about nothing, do not", async () => {
  const { clock, engine, agent, connect } = worker();
  const router = connect();
  await clock.advance(0);
  for (const frame of [
    { case: undefined },
    { case: "cancel", value: { id: 77n } },
    { case: "window", value: { id: 77n, bytes: 5 } },
    { case: "prewarm", value: { model: "nobody" } },
    { case: "kvResend", value: { fromSequence: 0n } },
  ] as const)
    router.send(frame as never);
  router.submit(1n, { sampling: { maxTokens: 400 } });
  await clock.advance(50);
  expect(router.over).toBe(false);
  router.submit(1n);
  await clock.advance(50);
  expect(router.error).toMatchObject({ code: "protocol" });
  expect(engine.load()).toMatchObject(idle);
  const again = new RouterEnd(agent, clock);
  again.send({ case: "hello", value: { protocolMin: 1, protocolMax: 1, router: "r", channel: 1 } });
  await clock.advance(0);
  expect(again.error).toMatchObject({ code: "protocol" });
});
