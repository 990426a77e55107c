// dispatched: a dispatch room with scripted workers and no router around it: a test asks it for generations and says what their
// workers say.
import { onTestFinished } from "vitest";
import { FakeClock } from "../../lib/clock.fake.ts";
import type { SlipstreamError } from "../../lib/errors.ts";
import { silentLog } from "../../lib/log.ts";
import { seeded } from "../../lib/random.ts";
import { type Booking, type Delta, type Generated, type Prompt, Retired, type Trigger } from "../../router/completion.ts";
import { Dispatch, type DispatchOptions, dispatchDefaults } from "../../router/dispatch/dispatch.ts";
import { recordedMetrics, triggerAt } from "./router.ts";
import { ScriptedWorkers } from "./scripted-worker.ts";

export const prompt: Prompt = {
  model: "m",
  segments: [{ special: "<SUF>" }, { text: "a" }],
  bytes: 6,
  key: "k",
  blocks: new Uint8Array(8),
  stop: ["\n\n"],
};

export function dispatched(addresses: readonly string[] = ["w1"], given: Partial<DispatchOptions> = {}) {
  const clock = new FakeClock();
  const workers = new ScriptedWorkers(clock);
  const metrics = recordedMetrics();
  const roster: string[] = [];
  const released: string[] = [];
  const dispatch = new Dispatch(
    { ...dispatchDefaults, router: "r1", backoffMaxMs: 1_000, ...given, workers: addresses },
    {
      clock,
      random: seeded(1),
      log: silentLog,
      connect: workers.connect,
      metrics: metrics.metrics,
      address: (worker) => (addresses.includes(worker) ? worker : undefined),
      capacity: () => roster.push("capacity"),
      roster: {
        joined: (address, { name, slots }) => roster.push(`${address} joined as ${name} with ${slots}`),
        credits: (address, { inline }) => roster.push(`${address} credits ${inline}`),
        load: (address, { running }) => roster.push(`${address} runs ${running}`),
        draining: (address, draining) => roster.push(`${address} draining ${draining}`),
        left: (address) => roster.push(`${address} left`),
        gone: (address) => roster.push(`${address} gone`),
      },
    },
  );
  onTestFinished(() => dispatch.close());
  const bookingOf = (worker: string): Booking => ({
    placement: { worker, why: "lease" as const },
    release: () => released.push(worker),
  });
  /** Asks a worker, and another one when it stalls, whose answer would take so long; what is read and how it ends gathers in the answer. */
  const ask = (worker = "w1", trigger: Partial<Trigger> = {}, other?: string, takesMs = 0) => {
    const made = triggerAt("a|", { receivedMs: clock.now(), ...trigger });
    const seen: { text: string; deltas: Delta[]; won?: string; end?: Generated; error?: unknown } = { text: "", deltas: [] };
    const second = other && {
      book: (lateMs: number) => (takesMs > lateMs ? { againMs: takesMs - lateMs } : bookingOf(other)),
      won: (name: string) => {
        seen.won = name;
      },
    };
    const deltas = dispatch.generate(made, prompt, bookingOf(worker), second || undefined);
    const read = async () => {
      try {
        for (;;) {
          const step = await deltas.next();
          if (step.done) {
            seen.end = step.value;
            return;
          }
          seen.text += step.value.text;
          seen.deltas.push(step.value);
        }
      } catch (thrown) {
        seen.error = thrown;
      }
    };
    return { trigger: made, deltas, seen, read };
  };
  const codeOf = (error: unknown) => (error instanceof Retired ? error.outcome : (error as SlipstreamError | undefined)?.code);
  return { clock, workers, metrics, roster, released, dispatch, ask, codeOf };
}
