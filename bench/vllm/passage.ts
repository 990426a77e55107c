// passage: a door between the agent and an engine that does harm when told to: what the next answers meet is chosen by their caller, the
// connections of the engine's events can be cut, and where the engine is may change. HTTP for its pages, plain TCP for its events.
import { createServer, type IncomingMessage, request as plainRequest, type Server, type ServerResponse } from "node:http";
import { type AddressInfo, connect, createServer as createTcpServer, type Socket, type Server as TcpServer } from "node:net";

/** What becomes of one answer: passed on, cut before or within it, broken by bytes that make no sense, or kept back for ever. */
export type Harm = "none" | "cut_before" | "cut_within" | "garbage" | "kept_back";

export class Passage {
  readonly #server: Server;
  readonly #harm: () => Harm;
  readonly #sockets = new Set<Socket>();
  readonly #tunnels: Tunnel[] = [];
  #target = "";

  private constructor(harm: () => Harm) {
    this.#harm = harm;
    this.#server = createServer((request, response) => this.#pass(request, response));
    this.#server.on("connection", (socket) => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
    });
  }

  /** `harm` is asked once for each generation. */
  static async open(harm: () => Harm): Promise<Passage> {
    const passage = new Passage(harm);
    await new Promise<void>((resolve) => passage.#server.listen(0, "127.0.0.1", resolve));
    // Its events, and those that are asked for again.
    passage.#tunnels.push(await Tunnel.open(), await Tunnel.open());
    return passage;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get connections(): number {
    return this.#sockets.size;
  }

  lead(target: string): void {
    this.#target = target;
  }

  cutEvents(): void {
    for (const tunnel of this.#tunnels) tunnel.cut();
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    for (const tunnel of this.#tunnels) tunnel.close();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #pass(request: IncomingMessage, response: ServerResponse): void {
    const path = request.url ?? "/";
    const harm = path === "/v1/completions" ? this.#harm() : "none";
    // A reset would wait for what is on its way out, and where the other side leaves meanwhile Node forgets the open handle.
    const cut = () => response.socket?.destroy();
    if (harm === "cut_before") {
      request.resume().on("end", cut);
      return;
    }
    const on = plainRequest(`${this.#target}${path}`, { method: request.method, headers: request.headers }, (answer) => {
      if (path === "/kv_event_sources") {
        void textOf(answer).then((text) => this.#events(text, answer.statusCode ?? 500, response));
        return;
      }
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      let parts = 0;
      answer.on("data", (part: Buffer) => {
        parts += 1;
        if (harm === "kept_back" && parts > 1) return;
        response.write(part);
        if (parts < 2) return;
        if (harm === "garbage") response.write("data: {'half of a\u0000\n\n");
        if (harm === "cut_within") cut();
      });
      answer.on("end", () => harm !== "kept_back" && response.end());
      answer.on("error", cut);
    });
    on.on("error", cut);
    // As a proxy does that passes a closed connection on.
    response.on("close", () => on.destroy());
    request.pipe(on);
  }

  /** Where its events are, behind our own doors. */
  #events(text: string, status: number, response: ServerResponse): void {
    const sources = status === 200 ? (JSON.parse(text) as Record<string, Record<string, unknown>>) : {};
    for (const source of Object.values(sources))
      for (const [index, field] of ["endpoint", "replay_endpoint"].entries()) {
        const port = /:(\d+)$/.exec(String(source[field]))?.[1];
        const tunnel = this.#tunnels[index];
        if (port === undefined || !tunnel) continue;
        tunnel.lead(Number(port));
        source[field] = `tcp://127.0.0.1:${tunnel.port}`;
      }
    response.writeHead(status, { "content-type": "application/json" });
    response.end(JSON.stringify(sources));
  }
}

class Tunnel {
  readonly #server: TcpServer;
  readonly #sockets = new Set<Socket>();
  #target = 0;

  private constructor() {
    this.#server = createTcpServer((socket) => {
      const on = connect(this.#target, "127.0.0.1");
      for (const [from, to] of [
        [socket, on],
        [on, socket],
      ] as const) {
        this.#sockets.add(from);
        from.on("error", () => to.destroy());
        from.on("close", () => {
          this.#sockets.delete(from);
          to.destroy();
        });
        from.pipe(to);
      }
    });
  }

  static async open(): Promise<Tunnel> {
    const tunnel = new Tunnel();
    await new Promise<void>((resolve) => tunnel.#server.listen(0, "127.0.0.1", resolve));
    return tunnel;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  lead(port: number): void {
    this.#target = port;
  }

  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  close(): void {
    this.cut();
    this.#server.close();
  }
}

async function textOf(answer: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of answer) parts.push(part as Buffer);
  return Buffer.concat(parts).toString("utf8");
}
