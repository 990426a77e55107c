// console-stage: what the console is looked at with: a `slipstream up` of its own, and people who type at it through sessions of their
// own, so many keys a second.
import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { WebSocket } from "ws";
import { root } from "./child.ts";

/** A busy machine builds first. */
const startMs = 170_000;

export interface Up {
  readonly url: string;
  readonly pid: number;
  end(signal?: NodeJS.Signals): Promise<void>;
}

export async function startUp(
  adminPort = 0,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<Up> {
  const ports = ["--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0", "--admin", `127.0.0.1:${adminPort}`];
  const child: ChildProcess = spawn(process.execPath, [join(root, "bin", "slipstream.js"), "up", ...ports, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...env },
  });
  const gone = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const url = await new Promise<string>((resolve, reject) => {
    let text = "";
    const late = setTimeout(() => {
      child.kill("SIGKILL");
      reject(new Error(`not ready in time:\n${text}`));
    }, startMs);
    const read = (data: Buffer) => {
      text += data;
      const found = /admin +(http:\/\/127\.0\.0\.1:\d+)/.exec(text)?.[1];
      if (!found || !text.includes("Ctrl-C")) return;
      clearTimeout(late);
      resolve(found);
    };
    child.stdout?.on("data", read);
    child.stderr?.on("data", read);
    child.once("close", (code) => reject(new Error(`ended with ${code}:\n${text}`)));
  });
  return {
    url,
    pid: child.pid ?? 0,
    async end(signal = "SIGTERM") {
      if (child.exitCode === null) child.kill(signal);
      await gone;
    },
  };
}

export interface Typing {
  /** Keys typed until now. */
  readonly keys: () => number;
  stop(): Promise<void>;
}

/** Code that is typed: this file's own. */
const text = readFileSync(join(root, "router", "pipeline.ts"), "utf8");

/** People at the router of `url`, each in a document of their own, which begins anew when it is typed. */
export function typeFor(url: string, { keysPerSecond, sessions }: { keysPerSecond: number; sessions: number }): Typing {
  let keys = 0;
  const typed = () => {
    keys += 1;
  };
  const people = Array.from({ length: sessions }, (_, i) => new Typist(url, i, typed));
  const everyMs = (1_000 * sessions) / keysPerSecond;
  const timers = people.map((person) => setInterval(() => person.key(), everyMs));
  return {
    keys: () => keys,
    async stop() {
      for (const timer of timers) clearInterval(timer);
      await Promise.all(people.map((person) => person.close()));
    },
  };
}

class Typist {
  readonly #socket: WebSocket;
  readonly #typed: () => void;
  readonly #start: number;
  readonly #name: string;
  #at = 0;
  #version = 1;
  #document = 0;

  constructor(url: string, i: number, typed: () => void) {
    this.#typed = typed;
    this.#start = 2_000 + i * 400;
    this.#name = `typist-${i}-${process.pid}`;
    this.#socket = new WebSocket(`${url.replace("http", "ws")}/session`);
    this.#socket.on("open", () => {
      this.#socket.send("{}");
      this.#say({ hello: { protocol: "1", client: "typist", clientVersion: "1", sessionId: this.#name } });
      this.#open();
    });
    // Whoever types does not look.
    this.#socket.on("message", () => {});
    this.#socket.on("error", () => {});
  }

  key(): void {
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    if (this.#at > 600) this.#open();
    const offset = this.#start + this.#at;
    const documentId = `d${this.#document}`;
    this.#say({
      documentEdit: {
        ...{ documentId, baseVersion: String(this.#version), version: String(this.#version + 1) },
        edits: [{ startUtf16: offset, endUtf16: offset, text: text[offset] ?? " " }],
      },
    });
    this.#version += 1;
    this.#at += 1;
    const trigger = { documentId, version: String(this.#version), offsetUtf16: offset + 1, kind: "TRIGGER_KIND_AUTO" };
    this.#say({ trigger: { ...trigger, triggerId: `${this.#name}-${this.#document}-${this.#version}`, stream: true } });
    this.#typed();
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#socket.readyState === WebSocket.CLOSED) return resolve();
      this.#socket.once("close", () => resolve());
      this.#socket.close();
    });
  }

  #open(): void {
    if (this.#document > 0) this.#say({ documentClose: { documentId: `d${this.#document}` } });
    this.#document += 1;
    this.#at = 0;
    this.#version = 1;
    const document = { documentId: `d${this.#document}`, path: "pipeline.ts", language: "typescript", version: "1" };
    this.#say({ documentOpen: { ...document, text: text.slice(0, this.#start) + text.slice(this.#start + 700) } });
  }

  #say(message: object): void {
    this.#socket.send(JSON.stringify(message));
  }
}
