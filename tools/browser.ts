// browser: a real Chromium, driven by its own protocol (CDP) over one WebSocket: pages of a given size and colour scheme, keys as a
// keyboard sends them, what a script says, pictures. For tests and for the pictures of the console.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { WebSocket } from "ws";

const startMs = 60_000;

export interface PageOptions {
  readonly width: number;
  readonly height: number;
  readonly scheme?: "light" | "dark";
  /** As a phone has it. */
  readonly touch?: boolean;
}

type Params = Readonly<Record<string, unknown>>;
type Answer = Record<string, unknown>;
interface Pending {
  resolve(answer: Answer): void;
  reject(error: Error): void;
}

export class Browser implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #folder: string;
  readonly #socket: WebSocket;
  readonly #pending = new Map<number, Pending>();
  readonly #listeners = new Set<(session: string, method: string, params: Answer) => void>();
  #id = 0;

  private constructor(child: ChildProcess, folder: string, socket: WebSocket) {
    this.#child = child;
    this.#folder = folder;
    this.#socket = socket;
    socket.on("message", (data) => this.#heard(String(data)));
  }

  static async start(chromium: string): Promise<Browser> {
    const folder = mkdtempSync(join(tmpdir(), "slipstream-browser-"));
    const flags = [
      "--headless=new",
      "--remote-debugging-port=0",
      `--user-data-dir=${folder}`,
      "--no-first-run",
      "--no-default-browser-check",
    ];
    // A test machine has no user namespaces and often a small /dev/shm; pages are our own.
    const small = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--hide-scrollbars", "--enable-precise-memory-info"];
    const quiet = ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--mute-audio"];
    const child = spawn(chromium, [...flags, ...small, ...quiet, "about:blank"], { stdio: ["ignore", "ignore", "pipe"] });
    const url = await new Promise<string>((resolve, reject) => {
      let text = "";
      const late = setTimeout(() => reject(new Error(`${chromium} did not start in time:\n${text}`)), startMs);
      child.stderr?.on("data", (data: Buffer) => {
        text += data;
        const found = /DevTools listening on (ws:\S+)/.exec(text)?.[1];
        if (!found) return;
        clearTimeout(late);
        resolve(found);
      });
      child.on("exit", (code) => reject(new Error(`${chromium} ended with ${code}:\n${text}`)));
    });
    const socket = new WebSocket(url, { perMessageDeflate: false, maxPayload: 256 << 20 });
    await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
    return new Browser(child, folder, socket);
  }

  async page(options: PageOptions): Promise<Page> {
    // Each page has cookies and storage of its own.
    const { browserContextId } = await this.send("", "Target.createBrowserContext", {});
    const { targetId } = await this.send("", "Target.createTarget", { url: "about:blank", browserContextId });
    const { sessionId } = await this.send("", "Target.attachToTarget", { targetId, flatten: true });
    const page = new Page(this, String(sessionId), String(targetId));
    await page.shape(options);
    return page;
  }

  send(session: string, method: string, params: Params): Promise<Answer> {
    const id = ++this.#id;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      this.#socket.send(JSON.stringify({ id, method, params, ...(session === "" ? {} : { sessionId: session }) }));
    });
  }

  on(listener: (session: string, method: string, params: Answer) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const gone = new Promise((resolve) => this.#child.once("exit", resolve));
    if (this.#child.exitCode === null) {
      this.#child.kill("SIGTERM");
      const late = setTimeout(() => this.#child.kill("SIGKILL"), 5_000);
      await gone;
      clearTimeout(late);
    }
    this.#socket.terminate();
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }

  #heard(text: string): void {
    const said = JSON.parse(text) as {
      id?: number;
      error?: { message: string };
      result?: Answer;
      method?: string;
      params?: Answer;
      sessionId?: string;
    };
    if (said.id === undefined) {
      for (const listener of this.#listeners) listener(said.sessionId ?? "", said.method ?? "", said.params ?? {});
      return;
    }
    const pending = this.#pending.get(said.id);
    this.#pending.delete(said.id);
    if (said.error) pending?.reject(new Error(said.error.message));
    else pending?.resolve(said.result ?? {});
  }
}

/** Keys by name as DevTools wants them; any other is a character. */
const named: Readonly<Record<string, readonly [code: string, keyCode: number, text?: string]>> = {
  Tab: ["Tab", 9],
  Enter: ["Enter", 13, "\r"],
  Escape: ["Escape", 27],
  Backspace: ["Backspace", 8],
  ArrowLeft: ["ArrowLeft", 37],
  ArrowUp: ["ArrowUp", 38],
  ArrowRight: ["ArrowRight", 39],
  ArrowDown: ["ArrowDown", 40],
  End: ["End", 35],
  Home: ["Home", 36],
};
const modifierBits = { Alt: 1, Control: 2, Meta: 4, Shift: 8 } as const;
export type Modifier = keyof typeof modifierBits;

export class Page {
  readonly #browser: Browser;
  readonly #session: string;
  readonly #target: string;
  /** What the page complained of: exceptions, and errors on its console. */
  readonly complaints: string[] = [];

  constructor(browser: Browser, session: string, target: string) {
    this.#browser = browser;
    this.#session = session;
    this.#target = target;
    browser.on((which, method, params) => {
      if (which !== session) return;
      if (method === "Runtime.exceptionThrown") this.complaints.push(JSON.stringify(params["exceptionDetails"]).slice(0, 800));
      const entry = params["entry"] as { level?: string; text?: string; source?: string; url?: string } | undefined;
      // A router that is away is no fault of the page.
      if (method === "Log.entryAdded" && entry?.level === "error" && entry.source !== "network")
        this.complaints.push(`${entry.text} ${entry.url ?? ""}`);
    });
  }

  send(method: string, params: Params = {}): Promise<Answer> {
    return this.#browser.send(this.#session, method, params);
  }

  async shape({ width, height, scheme = "light", touch = false }: PageOptions): Promise<void> {
    for (const domain of ["Page", "Runtime", "Log", "Performance"]) await this.send(`${domain}.enable`);
    await this.send("Emulation.setDeviceMetricsOverride", { width, height, deviceScaleFactor: touch ? 2 : 1, mobile: touch });
    await this.send("Emulation.setTouchEmulationEnabled", { enabled: touch });
    await this.send("Emulation.setEmulatedMedia", { features: [{ name: "prefers-color-scheme", value: scheme }] });
  }

  async open(url: string): Promise<void> {
    await this.send("Page.navigate", { url });
    await this.until("document.readyState === 'complete'");
  }

  async reload(): Promise<void> {
    await this.eval("globalThis.left = true");
    await this.send("Page.reload");
    await this.until("globalThis.left === undefined && document.readyState === 'complete'");
  }

  /** What an expression is, in the page; promises are waited for. */
  async eval<T>(expression: string): Promise<T> {
    const { result, exceptionDetails } = await this.send("Runtime.evaluate", {
      expression,
      awaitPromise: true,
      returnByValue: true,
    });
    if (exceptionDetails) throw new Error(`${expression.slice(0, 200)}: ${JSON.stringify(exceptionDetails).slice(0, 600)}`);
    return (result as { value: T }).value;
  }

  /** Waits until an expression is true, and returns it. */
  async until<T>(expression: string, timeoutMs = 30_000): Promise<T> {
    const until = Date.now() + timeoutMs;
    for (;;) {
      const value = await this.eval<T>(expression).catch(() => undefined);
      if (value) return value;
      if (Date.now() > until)
        throw new Error(
          `not in time: ${expression}\n${await this.eval<string>("document.body.innerText.slice(0, 2000)").catch(() => "")}`,
        );
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }

  async press(key: string, modifiers: readonly Modifier[] = []): Promise<void> {
    const [code, keyCode, control] = named[key] ?? [codeOf(key), keyCodeOf(key)];
    const text = control ?? (named[key] || modifiers.some((each) => each !== "Shift") ? undefined : key);
    const bits = modifiers.reduce((sum, each) => sum + modifierBits[each], 0);
    const event = { key, code, windowsVirtualKeyCode: keyCode, modifiers: bits };
    await this.send("Input.dispatchKeyEvent", {
      ...event,
      type: text === undefined ? "rawKeyDown" : "keyDown",
      ...(text === undefined ? {} : { text }),
    });
    await this.send("Input.dispatchKeyEvent", { ...event, type: "keyUp" });
  }

  async type(text: string, betweenMs = 0): Promise<void> {
    for (const key of text) {
      await this.press(key === "\n" ? "Enter" : key);
      if (betweenMs > 0) await new Promise((resolve) => setTimeout(resolve, betweenMs));
    }
  }

  async click(selector: string): Promise<void> {
    const at = await this.eval<{ x: number; y: number }>(
      `(() => { const e = document.querySelector(${JSON.stringify(selector)}); e.scrollIntoView({ block: "nearest" }); const b = e.getBoundingClientRect(); return { x: b.x + b.width / 2, y: b.y + b.height / 2 }; })()`,
    );
    for (const type of ["mousePressed", "mouseReleased"])
      await this.send("Input.dispatchMouseEvent", { type, ...at, button: "left", clickCount: 1 });
  }

  /** As PNG, the whole height of the page. */
  async picture(): Promise<Buffer> {
    const { data } = await this.send("Page.captureScreenshot", { format: "png", captureBeyondViewport: true });
    return Buffer.from(String(data), "base64");
  }

  async close(): Promise<void> {
    await this.#browser.send("", "Target.closeTarget", { targetId: this.#target });
  }
}

function codeOf(key: string): string {
  if (/^[a-z]$/i.test(key)) return `Key${key.toUpperCase()}`;
  return { "]": "BracketRight", "[": "BracketLeft", "\\": "Backslash", " ": "Space" }[key] ?? "";
}
function keyCodeOf(key: string): number {
  if (/^[a-z0-9]$/i.test(key)) return key.toUpperCase().charCodeAt(0);
  return { "]": 221, "[": 219, "\\": 220, " ": 32 }[key] ?? 0;
}
