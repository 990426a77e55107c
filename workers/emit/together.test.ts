import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { settle } from "../../lib/clock.fake.ts";
import { type WorkerFrame, WorkerFrameSchema } from "../../proto/gen/slipstream/v1/worker_pb.ts";
import { Together } from "./together.ts";

const delta = (id: bigint) => create(WorkerFrameSchema, { frame: { case: "delta", value: { id, text: "x" } } });

function made() {
  const sent: string[] = [];
  const ids = ({ frame }: WorkerFrame): string => (frame.case === "delta" ? String(frame.value.id) : (frame.case ?? ""));
  const together = new Together((frame) => {
    sent.push(frame.frame.case === "frames" ? frame.frame.value.frames.map(ids).join("+") : ids(frame));
  });
  return { together, sent };
}

test("what is said in one tick is one message, in order; one frame alone is itself", async () => {
  const { together, sent } = made();
  together.send(delta(1n));
  // What promises do before anything else comes is the same tick.
  await Promise.resolve().then(() => together.send(delta(2n)));
  expect(sent).toEqual([]);
  await settle();
  together.send(delta(3n));
  await settle();
  expect(sent).toEqual(["1+2", "3"]);
});

test("many frames are several messages, and an end leaves none behind", async () => {
  const { together, sent } = made();
  for (let i = 0; i < 300; i++) together.send(delta(1n));
  together.flush();
  expect(sent.map((each) => each.split("+").length)).toEqual([256, 44]);
  await settle();
  expect(sent).toHaveLength(2);
});
