// zmtp: one connection of ZeroMQ's wire protocol (ZMTP 3.0, NULL security; rfc.zeromq.org/spec/23), as a client: the messages of
// a publisher (SUB), or of a router that answers (DEALER). Whole messages come out as lists of frames; frames are bounded.
import { connect, type Socket } from "node:net";
import { SlipstreamError } from "../../../../lib/errors.ts";

export interface ZmtpOptions {
  /** "tcp://host:port" or "ipc://path". */
  readonly endpoint: string;
  readonly kind: "SUB" | "DEALER";
  /** Of a SUB: the beginning of the topics that it wants. */
  readonly topic?: string;
}

export interface ZmtpReader {
  /** The peers have agreed; messages may be sent. */
  ready?(): void;
  message(frames: readonly Buffer[]): void;
  /** Once. Never after `close`. */
  end(why: SlipstreamError): void;
}

const greetingBytes = 64;
const frameBytesMax = 64 << 20;
const framesMax = 16;
const flag = { more: 1, long: 2, command: 4 } as const;

export class ZmtpConnection {
  readonly #options: ZmtpOptions;
  readonly #reader: ZmtpReader;
  readonly #socket: Socket;
  #rest: Buffer = Buffer.alloc(0);
  /** What is read next. */
  #state: "greeting" | "ready" | "messages" = "greeting";
  #frames: Buffer[] = [];
  #over = false;

  constructor(options: ZmtpOptions, deps: { reader: ZmtpReader }) {
    this.#options = options;
    this.#reader = deps.reader;
    this.#socket = connect(target(options.endpoint));
    this.#socket.setNoDelay(true);
    this.#socket.on("connect", () => this.#socket.write(greeting()));
    this.#socket.on("data", (bytes: Buffer) => this.#data(bytes));
    this.#socket.on("error", (error) => this.#end(error.message));
    this.#socket.on("close", () => this.#end("the connection is closed"));
  }

  /** A message of a DEALER. */
  send(frames: readonly Buffer[]): void {
    for (const [index, frame] of frames.entries()) this.#write(index < frames.length - 1 ? flag.more : 0, frame);
  }

  close(): void {
    this.#over = true;
    this.#socket.destroy();
  }

  #data(bytes: Buffer): void {
    this.#rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    if (this.#state === "greeting" && !this.#greeted()) return;
    while (!this.#over) {
      const frame = takeFrame(this.#rest);
      if (frame === undefined) return;
      if (frame === "too long") {
        this.#end(`a frame has more than ${frameBytesMax} bytes`);
        return;
      }
      this.#rest = frame.rest;
      this.#frame(frame.flags, frame.body);
    }
  }

  #greeted(): boolean {
    if (this.#rest.length < greetingBytes) return false;
    const mechanism = this.#rest.toString("latin1", 12, 32).replaceAll("\u0000", "");
    if (this.#rest[0] !== 0xff || this.#rest[9] !== 0x7f || (this.#rest[10] ?? 0) < 3 || mechanism !== "NULL") {
      this.#end("it does not speak ZMTP 3 without security");
      return false;
    }
    this.#rest = this.#rest.subarray(greetingBytes);
    this.#state = "ready";
    this.#write(flag.command, readyCommand(this.#options.kind));
    return true;
  }

  #frame(flags: number, body: Buffer): void {
    if (flags & flag.command) {
      const name = body.toString("latin1", 1, 1 + (body[0] ?? 0));
      if (name === "ERROR") this.#end("the other side refuses");
      if (name === "READY" && this.#state === "ready") this.#agreed();
      return;
    }
    if (this.#frames.length >= framesMax) {
      this.#end(`a message has more than ${framesMax} frames`);
      return;
    }
    this.#frames.push(body);
    if (flags & flag.more) return;
    const frames = this.#frames;
    this.#frames = [];
    this.#reader.message(frames);
  }

  #agreed(): void {
    this.#state = "messages";
    // A 3.0 peer subscribes by a message: one, and the topic.
    if (this.#options.kind === "SUB") this.#write(0, Buffer.concat([Buffer.of(1), Buffer.from(this.#options.topic ?? "")]));
    this.#reader.ready?.();
  }

  #write(flags: number, body: Buffer): void {
    const long = body.length > 255;
    const head = Buffer.alloc(long ? 9 : 2);
    head[0] = flags | (long ? flag.long : 0);
    if (long) head.writeBigUInt64BE(BigInt(body.length), 1);
    else head[1] = body.length;
    this.#socket.write(Buffer.concat([head, body]));
  }

  #end(why: string): void {
    if (this.#over) return;
    this.#over = true;
    this.#socket.destroy();
    this.#reader.end(new SlipstreamError("unavailable", `${this.#options.endpoint}: ${why}`));
  }
}

function target(endpoint: string): { host: string; port: number } | { path: string } {
  const ipc = /^ipc:\/\/(.+)$/.exec(endpoint);
  if (ipc?.[1]) return { path: ipc[1] };
  const tcp = /^tcp:\/\/(\[[^\]]+\]|[^:]+):(\d+)$/.exec(endpoint);
  if (!tcp) throw new SlipstreamError("config", `${JSON.stringify(endpoint)} is no endpoint like tcp://127.0.0.1:5557`);
  return { host: (tcp[1] as string).replace(/^\[|\]$/g, ""), port: Number(tcp[2]) };
}

function greeting(): Buffer {
  const bytes = Buffer.alloc(greetingBytes);
  bytes[0] = 0xff;
  bytes[9] = 0x7f;
  bytes[10] = 3;
  bytes.write("NULL", 12, "latin1");
  return bytes;
}

function readyCommand(kind: string): Buffer {
  const property = (name: string, value: string) => {
    const head = Buffer.alloc(1 + name.length + 4);
    head[0] = name.length;
    head.write(name, 1, "latin1");
    head.writeUInt32BE(value.length, 1 + name.length);
    return Buffer.concat([head, Buffer.from(value, "latin1")]);
  };
  const name = Buffer.concat([Buffer.of(5), Buffer.from("READY", "latin1")]);
  return Buffer.concat([name, property("Socket-Type", kind), property("Identity", "")]);
}

function takeFrame(bytes: Buffer): { flags: number; body: Buffer; rest: Buffer } | "too long" | undefined {
  const flags = bytes[0];
  if (flags === undefined) return undefined;
  const headBytes = flags & flag.long ? 9 : 2;
  if (bytes.length < headBytes) return undefined;
  const length = flags & flag.long ? Number(bytes.readBigUInt64BE(1)) : (bytes[1] as number);
  if (length > frameBytesMax) return "too long";
  if (bytes.length < headBytes + length) return undefined;
  return { flags, body: bytes.subarray(headBytes, headBytes + length), rest: bytes.subarray(headBytes + length) };
}
