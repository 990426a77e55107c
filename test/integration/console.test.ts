// The console as a browser meets it, without one: what the page weighs and may do, who may open a session over a WebSocket, and that
// it is a session like any other: edits, completions, reasons, errors; that what no page may send ends it; that it ends with the router.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { status } from "../../cli/status.ts";
import { HttpPort } from "../support/http.ts";
import { keyFile } from "../support/keys.ts";
import { type Platform, startPlatform } from "../support/platform.ts";
import { until } from "../support/until.ts";

/** Of everything that the page loads, as it travels. */
const gzipBytesMax = 300_000;
const { path: keysFile, keys } = keyFile("acme", "@admin");

let platform: Platform;
let admin: HttpPort;
beforeAll(async () => {
  platform = await startPlatform({ SLIPSTREAM_ROUTER_DOCUMENT_BYTES_MAX: "64KiB", SLIPSTREAM_ROUTER_KEYS_FILE: keysFile });
  admin = new HttpPort(platform.ports.admin);
});
afterAll(async () => void (await platform?.end()));

type Message = Record<string, Record<string, unknown>>;

class Session {
  readonly socket: WebSocket;
  readonly heard: Message[] = [];
  readonly closed: Promise<{ code: number; reason: string }>;
  #wake: () => void = () => {};

  constructor(port: number, headers: Record<string, string> = {}) {
    this.socket = new WebSocket(`ws://127.0.0.1:${port}/session`, { headers });
    this.closed = new Promise((resolve) => {
      this.socket.on("close", (code, reason) => resolve({ code, reason: String(reason) }));
      this.socket.on("error", ({ message }) => resolve({ code: 0, reason: message }));
    });
    this.socket.on("message", (data) => {
      this.heard.push(JSON.parse(String(data)) as Message);
      this.#wake();
    });
  }

  async say(...frames: readonly unknown[]): Promise<this> {
    if (this.socket.readyState === WebSocket.CONNECTING) await new Promise((resolve) => this.socket.once("open", resolve));
    for (const frame of frames) this.socket.send(typeof frame === "string" ? frame : JSON.stringify(frame));
    return this;
  }

  async next(kind: string): Promise<Record<string, unknown>> {
    for (;;) {
      const at = this.heard.findIndex((message) => kind in message);
      if (at >= 0) return this.heard.splice(0, at + 1).at(-1)?.[kind] ?? {};
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

const hello = (sessionId: string) => ({ hello: { protocol: "1", client: "test", clientVersion: "1", sessionId } });
const authorization = `Bearer ${keys.acme.text}`;
const open = {
  documentOpen: {
    documentId: "d",
    path: "a.ts",
    language: "typescript",
    version: "1",
    text: "function add(a, b) {\n  return \n}\n",
  },
};
const trigger = (id: string, more: object = {}) => ({
  trigger: {
    triggerId: id,
    documentId: "d",
    version: "1",
    offsetUtf16: 30,
    kind: "TRIGGER_KIND_INVOKED",
    deadlineMs: 20_000,
    ...more,
  },
});

describe("the page", () => {
  test("all that it loads is small, comes from here alone, and is not sent twice", async () => {
    const index = await fetch(`${admin.url}/console/`);
    const names = [...(await index.text()).matchAll(/(?:href|src)="([\w.]+)"/g)].map((match) => match[1]);
    expect(names.sort()).toEqual(["app.css", "app.js"]);
    let bytes = 0;
    for (const name of ["", ...names]) {
      const response = await fetch(`${admin.url}/console/${name}`);
      expect(response.headers.get("content-encoding")).toBe("gzip");
      bytes += Number(response.headers.get("content-length"));
      expect(response.headers.get("content-security-policy")).toMatch(/default-src 'none'.*connect-src 'self'/);
      const again = await fetch(`${admin.url}/console/${name}`, {
        headers: { "if-none-match": response.headers.get("etag") ?? "" },
      });
      expect(again.status).toBe(304);
      expect(await response.text()).not.toMatch(/https?:\/\/(?!www\.w3\.org\/)[\w.]+\/[\w./-]*\.(js|css|woff2?)/);
    }
    expect(bytes).toBeGreaterThan(50_000);
    expect(bytes).toBeLessThan(gzipBytesMax);
  });

  test("whoever takes no gzip has it whole; the port's root leads to it", async () => {
    const plain = await fetch(`${admin.url}/console/app.css`, { headers: { "accept-encoding": "identity" } });
    expect(plain.headers.get("content-encoding")).toBeNull();
    expect(await plain.text()).toContain("--ground");
    expect((await fetch(`${admin.url}/`, { redirect: "manual" })).headers.get("location")).toBe("/console/");
  });
});

describe("a session over a WebSocket", () => {
  test("is welcomed, completes, tells why it does not, and what is wrong with a message", async () => {
    const session = await new Session(platform.ports.admin).say({ authorization }, hello("s1"), open, trigger("t1"));
    expect(await session.next("welcome")).toMatchObject({ protocol: "1" });
    expect(await session.next("policy")).toMatchObject({ models: [expect.any(String)] });
    const completion = await session.next("completion");
    expect(completion).toMatchObject({
      triggerId: "t1",
      outcome: "OUTCOME_GENERATED",
      cache: { promptTokens: expect.any(Number) },
    });
    expect((completion["items"] as { insertText: string }[])[0]?.insertText).not.toBe("");
    await session.say(trigger("t2", { offsetUtf16: 9_999 }));
    expect(await session.next("nothing")).toMatchObject({ triggerId: "t2", outcome: "OUTCOME_REFUSED" });
    await session.say({ documentEdit: { documentId: "d", baseVersion: "7", version: "8" } });
    expect(await session.next("resync")).toMatchObject({ documentId: "d", heldVersion: "1" });
    session.socket.close();
    await session.closed;
  });

  test.each([
    ["nobody's key", {}, /^unauthenticated: authorization: an API key is required/],
    ["an unknown key", { authorization: "Bearer slp_000000000000_nobody" }, /^unauthenticated: authorization: unknown API key/],
    ["an administrator's key", { authorization: `Bearer ${keys["@admin"].text}` }, /^permission_denied/],
    ["no object", "[]", /^invalid_request: the first frame is not a JSON object/],
  ])("%s is refused by name", async (_, first, reason) => {
    const session = await new Session(platform.ports.admin).say(first, hello("s2"));
    expect(await session.closed).toEqual({ code: 4000, reason: expect.stringMatching(reason) });
    expect(session.heard).toEqual([]);
  });

  test.each([
    ["what is no message", "{", /^invalid_request: message/],
    ["a first message that is not Hello", trigger("t1"), /^invalid_request: message: the first message of a session must be hello/],
  ])("%s ends it", async (_, frame, reason) => {
    const session = await new Session(platform.ports.admin).say({ authorization }, frame);
    expect(await session.closed).toEqual({ code: 4000, reason: expect.stringMatching(reason) });
  });

  test("a frame over the limit ends it", async () => {
    const session = await new Session(platform.ports.admin).say({ authorization }, hello("s3"), " ".repeat(3 << 20));
    expect((await session.closed).code).toBe(1009);
  });

  test.each([
    ["another page", "/session", { origin: "https://elsewhere.example" }, /403/],
    ["a page of another port", "/session", { origin: "http://127.0.0.1:1" }, /403/],
    ["a page whose name was pointed here", "/session", { host: "evil.example", origin: "http://evil.example" }, /403/],
    ["another path", "/elsewhere", {}, /404/],
  ])("%s opens none", async (_, path, headers, reason) => {
    const socket = new WebSocket(`ws://127.0.0.1:${platform.ports.admin}${path}`, { headers });
    const failed = await new Promise<string>((resolve) => socket.on("error", ({ message }) => resolve(message)));
    expect(failed).toMatch(reason);
  });

  test("sockets beyond the limit are refused, and a place is free again when one leaves", async () => {
    const held = Array.from({ length: 64 }, () => new Session(platform.ports.admin));
    await Promise.all(held.map((session) => session.say({ authorization })));
    expect((await new Session(platform.ports.admin).closed).reason).toMatch(/503/);
    for (const { socket } of held) socket.terminate();
    await Promise.all(held.map(({ closed }) => closed));
    const session = new Session(platform.ports.admin);
    await session.say({ authorization }, hello("s4"));
    expect(await session.next("welcome")).toBeDefined();
    session.socket.close();
  });
});

describe("the live stream", () => {
  test("counts what triggers became, by the router's own metrics, and says how it is", async () => {
    const ask = async () => {
      const lines = (await streamed(`${admin.url}/live`, 3)).map(
        (line) => JSON.parse(line) as Record<string, Record<string, unknown>>,
      );
      expect(lines.map((line) => Object.keys(line).join())).toEqual(["head", "past", "frame,now"]);
      return { head: lines[0]?.["head"] ?? {}, frame: lines[2]?.["frame"] ?? {}, now: lines[2]?.["now"] ?? {} };
    };
    const before = await ask();
    const session = await new Session(platform.ports.admin).say({ authorization }, hello("s6"), open, trigger("t9"));
    await session.next("completion");
    const after = await ask();
    session.socket.close();
    const texts = (of: typeof before) => (of.frame["firstText"] as number[]).reduce((sum, each) => sum + each, 0);
    expect(texts(after)).toBe(texts(before) + 1);
    expect(after.head).toMatchObject({ targetMs: 100, everyMs: 1_000 });
    expect((after.frame["firstText"] as number[]).length).toBe((after.head["boundsMs"] as number[]).length + 1);
    expect(after.now).toMatchObject({ ready: true, workers: [{ name: "w1", slots: 4, barred: false }] });
    expect((after.now["sessions"] as number) - (before.now["sessions"] as number)).toBe(1);
    expect(JSON.stringify(after)).not.toMatch(/add\(a|return/);
  });
});

describe("slipstream status --watch", () => {
  const watching = (port: number) => {
    const drawn: string[] = [];
    let stop = () => {};
    const io = {
      ...{ env: {}, out: (text: string) => void drawn.push(text), complain: () => {} },
      on: (_: string, act: () => void) => {
        stop = act;
      },
    };
    return { drawn, stop: () => stop(), ended: status(["--watch", "--address", `127.0.0.1:${port}`], io) };
  };

  test("draws the same stream in a terminal, until it is interrupted", async () => {
    const { drawn, stop, ended } = watching(platform.ports.admin);
    await until("it is drawn twice", () => drawn.length > 1);
    stop();
    expect(await ended).toBe(0);
    expect(drawn[0]).toMatch(/^ready · router router \d[\s\S]*\nfirst text +p50 [\s\S]*\nw1 +\d\/4 slots/);
  });

  test("says so where no router is, or something else", async () => {
    await expect(watching(1).ended).rejects.toMatchObject({
      code: "unavailable",
      message: expect.stringMatching(/no router's admin port at 127.0.0.1:1/),
    });
    await expect(watching(platform.ports.http).ended).rejects.toMatchObject({
      code: "unavailable",
      message: expect.stringMatching(/something answers/),
    });
  });
});

/** The first lines of a stream that does not end. */
async function streamed(url: string, count: number): Promise<string[]> {
  const controller = new AbortController();
  const response = await fetch(url, { signal: controller.signal });
  let text = "";
  for await (const part of response.body as unknown as AsyncIterable<Uint8Array>) {
    text += Buffer.from(part);
    if (text.split("\n").length > count) break;
  }
  controller.abort();
  return text.split("\n").slice(0, count);
}

test("what is open when the router ends is told, and ended with it", async () => {
  const other = await startPlatform({ SLIPSTREAM_ROUTER_GRACE: "500ms" });
  const session = await new Session(other.ports.admin).say({}, hello("s5"));
  await session.next("welcome");
  await other.end();
  expect(await session.next("status")).toMatchObject({ kind: "KIND_DRAINING" });
  expect((await session.closed).code).toBe(1000);
});
