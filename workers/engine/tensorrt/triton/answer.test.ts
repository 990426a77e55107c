import { expect, test } from "vitest";
import { TritonAnswer } from "./answer.ts";

const event = (ids: number | readonly number[]) => Buffer.from(`data: ${JSON.stringify({ output_ids: ids })}\n\n`);

test.each<[events: readonly (number | readonly number[])[], finish: string | undefined]>([
  [[5, [6, 7]], "stop"],
  [[5, [6, 7], 8], "length"],
  [[[]], "stop"],
  [[], undefined],
])("of four tokens that were asked for, %j end as %s", (events, finish) => {
  const answer = new TritonAnswer(() => Buffer.from("a"), { maxTokens: 4 });
  for (const ids of events) answer.push(event(ids));
  answer.over();
  expect(answer.finish).toBe(finish);
});
