import { expect, test } from "vitest";
import { FakeClock, settle } from "./clock.fake.ts";
import { SlipstreamError } from "./errors.ts";
import { Lifecycle, run } from "./lifecycle.ts";
import { createLog, silentLog } from "./log.ts";

const forever = () => new Promise<void>(() => {});

function part(name: string, said: string[], ends: { drain?: () => Promise<void>; close?: () => Promise<void> } = {}) {
  return {
    name,
    drain: () => {
      said.push(`drain ${name}`);
      return ends.drain?.();
    },
    close: () => {
      said.push(`close ${name}`);
      return ends.close?.();
    },
  };
}

/** A process under test: its signals are sent by `signal`. */
function process(start: (lifecycle: Lifecycle, said: string[], clock: FakeClock) => Promise<void>, graceMs = 1_000) {
  const clock = new FakeClock();
  const said: string[] = [];
  const acts = new Map<string, () => void>();
  const lines: { level: number; msg: string; part?: string }[] = [];
  const log = createLog({ process: "test", level: "warn" }, { write: (line) => lines.push(JSON.parse(line)) });
  const exits: number[] = [];
  const complain = (sentence: string) => said.push(sentence);
  const on = (signal: string, act: () => void) => acts.set(signal, act);
  const force = (exit: number) => said.push(`force ${exit}`);
  const ended = run({ graceMs }, { clock, log, complain, on, force }, (lifecycle) => start(lifecycle, said, clock)).then((exit) =>
    exits.push(exit),
  );
  const signal = async (name: "SIGINT" | "SIGTERM") => {
    acts.get(name)?.();
    await settle();
  };
  return { clock, said, lines, exits, ended, signal };
}

test("parts are all drained before any is closed, last started first", async () => {
  const said: string[] = [];
  const lifecycle = new Lifecycle({ graceMs: 1_000 }, { clock: new FakeClock(), log: silentLog });
  expect(lifecycle.use(part("store", said)).name).toBe("store");
  lifecycle.use({ name: "nothing to end" });
  lifecycle.use(part("server", said));
  expect(lifecycle.signal.aborted).toBe(false);
  await lifecycle.end("test");
  expect(said).toEqual(["drain server", "drain store", "close server", "close store"]);
  expect(lifecycle.signal.reason).toMatchObject({ code: "draining" });
  expect(lifecycle.outlived).toBe(false);
});

test("ending twice ends once", async () => {
  const said: string[] = [];
  const lifecycle = new Lifecycle({ graceMs: 1_000 }, { clock: new FakeClock(), log: silentLog });
  lifecycle.use(part("a", said));
  await Promise.all([lifecycle.end("one"), lifecycle.end("two")]);
  expect(said).toEqual(["drain a", "close a"]);
});

test("the signal aborts before the first part drains", async () => {
  const lifecycle = new Lifecycle({ graceMs: 1_000 }, { clock: new FakeClock(), log: silentLog });
  const seen: boolean[] = [];
  lifecycle.use({ name: "a", drain: () => void seen.push(lifecycle.signal.aborted) });
  await lifecycle.end("test");
  expect(seen).toEqual([true]);
});

test("a part that fails to end, at once or later, does not keep the others open", async () => {
  const said: string[] = [];
  const lifecycle = new Lifecycle({ graceMs: 1_000 }, { clock: new FakeClock(), log: silentLog });
  lifecycle.use(part("a", said));
  lifecycle.use(part("b", said, { drain: () => Promise.reject(new Error("no")) }));
  lifecycle.use({
    name: "c",
    drain: () => {
      throw new Error("at once");
    },
  });
  await lifecycle.end("test");
  expect(said).toEqual(["drain b", "drain a", "close b", "close a"]);
});

test("one signal ends the process in order with exit code 0", async () => {
  const p = process(async (lifecycle, said) => {
    lifecycle.use(part("a", said));
  });
  await settle();
  expect(p.exits).toEqual([]);
  await p.signal("SIGTERM");
  await p.ended;
  expect([p.said, p.exits]).toEqual([["drain a", "close a"], [0]]);
});

test("a part that drains too long leaves time to close, and is named", async () => {
  const p = process(async (lifecycle, said, clock) => {
    lifecycle.use(part("quick", said, { close: () => clock.sleep(900) }));
    lifecycle.use(part("stuck", said, { drain: forever }));
  }, 5_000);
  await settle();
  await p.signal("SIGINT");
  await p.clock.advance(3_999);
  expect([p.said, p.exits]).toEqual([["drain stuck"], []]);
  await p.clock.advance(901);
  await p.ended;
  expect(p.said).toEqual(["drain stuck", "drain quick", "close stuck", "close quick"]);
  expect(p.exits).toEqual([0]);
  expect(p.lines[0]).toMatchObject({ level: 40, part: "stuck", step: "drain", msg: "grace period is over" });
});

test("a part that outlives the grace period does not keep the others open, is named, and the end is forced", async () => {
  const p = process(async (lifecycle, said) => {
    lifecycle.use(part("quick", said));
    lifecycle.use(part("stuck", said, { close: forever }));
  }, 5_000);
  await settle();
  await p.signal("SIGINT");
  await p.clock.advance(4_999);
  expect([p.said, p.exits]).toEqual([["drain stuck", "drain quick", "close stuck"], []]);
  await p.clock.advance(1);
  await p.ended;
  expect(p.said).toEqual(["drain stuck", "drain quick", "close stuck", "close quick", "force 0"]);
  expect(p.exits).toEqual([0]);
  expect(p.lines[0]).toMatchObject({ level: 40, part: "stuck", step: "close", msg: "grace period is over" });
});

test("a second signal ends it at once", async () => {
  const p = process(async (lifecycle, said) => {
    lifecycle.use(part("stuck", said, { drain: forever }));
  });
  await settle();
  await p.signal("SIGINT");
  expect(p.exits).toEqual([]);
  await p.signal("SIGTERM");
  await p.ended;
  expect([p.exits, p.said]).toEqual([[130], ["drain stuck", "force 130"]]);
});

test.each([
  [new SlipstreamError("config", "SLIPSTREAM_X: no such setting"), 64, false],
  [new SlipstreamError("unavailable", "127.0.0.1:7411 is in use"), 69, false],
  [new TypeError("x is undefined"), 70, true],
])("a start that fails by %s says it, closes what had started and exits by its code", async (error, exit, logged) => {
  const p = process(async (lifecycle, said) => {
    lifecycle.use(part("a", said));
    throw error;
  });
  await p.ended;
  expect(p.said).toEqual([error.message, "drain a", "close a"]);
  expect(p.exits).toEqual([exit]);
  expect(p.lines.some((line) => line.msg === "failed to start")).toBe(logged);
});

test("a signal while a failed start is being closed keeps its exit code", async () => {
  let release: () => void = () => {};
  const p = process(async (lifecycle, said) => {
    const drain = () =>
      new Promise<void>((resolve) => {
        release = resolve;
      });
    lifecycle.use(part("slow", said, { drain }));
    throw new SlipstreamError("model_unusable", "not a GGUF file");
  });
  await settle();
  await p.signal("SIGINT");
  release();
  await p.ended;
  expect(p.exits).toEqual([65]);
});

test("two signals end a start that never comes to its end", async () => {
  const p = process(forever);
  await settle();
  await p.signal("SIGINT");
  await p.ended;
  expect(p.exits).toEqual([0]);
  const q = process(async (lifecycle, said) => {
    lifecycle.use(part("stuck", said, { close: forever }));
    await forever();
  });
  await settle();
  await q.signal("SIGINT");
  await q.signal("SIGINT");
  await q.ended;
  expect(q.exits).toEqual([130]);
});

test("a part that is started while the process ends is closed, and its start ends", async () => {
  let started: () => void = () => {};
  const steps: string[] = [];
  const p = process(async (lifecycle, said, clock) => {
    lifecycle.use(part("early", said, { drain: () => clock.sleep(100) }));
    await new Promise<void>((resolve) => {
      started = resolve;
    });
    lifecycle.use(part("late", said, { close: () => clock.sleep(500) }));
    steps.push("never");
  });
  await settle();
  await p.signal("SIGTERM");
  started();
  await p.clock.advance(100);
  expect(p.exits).toEqual([]);
  await p.clock.advance(400);
  await p.ended;
  expect([p.said, p.exits, steps]).toEqual([["drain early", "close late", "close early"], [0], []]);
});

test("a start that fails because the process ends is no failure", async () => {
  const p = process(async (lifecycle, said, clock) => {
    lifecycle.use(part("a", said));
    await clock.sleep(10_000, lifecycle.signal);
  });
  await settle();
  await p.signal("SIGINT");
  await p.ended;
  expect([p.said, p.exits]).toEqual([["drain a", "close a"], [0]]);
});
