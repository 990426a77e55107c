import { expect, test } from "vitest";
import { FakeClock } from "../../lib/clock.fake.ts";
import { below, seeded } from "../../lib/random.ts";
import type { KvChange, WorkerFrame } from "../../proto/gen/slipstream/v1/worker_pb.ts";
import { Kv } from "./kv.ts";

const hex = (n: number) => n.toString(16).padStart(16, "0");
const warm = async () => {};

/** A router's view: the set it believes resident, from the frames it got. */
class Reader {
  readonly resident = new Set<string>();
  readonly sequences: bigint[] = [];
  readonly take = ({ frame }: WorkerFrame): void => {
    if (frame.case !== "kvChange") throw new Error("not a kvChange");
    const change: KvChange = frame.value;
    this.sequences.push(change.sequence);
    if (change.cleared) this.resident.clear();
    for (const digest of change.removed) this.resident.delete(Buffer.from(digest).toString("hex"));
    for (const digest of change.stored) this.resident.add(Buffer.from(digest).toString("hex"));
  };
}

function room(options: { kept?: number; digestsMax?: number } = {}) {
  const clock = new FakeClock();
  let tell: (event: { stored: readonly string[]; removed: readonly string[]; cleared: boolean }) => void = () => {};
  const onKv = (listener: typeof tell) => {
    tell = listener;
  };
  const kv = new Kv(
    { everyMs: 50, kept: 4, digestsMax: 3, warmingsMax: 2, warmBytesPerSecond: 1 << 20, hotMax: 2, slots: 4, ...options },
    { clock, engine: { warm, onKv } },
  );
  const event = (stored: number[], removed: number[] = [], cleared = false) =>
    tell({ stored: stored.map(hex), removed: removed.map(hex), cleared });
  return { clock, kv, event };
}

test("changes within the time go together, in frames of a bounded size, numbered without a gap", async () => {
  const { clock, kv, event } = room();
  const reader = new Reader();
  kv.join(reader.take);
  event([1, 2]);
  event([3, 4], [1]);
  event([1], [2]);
  await clock.advance(50);
  expect([...reader.resident].sort()).toEqual([1, 3, 4].map(hex));
  event([5]);
  await clock.advance(50);
  expect(reader.sequences).toEqual([1n, 2n]);
  expect(kv.sequence).toBe(2n);
});

test("what came and went between two frames is not told", async () => {
  const { clock, kv, event } = room();
  const reader = new Reader();
  kv.join(reader.take);
  event([1]);
  event([], [1]);
  await clock.advance(50);
  expect(reader.sequences).toEqual([]);
});

test("whatever happens, a reader that joined from the start, one that missed some and one that starts late agree", async () => {
  const random = seeded(4);
  for (let run = 0; run < 40; run++) {
    const { clock, kv, event } = room();
    const [always, gap, late] = [new Reader(), new Reader(), new Reader()];
    kv.join(always.take);
    let listening = kv.join(gap.take);
    for (let step = 0; step < 60; step++) {
      const draw = random.next();
      if (draw < 0.03) event([], [], true);
      const some = () => Array.from({ length: below(random, 4) }, () => below(random, 12));
      const stored = some();
      event(
        stored,
        some().filter((digest) => !stored.includes(digest)),
      );
      if (draw > 0.6) await clock.advance(50);
      if (step === 20) listening[Symbol.dispose]();
      if (step === 40) {
        listening = kv.join(gap.take);
        kv.resend((gap.sequences.at(-1) ?? 0n) + 1n, gap.take);
        kv.join(late.take);
        kv.resend(0n, late.take);
      }
    }
    await clock.advance(100);
    expect([...gap.resident].sort()).toEqual([...always.resident].sort());
    expect([...late.resident].sort()).toEqual([...always.resident].sort());
  }
});
