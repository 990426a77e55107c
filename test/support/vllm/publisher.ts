// publisher: the two sockets of an engine's KV events as ZeroMQ has them on the wire: a PUB that numbers its batches, and a ROUTER that
// sends the last ones again. Batches may be lost on purpose, or written in the older, listed form.

import type { AddressInfo } from "node:net";
import { createServer, type Server, type Socket } from "node:net";
import type { BlockEvent } from "./blocks.ts";
import { pack } from "./message-pack.ts";

interface Peer {
  readonly socket: Socket;
  rest: Buffer;
  greeted: boolean;
  subscribed: boolean;
}

const fields = [
  "block_hashes",
  "parent_block_hash",
  "token_ids",
  "block_size",
  "lora_id",
  "medium",
  "lora_name",
  "extra_keys",
] as const;

export class FakePublisher {
  readonly #options: { readonly kept: number; readonly listed: boolean };
  readonly #live: Server;
  readonly #replay: Server;
  readonly #peers = new Set<Peer>();
  #buffer: { sequence: bigint; payload: Buffer }[] = [];
  #next = 0n;
  /** So many of the next batches reach nobody. */
  loseNext = 0;
  /** Batches asked for again. */
  replays = 0;

  private constructor(options: { kept: number; listed: boolean }) {
    this.#options = options;
    this.#live = createServer((socket) => this.#accept(socket, "PUB"));
    this.#replay = createServer((socket) => this.#accept(socket, "ROUTER"));
  }

  static async start(options: { kept?: number; listed?: boolean; ports?: readonly [number, number] } = {}): Promise<FakePublisher> {
    const publisher = new FakePublisher({ kept: options.kept ?? 10_000, listed: options.listed ?? false });
    const [live = 0, replay = 0] = options.ports ?? [];
    await listen(publisher.#live, live);
    await listen(publisher.#replay, replay);
    return publisher;
  }

  get ports(): [live: number, replay: number] {
    return [(this.#live.address() as AddressInfo).port, (this.#replay.address() as AddressInfo).port];
  }

  get endpoints(): { endpoint: string; replay: string } {
    const [live, replay] = this.ports;
    return { endpoint: `tcp://*:${live}`, replay: `tcp://127.0.0.1:${replay}` };
  }

  get subscribers(): number {
    return [...this.#peers].filter(({ subscribed }) => subscribed).length;
  }

  publish(events: readonly BlockEvent[]): void {
    this.publishRaw(pack([1.5, events.map((event) => this.#written(event)), 0]));
  }

  publishRaw(payload: Buffer): void {
    const sequence = this.#next++;
    this.#buffer.push({ sequence, payload });
    if (this.#buffer.length > this.#options.kept) this.#buffer.shift();
    if (this.loseNext > 0) {
      this.loseNext -= 1;
      return;
    }
    for (const peer of this.#peers) if (peer.subscribed) send(peer.socket, [Buffer.alloc(0), numbered(sequence), payload]);
  }

  /** Connections break; who is still there may come again. */
  cut(): void {
    for (const { socket } of this.#peers) socket.destroy();
  }

  async close(): Promise<void> {
    const closed = [this.#live, this.#replay].map((server) => new Promise((resolve) => server.close(resolve)));
    this.cut();
    await Promise.all(closed);
  }

  #written(event: BlockEvent): unknown {
    const whole = { lora_id: null, medium: "GPU", lora_name: null, ...event };
    if (!this.#options.listed) return event.type === "AllBlocksCleared" ? { type: event.type } : whole;
    if (event.type === "AllBlocksCleared") return [event.type];
    if (event.type === "BlockRemoved") return [event.type, event.block_hashes, "GPU"];
    return [event.type, ...fields.map((field) => whole[field] ?? null)];
  }

  #accept(socket: Socket, kind: "PUB" | "ROUTER"): void {
    const peer: Peer = { socket, rest: Buffer.alloc(0), greeted: false, subscribed: false };
    this.#peers.add(peer);
    socket.on("close", () => this.#peers.delete(peer));
    socket.on("error", () => {});
    const hello = Buffer.alloc(64);
    hello.set([0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0x7f, 3, 0]);
    hello.write("NULL", 12, "latin1");
    socket.write(hello);
    socket.on("data", (bytes: Buffer) => {
      peer.rest = Buffer.concat([peer.rest, bytes]);
      if (!peer.greeted) {
        if (peer.rest.length < 64) return;
        peer.rest = peer.rest.subarray(64);
        peer.greeted = true;
        const type = Buffer.concat([
          Buffer.from("\u0005READY\u000bSocket-Type"),
          Buffer.of(0, 0, 0, kind.length),
          Buffer.from(kind),
        ]);
        socket.write(Buffer.concat([Buffer.of(4, type.length), type]));
      }
      this.#frames(peer, kind);
    });
  }

  /** What a peer says is short: a subscription, or an empty frame and a number. */
  #frames(peer: Peer, kind: "PUB" | "ROUTER"): void {
    while (peer.rest.length >= 2 && peer.rest.length >= 2 + (peer.rest[1] as number)) {
      const [flags = 0, length = 0] = peer.rest;
      const body = peer.rest.subarray(2, 2 + length);
      peer.rest = peer.rest.subarray(2 + length);
      if (flags & 4) continue;
      if (kind === "PUB") peer.subscribed = body[0] === 1;
      else if (body.length === 8) this.#again(peer.socket, body.readBigUInt64BE());
    }
  }

  #again(socket: Socket, from: bigint): void {
    this.replays += 1;
    for (const { sequence, payload } of this.#buffer)
      if (sequence >= from) send(socket, [Buffer.alloc(0), Buffer.alloc(0), numbered(sequence), payload]);
    send(socket, [Buffer.alloc(0), Buffer.alloc(0), Buffer.alloc(8, 0xff), Buffer.alloc(0)]);
  }
}

function numbered(sequence: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(sequence);
  return bytes;
}

function send(socket: Socket, frames: readonly Buffer[]): void {
  for (const [index, frame] of frames.entries()) {
    const more = index < frames.length - 1 ? 1 : 0;
    const long = frame.length > 255;
    const head = Buffer.alloc(long ? 9 : 2);
    head[0] = more | (long ? 2 : 0);
    if (long) head.writeBigUInt64BE(BigInt(frame.length), 1);
    else head[1] = frame.length;
    socket.write(Buffer.concat([head, frame]));
  }
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => resolve());
  });
}
