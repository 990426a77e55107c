import { expect, test } from "vitest";
import { below, seeded } from "../../lib/random.ts";
import { ServerEvents } from "./server-events.ts";

const text = 'data: {"a":"漢字"}\r\n\r\n: a comment\ndata:{"b":2}\n\nevent: x\ndata: [DONE]\n\n';
const wanted = ['{"a":"漢字"}', '{"b":2}', "[DONE]"];

test("events are the same in whatever cuts they come", () => {
  const random = seeded(1);
  for (let round = 0; round < 200; round++) {
    const heard: string[] = [];
    const events = new ServerEvents({ bytesMax: 100 }, { data: (data) => heard.push(data) });
    for (let rest = Buffer.from(text); rest.length > 0; ) {
      const size = 1 + below(random, 9);
      events.push(rest.subarray(0, size));
      rest = rest.subarray(size);
    }
    expect(heard).toEqual(wanted);
  }
});

test("an event that never ends is refused", () => {
  const events = new ServerEvents({ bytesMax: 100 }, { data: () => {} });
  expect(() => {
    for (let i = 0; i < 20; i++) events.push(Buffer.from("data: 0123456789"));
  }).toThrow(RangeError);
});
