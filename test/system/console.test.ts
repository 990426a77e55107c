// The console in a real browser, over a real router with the built-in model: ghost text comes, is taken, typed through without a
// flicker, put away; what was typed outlives a reload and a router that is killed; nothing keeps people with a keyboard or a screen
// reader out.
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { Browser, type Page } from "../../tools/browser.ts";
import { startUp, typeFor, type Up } from "../../tools/console-stage.ts";
import { startFleet } from "../../tools/fleet-stage.ts";
import { findTool } from "../../tools/toolbox.ts";

const chromium = findTool("chromium");
const axe = findTool("axe");

const ghost = "[...document.querySelectorAll('.ghost')].map((each) => each.textContent).join('\\n')";
const line = "document.querySelector('.cm-activeLine').innerText";
/** The text before the ghost. */
const typed =
  "[...document.querySelector('.cm-activeLine').childNodes].filter((node) => !node.classList?.contains('ghost')).map((node) => node.textContent).join('')";
const connected = "document.querySelector('.play-state')?.textContent.startsWith('Connected')";

/** What a busy machine takes is no mistake of ours. */
const patient = { SLIPSTREAM_ROUTER_AUTO_DEADLINE: "20s", SLIPSTREAM_ROUTER_INVOKED_DEADLINE: "20s" };

describe.skipIf(!chromium.path || !axe.path)("the console", () => {
  let browser: Browser;
  let up: Up;
  let fleet: Awaited<ReturnType<typeof startFleet>>;
  let page: Page;
  beforeAll(async () => {
    const port = await freePort();
    up = await startUp(port, [], patient);
    fleet = await startFleet();
    browser = await Browser.start(chromium.path ?? "");
  });
  afterAll(async () => {
    await browser?.[Symbol.asyncDispose]();
    await fleet?.end();
    await up?.end();
  });
  beforeEach(async () => {
    page = await browser.page({ width: 1280, height: 860 });
    await page.open(`${up.url}/console/#/play`);
    await page.until(connected);
    await page.eval("document.querySelector('.cm-content').focus()");
  });
  afterEach(async () => {
    expect(page.complaints).toEqual([]);
    await page.close();
  });

  /** Types until something is suggested, as a person would. */
  async function suggested(text = "this.items.r"): Promise<string> {
    await page.type(text, 40);
    return page.until<string>(ghost);
  }

  test("a line is typed: ghost text stands at the cursor, and Tab takes it", async () => {
    const shown = await suggested();
    const before = await page.eval<string>(typed);
    await page.press("Tab");
    await page.until(
      `document.querySelector('.cm-content').innerText.includes(${JSON.stringify((before + shown).split("\n")[0])})`,
    );
    expect(await page.eval("document.activeElement.className")).toContain("cm-content");
  });

  test("typing what is shown does not flicker: it is one element, there in every frame, never taken out", async () => {
    const shown = await suggested();
    expect(shown.length).toBeGreaterThan(4);
    await page.eval(`
      const first = document.querySelector('.ghost');
      globalThis.seen = { frames: 0, without: 0, removed: 0, other: 0, on: true };
      new MutationObserver((changes) => {
        for (const { removedNodes } of changes)
          for (const node of removedNodes) if (node === first || node.contains?.(first) || node.classList?.contains('ghost')) seen.removed += 1;
      }).observe(document.querySelector('.cm-content'), { childList: true, subtree: true });
      const look = () => {
        seen.frames += 1;
        const now = document.querySelector('.ghost');
        if (!now || now.textContent === '' || now.getBoundingClientRect().width === 0) seen.without += 1;
        else if (now !== first) seen.other += 1;
        if (seen.on) requestAnimationFrame(look);
      };
      requestAnimationFrame(look);
    `);
    const along = shown.split("\n")[0]?.slice(0, -1).slice(0, 12) ?? "";
    await page.type(along, 60);
    // The answers to those keys come by now, too.
    await page.until(`${ghost}.length > 0 && document.querySelector('.badge')`);
    await new Promise((resolve) => setTimeout(resolve, 400));
    await page.eval("seen.on = false");
    const seen = await page.eval<{ frames: number }>("seen");
    expect(seen).toMatchObject({ without: 0, removed: 0, other: 0 });
    expect(seen.frames).toBeGreaterThan(along.length);
    expect(shown.startsWith(along + (await page.eval<string>(ghost)).split("\n")[0])).toBe(true);
  });

  test("Escape puts it away until the next key; another key than the suggested one does, too", async () => {
    await suggested();
    await page.press("Escape");
    await page.until(`${ghost} === ''`);
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(await page.eval(ghost)).toBe("");
    await page.press("Backspace");
    const again = await page.until<string>(ghost);
    await page.press(again.startsWith("#") ? "~" : "#");
    expect((await page.eval<string>(ghost)).startsWith(again.slice(1))).toBe(false);
  });

  test("a word and a line are taken, the rest stays", async () => {
    const shown = await suggested();
    const before = await page.eval<string>(typed);
    await page.press("ArrowRight", ["Control"]);
    const word = (await page.eval<string>(typed)).slice(before.length);
    expect(word).not.toBe("");
    expect(shown.startsWith(word)).toBe(true);
    const rest = await page.eval<string>(ghost);
    if (rest !== "") expect(shown).toBe(word + rest);
    await page.press("ArrowDown", ["Control"]);
    expect((await page.eval<string>(typed)).startsWith(before + shown.split("\n")[0])).toBe(true);
  });

  test("it is asked for by a key, alternatives are gone through, and buttons do the same", async () => {
    await page.press("\\", ["Alt"]);
    const first = await page.until<string>(ghost);
    await page.press("]", ["Alt"]);
    await page.until(`!document.querySelector('.play-buttons button').disabled`);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    const texts = new Set([first, await page.eval<string>(ghost)]);
    for (let i = 0; i < 3; i++) {
      await page.press("]", ["Alt"]);
      texts.add(await page.eval<string>(ghost));
    }
    expect([...texts].every((text) => text !== "")).toBe(true);
    const asked = await page.eval<{ kind: string }[]>(
      `fetch('/explain?last=20').then((r) => r.json()).then(({ triggers }) => triggers)`,
    );
    expect(asked.some(({ kind }) => kind === "invoked")).toBe(true);
    await page.eval("[...document.querySelectorAll('.play-buttons button')].find((b) => b.textContent === 'Take it').click()");
    await page.until(`${line}.length > 12`);
  });

  test("beside it stands what it cost, and why there is none", async () => {
    await suggested();
    await page.until("document.querySelector('.cost .waterfall')");
    const cost = await page.eval<string>("document.querySelector('.cost').innerText");
    expect(cost).toMatch(
      /^What the last key cost\s+(Generated|Joined|Cached|Typed ahead)\s+[\d.]+ ms\s[\s\S]*\sFrom\s[\s\S]*\sIts whole trace\s/,
    );
    await page.press("End", ["Control"]);
    await page.type("xy z", 80);
    await page.until("[...document.querySelectorAll('.strip rect')].length > 3");
  });

  test("what was typed outlives a reload, and so does the session", async () => {
    await page.type("this.basketOfMine", 10);
    await page.reload();
    await page.until(connected);
    expect(await page.eval("document.querySelector('.cm-content').innerText")).toContain("this.basketOfMine");
    await page.eval("document.querySelector('.cm-content').focus()");
    for (let i = 0; i < "basketOfMine".length; i++) await page.press("Backspace");
    expect(await suggested("items.r")).not.toBe("");
  });

  test("a router that is killed is missed, and one that comes back is found: the text is still here, and completed", {
    timeout: 300_000,
  }, async () => {
    const port = Number(new URL(up.url).port);
    await suggested();
    await up.end("SIGKILL");
    await page.until("document.querySelector('.play-state').textContent.startsWith('Not connected')");
    await page.until("document.querySelector('header .state').textContent.includes('Not connected')");
    await page.press("Escape");
    await page.type("x");
    up = await startUp(port, [], patient);
    await page.until(connected, 60_000);
    await page.until("document.querySelector('header .state').textContent.includes('Ready')");
    expect(await page.eval("document.querySelector('.cm-content').innerText")).toContain("this.items.rx");
    await page.press("Backspace");
    await page.until(ghost);
  });

  test("the live view draws what the router counts; traces lead to the way of one trigger", async () => {
    const typing = typeFor(up.url, { keysPerSecond: 30, sessions: 3 });
    await page.open(`${up.url}/console/#/live`);
    await page.until("document.querySelectorAll('.plot canvas').length === 6");
    await page.until("Number(document.querySelectorAll('.figures dd.number')[3].textContent) > 0");
    await page.eval("location.hash = '#/traces'");
    await page.until("document.querySelectorAll('tbody tr').length > 5");
    await typing.stop();
    await page.eval("document.querySelector('tbody a').click()");
    await page.until("document.querySelectorAll('.waterfall tbody tr').length > 0");
    expect(await page.eval("document.querySelector('main').innerText")).toMatch(/Its way through the rooms/);
    await page.eval("location.hash = '#/traces/nobody'");
    await page.until("document.querySelector('main').innerText.includes('does not remember it')");
  });

  test("an operator's port shows its fleet, what is not ready first, and nothing that a router has", async () => {
    await page.open(`${fleet.url}/console/`);
    await page.until("document.querySelectorAll('.fleet section').length === 4");
    expect(await page.eval("[...document.querySelectorAll('.tabs a')].map((each) => each.textContent)")).toEqual(["Fleet"]);
    const first = await page.eval<string>("document.querySelector('.fleet section').innerText");
    expect(first).toMatch(/^chat-32b\s+WorkerPool in code\s+Not ready\s+Unschedulable: 1 of 2 workers serves/);
    expect(first).toMatch(/CapacityAvailable\s+False\s+Unschedulable\s+0\/6 nodes/);
    expect(await page.eval("document.querySelector('.fleet').innerText")).toMatch(/Decided\s+Workers\s+Reason\s+.*3 → 4\s+Load/);
    await page.until("document.querySelector('header .state').innerText === '1 object not ready'");
  });

  test("with the keyboard alone: the order is as one reads, nothing is a trap, each focus is seen", async () => {
    await page.open("about:blank");
    await page.open(`${up.url}/console/#/play`);
    await page.until(connected);
    const order: string[] = [];
    for (let i = 0; i < 12; i++) {
      await page.press("Tab");
      // Past the last one the browser's own controls come.
      if (await page.eval<boolean>("document.activeElement === document.body")) break;
      order.push(
        await page.eval<string>(
          "document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent.slice(0, 20) ?? ''",
        ),
      );
      const outlined = await page.eval<boolean>(
        "(() => { const e = document.activeElement; return e.classList.contains('cm-content') || getComputedStyle(e).outlineStyle !== 'none'; })()",
      );
      expect([order.at(-1), outlined]).toEqual([order.at(-1), true]);
    }
    const at = (name: string) => order.findIndex((each) => each.startsWith(name));
    expect(at("Skip to the view")).toBe(0);
    const places = [
      "Skip to the view",
      "Playground",
      "Live",
      "Traces",
      "Colours",
      "TypeScript",
      "its default",
      "Start over",
      "Code;",
    ].map(at);
    expect(places).toEqual([...places].sort((a, b) => a - b));
    expect(at("Code;")).toBeGreaterThan(0);
    expect(new Set(order).size).toBe(order.length);
    expect(await page.eval("document.activeElement.classList.contains('cm-content')")).toBe(false);
  });

  test.each(["light", "dark"] as const)("nothing serious keeps anybody out, in %s", async (scheme) => {
    for (const [view, ready] of [
      ["play", connected],
      ["live", "document.querySelector('.plot canvas')"],
      ["traces", "document.querySelector('tbody tr, .soft')"],
      ["fleet", "document.querySelector('tbody tr')"],
    ] as const) {
      const other = await browser.page({ width: 1280, height: 860, scheme });
      await other.open(`${view === "fleet" ? fleet.url : up.url}/console/#/${view}`);
      await other.until(ready);
      if (view === "play") {
        await other.eval("document.querySelector('.cm-content').focus()");
        await other.type("this.items.r", 30);
        await other.until(ghost);
      }
      await other.eval(readFileSync(axe.path ?? "", "utf8"));
      const found = await other.eval<{ id: string; impact: string; nodes: { html: string; failureSummary: string }[] }[]>(
        "axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => violations.map(({ id, impact, nodes }) => ({ id, impact, nodes: nodes.slice(0, 3).map(({ html, failureSummary }) => ({ html, failureSummary })) })))",
      );
      expect([view, found.filter(({ impact }) => impact === "serious" || impact === "critical")]).toEqual([view, []]);
      await other.close();
    }
  });

  test("a phone has buttons for what it has no keys for, and nothing is wider than it", async () => {
    const phone = await browser.page({ width: 390, height: 844, touch: true });
    for (const view of ["play", "live", "traces", "fleet"]) {
      await phone.open("about:blank");
      await phone.open(`${view === "fleet" ? fleet.url : up.url}/console/#/${view}`);
      await phone.until("document.querySelector('h1')");
      await new Promise((resolve) => setTimeout(resolve, 300));
      expect([view, await phone.eval("document.documentElement.scrollWidth")]).toEqual([view, 390]);
    }
    await phone.open("about:blank");
    await phone.open(`${up.url}/console/#/play`);
    await phone.until(connected);
    expect(await phone.eval("getComputedStyle(document.querySelector('.play-buttons')).display")).toBe("flex");
    await phone.close();
  });
});

/** One that nobody has, for a router that comes back to it. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
