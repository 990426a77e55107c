import { expect, test } from "vitest";
import { FakeClock } from "../../lib/clock.fake.ts";
import type { LiveFrame, LiveLine, LiveNow } from "../../lib/live.ts";
import { silentLog } from "../../lib/log.ts";
import { Live } from "./live.ts";

class Looker {
  text = "";
  writableLength = 0;
  over: "ended" | "destroyed" | undefined;
  write(text: string): void {
    this.text += text;
  }
  end(): void {
    this.over = "ended";
  }
  destroy(): void {
    this.over = "destroyed";
  }
  get lines(): LiveLine[] {
    return this.text
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as LiveLine);
  }
}

function begin() {
  const clock = new FakeClock();
  let asked = 0;
  const live = new Live(
    {
      head: { router: "r", version: "1", startedAt: 0, boundsMs: [1], targetMs: 100 },
      ...{ everyMs: 1_000, framesMax: 3, lookersMax: 2 },
    },
    {
      clock,
      log: silentLog,
      frame: async (at) => ({ at }) as LiveFrame,
      now: async () => {
        asked += 1;
        return { ready: true } as LiveNow;
      },
    },
  );
  return { clock, live, asked: () => asked };
}

test("who comes late is told the last minutes, then each second as it comes", async () => {
  const { clock, live } = begin();
  await clock.advance(5_000);
  const looker = new Looker();
  live.look(looker);
  await clock.advance(2_000);
  const [head, past, ...frames] = looker.lines;
  expect(head).toMatchObject({ head: { router: "r", everyMs: 1_000 } });
  expect(past && "past" in past ? past.past : []).toHaveLength(3);
  expect(frames).toHaveLength(2);
  live.close();
});

test("while nobody looks the router is not asked how it is", async () => {
  const { clock, live, asked } = begin();
  await clock.advance(10_000);
  expect(asked()).toBe(0);
  live.close();
});

test("one that does not read is let go, the others are told on", async () => {
  const { clock, live } = begin();
  const [slow, quick] = [new Looker(), new Looker()];
  live.look(slow);
  live.look(quick);
  await clock.advance(1_000);
  slow.writableLength = 1 << 20;
  await clock.advance(2_000);
  expect(slow.over).toBe("destroyed");
  expect(slow.lines).toHaveLength(3);
  expect(quick.lines).toHaveLength(5);
  live.close();
  expect(quick.over).toBe("ended");
});
