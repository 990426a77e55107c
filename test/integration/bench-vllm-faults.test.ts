// The faults of `slipstream bench vllm` on engines that pretend: what they count, and that nothing of the engines that were started is
// left, whatever became of their starts: a bench that holds a connection or a process open does not end.
import { expect, test } from "vitest";
import { benchFaults, type FaultyEngine } from "../../bench/vllm/faults.ts";
import { systemClock } from "../../lib/clock.ts";
import { SlipstreamError } from "../../lib/errors.ts";
import { until } from "../support/until.ts";
import { type FakeOptions, FakeVllm } from "../support/vllm/fake-vllm.ts";

interface Started extends FaultyEngine {
  readonly over: () => boolean;
}

async function pretend(options: FakeOptions): Promise<Started> {
  const fake = await FakeVllm.start({ stepMs: 1, ...options });
  let over = false;
  let exit = (_why: SlipstreamError) => {};
  const exited = new Promise<SlipstreamError>((resolve) => {
    exit = resolve;
  });
  const kill = async () => {
    if (over) return;
    over = true;
    fake.thaw();
    await fake.kill();
    exit(new SlipstreamError("engine_failed", "killed"));
  };
  return {
    ...{ url: fake.url, process: { exited, kill, stop: kill }, over: () => over },
    freeze: (ms) => {
      fake.freeze();
      if (ms !== undefined) systemClock.timer(ms, () => fake.thaw());
    },
    metrics: async () => `vllm:num_requests_running ${over ? 0 : fake.running}\n`,
  };
}

const held = () => process.getActiveResourcesInfo().filter((each) => /^TCP|^Process/.test(each)).length;

test("faults end as they should, and no engine is left, not even one that could not be used", async () => {
  const before = held();
  const engines: Started[] = [];
  const start = async () => {
    // The second one has no room for a prompt.
    const engine = await pretend(engines.length === 1 ? { contextTokens: 8 } : {});
    engines.push(engine);
    return engine;
  };
  const report = await benchFaults({ start, model: "tiny", faults: 40, kills: 1, seed: 1, say: () => {} });
  expect(report.all).toBe(40);
  expect(report).toMatchObject({ repeated: 0, left: { running: 0, engine: 0, waiting: 0 } });
  expect(report.credits.after).toBe(report.credits.before);
  expect(engines.length).toBeGreaterThanOrEqual(4);
  expect(engines.map(({ over }) => over())).toEqual(engines.map(() => true));
  await until("nothing is held open", () => held() <= before);
}, 90_000);
