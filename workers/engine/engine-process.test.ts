import { expect, test } from "vitest";
import { systemClock } from "../../lib/clock.ts";
import { until } from "../../test/support/until.ts";
import { EngineProcess } from "./engine-process.ts";

const node = (script: string) => new EngineProcess({ command: [process.execPath, "-e", script] }, { clock: systemClock });

test.each<[name: string, script: string, says: RegExp]>([
  [
    "ends by itself",
    "console.error('RuntimeError: no such model'); process.exitCode = 3",
    /status 3; it said: RuntimeError: no such model/,
  ],
  ["says nothing of what went wrong", "console.log('const secret = 1')", /status 0$/],
  ["is killed", "process.kill(process.pid, 'SIGKILL')", /ended by SIGKILL \(was it out of memory\?\)/],
])("an engine that %s", async (_, script, says) => {
  expect((await node(script).exited).message).toMatch(says);
});

test("an engine that cannot be started says so", async () => {
  const gone = new EngineProcess({ command: ["/nowhere/engine"] }, { clock: systemClock });
  expect((await gone.exited).message).toMatch(/could not be started/);
});

test("what it started ends with it, asked or killed", async () => {
  for (const how of ["kill", "stop"] as const) {
    const child = "setInterval(() => {}, 1e6)";
    const script = `const c = require("child_process").spawn(process.execPath, ["-e", ${JSON.stringify(child)}]); console.error("error " + c.pid); ${child}`;
    const engine = node(script);
    await until("it has a child", () => /error \d+/.test(engine.lastWords));
    const pid = Number(engine.lastWords.split(" ")[1]);
    await engine[how]();
    await until("the child is gone", () => {
      try {
        return !process.kill(pid, 0);
      } catch {
        return true;
      }
    });
  }
});
