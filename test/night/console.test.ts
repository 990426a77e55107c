// The console beside a busy router: while others type 200 keys a second the page draws at least 30 frames a second in each view, and
// its memory is the same after ten minutes as after one. By hand, on a machine that does nothing else; SLIPSTREAM_CONSOLE_MINUTES says
// how long.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Browser, type Page } from "../../tools/browser.ts";
import { startUp, type Typing, typeFor, type Up } from "../../tools/console-stage.ts";
import { findTool } from "../../tools/toolbox.ts";

const chromium = findTool("chromium");
const minutes = Number(process.env["SLIPSTREAM_CONSOLE_MINUTES"] ?? 10);
const keysPerSecond = 200;
const framesMin = 30;
const lookMs = 10_000;
/** Of the heap after garbage collection: what code is compiled meanwhile, and no more. */
const growthMax = 0.2;

const rest = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const say = (line: string) => void process.stdout.write(`${line}\n`);

describe.skipIf(!chromium.path)("the console under load", () => {
  let browser: Browser;
  let up: Up;
  let page: Page;
  let typing: Typing;
  beforeAll(async () => {
    up = await startUp(0, ["--engine", "simulated"], { SLIPSTREAM_WORKER_SLOTS: "32" });
    browser = await Browser.start(chromium.path ?? "");
    page = await browser.page({ width: 1280, height: 860 });
    typing = typeFor(up.url, { keysPerSecond, sessions: 20 });
    await page.open(`${up.url}/console/#/play`);
    await page.until("document.querySelector('.play-state')?.textContent.startsWith('Connected')");
  });
  afterAll(async () => {
    await typing?.stop();
    await browser?.[Symbol.asyncDispose]();
    await up?.end();
  });

  /** Frames a second, and the longest time between two. */
  const frames = () =>
    page.eval<{ perSecond: number; longestMs: number }>(`new Promise((resolve) => {
      const times = [];
      const look = (now) => {
        times.push(now);
        if (now - times[0] < ${lookMs}) requestAnimationFrame(look);
        else resolve({ perSecond: (1_000 * (times.length - 1)) / (now - times[0]), longestMs: Math.max(...times.slice(1).map((t, i) => t - times[i])) });
      };
      requestAnimationFrame(look);
    })`);

  async function heapBytes(): Promise<number> {
    await page.send("HeapProfiler.collectGarbage");
    return (await page.send("Runtime.getHeapUsage"))["usedSize"] as number;
  }

  test.each(["play", "live", "traces"])("%s draws at least 30 frames a second", { timeout: 120_000 }, async (view) => {
    await page.eval(`location.hash = '#/${view}'`);
    await rest(1_000);
    if (view === "play") await page.eval("document.querySelector('.cm-content').focus()");
    const before = typing.keys();
    const writing =
      view === "play" ? page.type("const total = this.items.reduce((sum, item) => sum + item", 150) : Promise.resolve();
    const { perSecond, longestMs } = await frames();
    await writing;
    const keys = ((typing.keys() - before) * 1_000) / lookMs;
    say(
      `${view}: ${perSecond.toFixed(1)} frames a second, the longest ${longestMs.toFixed(0)} ms, while others typed ${keys.toFixed(0)} keys a second`,
    );
    expect(keys).toBeGreaterThan(keysPerSecond * 0.8);
    expect(perSecond).toBeGreaterThanOrEqual(framesMin);
  });

  test(`memory is flat for ${minutes} minutes`, { timeout: (minutes + 5) * 60_000 }, async () => {
    await page.eval("location.hash = '#/live'");
    await rest(60_000);
    const first = await heapBytes();
    const views = ["play", "live", "traces", "live"];
    for (let round = 0; round < (minutes - 1) * 4; round++) {
      await page.eval(`location.hash = '#/${views[round % views.length]}'`);
      await rest(15_000);
    }
    await page.eval("location.hash = '#/live'");
    await rest(2_000);
    const last = await heapBytes();
    say(`heap after one minute ${(first / 1e6).toFixed(1)} MB, after ${minutes} ${(last / 1e6).toFixed(1)} MB`);
    expect(last).toBeLessThan(first * (1 + growthMax) + 1e6);
    expect(page.complaints).toEqual([]);
  });
});
