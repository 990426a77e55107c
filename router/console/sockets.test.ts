import { EventEmitter } from "node:events";
import { Duplex } from "node:stream";
import type { FastifyInstance } from "fastify";
import { expect, test } from "vitest";
import { FakeClock } from "../../lib/clock.fake.ts";
import { silentLog } from "../../lib/log.ts";
import { serveSockets } from "./sockets.ts";

/** What asks for a socket, and what it is told. */
class Asking extends Duplex {
  told = "";

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.told += String(chunk);
    done();
  }
}

function ask(loopback: boolean, url: string, headers: Record<string, string>): Asking {
  const server = new EventEmitter();
  const app = { server, addHook: () => {} } as unknown as FastifyInstance;
  const nobody = () => {
    throw new Error("nobody came so far");
  };
  serveSockets(
    app,
    { messageBytesMax: 1_000, socketsMax: 1, loopback },
    { clock: new FakeClock(), log: silentLog, ingress: { caller: nobody, helloMs: 1_000 }, session: nobody },
  );
  const socket = new Asking();
  server.emit("upgrade", { url, headers, method: "GET" }, socket, Buffer.alloc(0));
  return socket;
}

/** Refused by us, or handed on to the handshake, which finds that this is none. */
test.each([
  ["its own page", true, { host: "127.0.0.1:7413", origin: "http://127.0.0.1:7413" }, "400"],
  ["a program", true, { host: "localhost:7413" }, "400"],
  ["a page whose name was pointed at this machine", true, { host: "evil.example:7413", origin: "http://evil.example:7413" }, "403"],
  ["a program that names another Host", true, { host: "evil.example:7413" }, "403"],
  ["the page of a port with a name of its own", false, { host: "code.example:7413", origin: "https://code.example:7413" }, "400"],
  ["another page", false, { host: "code.example:7413", origin: "https://evil.example:7413" }, "403"],
])("%s (on loopback: %s) is answered so", (_, loopback, headers, status) => {
  expect(ask(loopback, "/session", headers).told).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
});

test("one that is refused and resets is gone, and takes nobody with it", async () => {
  const socket = ask(true, "/elsewhere", { host: "127.0.0.1" });
  expect(() => socket.emit("error", new Error("ECONNRESET"))).not.toThrow();
  expect(socket.destroyed).toBe(true);
});

test("one that is refused and stays is let go", async () => {
  const socket = ask(true, "/elsewhere", { host: "127.0.0.1" });
  await new Promise((resolve) => socket.once("close", resolve));
  expect(socket.told).toMatch(/^HTTP\/1.1 404 /);
});
