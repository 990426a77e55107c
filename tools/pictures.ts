// pictures: `npm run console:pictures [-- FOLDER]`: every view of the console as a person sees it, in light and dark, at desk and
// phone width, with a router that somebody types at; into reports/console. To be looked at: what is ugly fails no test.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { bring } from "./bring.ts";
import { Browser, type Page } from "./browser.ts";
import { root } from "./child.ts";
import { startUp, typeFor } from "./console-stage.ts";
import { startFleet } from "./fleet-stage.ts";

const say = (line: string) => void process.stdout.write(`${line}\n`);
const folder = process.argv[2] ?? join(root, "reports", "console");
const shapes = { desk: { width: 1280, height: 860 }, phone: { width: 390, height: 844, touch: true } } as const;
const schemes = ["light", "dark"] as const;
/** Long enough for plots to have a shape. */
const typingMs = 25_000;

const views: Readonly<Record<string, (page: Page) => Promise<void>>> = {
  play: async (page) => {
    await page.until("document.querySelector('.play-state')?.textContent.startsWith('Connected')");
    await page.eval("document.querySelector('.cm-content').focus()");
    await page.type("this.items.r", 60);
    await page.until("document.querySelector('.ghost')", 8_000).catch(() => {});
    await rest(700);
  },
  live: async (page) => void (await page.until("document.querySelector('.plot canvas')")),
  traces: async (page) => void (await page.until("document.querySelector('tbody tr')")),
  trace: async (page) => {
    const found =
      "[...document.querySelectorAll('tbody tr')].find((row) => row.innerText.includes('Generated'))?.querySelector('a')";
    await page.until(found);
    await page.eval(`${found}.click()`);
    await page.until("document.querySelector('.waterfall')");
  },
};
/** The operator's port has a page of its own. */
const fleetReady = "document.querySelector('.fleet section')";
const addresses: Readonly<Record<string, string>> = { play: "play", live: "live", traces: "traces", trace: "traces" };
const rest = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

const chromium = await bring("chromium", { say });
mkdirSync(folder, { recursive: true });
const up = await startUp();
const fleet = await startFleet();
const browser = await Browser.start(chromium);
try {
  say(`typing at ${up.url} for ${typingMs / 1_000} s`);
  const typing = typeFor(up.url, { keysPerSecond: 20, sessions: 3 });
  await rest(typingMs);
  for (const scheme of schemes)
    for (const [shape, size] of Object.entries(shapes)) {
      const page = await browser.page({ ...size, scheme });
      for (const [name, made] of Object.entries(views)) {
        await page.open("about:blank");
        await page.open(`${up.url}/console/#/${addresses[name]}`);
        await made(page);
        await rest(400);
        const path = join(folder, `${name}-${shape}-${scheme}.png`);
        writeFileSync(path, await page.picture());
        say(path);
      }
      await page.open(`${fleet.url}/console/`);
      await page.until(fleetReady);
      const path = join(folder, `fleet-${shape}-${scheme}.png`);
      writeFileSync(path, await page.picture());
      say(path);
      if (page.complaints.length > 0) say(`the page complained: ${page.complaints.join("; ")}`);
      await page.close();
    }
  await typing.stop();
} finally {
  await browser[Symbol.asyncDispose]();
  await fleet.end();
  await up.end();
}
