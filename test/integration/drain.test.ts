// Routers and workers of their own processes taken out of service by `slipstream drain` while people type: nobody loses a key.
import { createServer, connect as dialled, type Server, type Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connect } from "../../editor/sdk/sdk.ts";
import { type Running, slipstream, start } from "../support/command.ts";
import { pause, until } from "../support/until.ts";

interface Started {
  readonly running: Running;
  readonly ports: Readonly<Record<string, number>>;
}

/** Its settings by environment, its ports as it logs them. */
async function started(name: "router" | "worker", env: Record<string, string>): Promise<Started> {
  const any = "127.0.0.1:0";
  const prefix = `SLIPSTREAM_${name.toUpperCase()}_`;
  const addresses = name === "router" ? ["GRPC_ADDRESS", "HTTP_ADDRESS", "ADMIN_ADDRESS"] : ["ADDRESS", "ADMIN_ADDRESS"];
  const settings = Object.fromEntries([
    ...addresses.map((each) => [`${prefix}${each}`, any]),
    ...Object.entries(env).map(([each, value]) => [`${prefix}${each}`, value]),
  ]);
  const running = await start(process.execPath, ["bin/slipstream.js", name], /"listening"/, settings);
  const line =
    running
      .out()
      .split("\n")
      .find((each) => each.includes('"listening"')) ?? "{}";
  return { running, ports: JSON.parse(line) };
}

/** What leads connections as a Service does: new ones to who is ready, by its probe; those that are open stay where they are. */
class Balancer implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #routers: readonly Started[];
  readonly #port: "grpc" | "http";
  #turn = 0;

  constructor(routers: readonly Started[], port: "grpc" | "http") {
    this.#routers = routers;
    this.#port = port;
    this.#server = createServer((socket) => void this.#lead(socket));
  }

  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return (this.#server.address() as { port: number }).port;
  }

  async #lead(socket: Socket): Promise<void> {
    const ready: Started[] = [];
    for (const router of this.#routers) if (await isReady(router)) ready.push(router);
    const chosen = ready[this.#turn++ % Math.max(1, ready.length)];
    if (!chosen) return void socket.destroy();
    const onward = dialled(chosen.ports[this.#port] as number, "127.0.0.1");
    for (const [from, to] of [
      [socket, onward],
      [onward, socket],
    ] as const) {
      this.#sockets.add(from);
      from.on("error", () => to.destroy());
      from.on("close", () => this.#sockets.delete(from));
      from.pipe(to);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

const isReady = async ({ ports }: Started) => (await fetch(`http://127.0.0.1:${ports["admin"]}/readyz`)).status === 200;
const adminOf = ({ ports }: Started) => `127.0.0.1:${ports["admin"] ?? ports["adminPort"]}`;
const toldBy = async (of: Started) => (await fetch(`http://${adminOf(of)}/drain`)).json() as Promise<Record<string, unknown>>;

/** One of them types until told to stop, by a session that comes back by itself. */
function person(address: string, number: number) {
  const told = { asked: 0, states: [] as string[], lost: [] as string[] };
  const session = connect(
    { address, client: { name: "test", version: "1" } },
    {
      state: ({ is }) => {
        if (is !== "closed") told.states.push(is);
      },
    },
  );
  const text = `export function add${number}(a: number, b: number) {\n  \n}\n`;
  const document = session.open({ id: `${number}.ts`, path: `${number}.ts`, language: "typescript", text });
  let typing = true;
  const over = (async () => {
    for (let n = 0; typing; n++) {
      const [start, typed] = [text.indexOf("\n}"), `const v${n} = `];
      document.edit([{ start, end: start, text: typed }]);
      told.asked += 1;
      const answer = await session.ask(document, { offset: start + typed.length, kind: "invoked", deadlineMs: 20_000 }).answer;
      if (answer.type === "nothing" && answer.outcome !== "empty")
        told.lost.push(`${answer.outcome} ${answer.reason} ${answer.detail}`);
      document.edit([{ start, end: start + typed.length, text: "" }]);
      await pause(30);
    }
    session.close();
  })();
  const stop = async () => {
    typing = false;
    await over;
    return told;
  };
  return { told, stop };
}

describe("slipstream drain", () => {
  const workers: Started[] = [];
  const routers: Started[] = [];
  let grpc: Balancer;
  let http: Balancer;
  let [address, page] = ["", ""];
  beforeAll(async () => {
    // One after the other: each start is a whole second of a processor.
    for (const NAME of ["w1", "w2"]) workers.push(await started("worker", { ENGINE: "simulated", NAME, HAND_OVER: "2s" }));
    const WORKERS = workers.map(({ ports }) => `127.0.0.1:${ports["port"]}`).join(",");
    for (const NAME of ["r1", "r2"])
      routers.push(await started("router", { NAME, WORKERS, GRACE: "10s", CONNECTION_NOTICE: "5s" }));
    for (const router of routers) await until("a router is ready", () => isReady(router));
    [grpc, http] = [new Balancer(routers, "grpc"), new Balancer(routers, "http")];
    [address, page] = [`127.0.0.1:${await grpc.listen()}`, `http://127.0.0.1:${await http.listen()}`];
  }, 240_000);
  afterAll(async () => {
    await grpc?.[Symbol.asyncDispose]();
    await http?.[Symbol.asyncDispose]();
    for (const { running } of [...routers, ...workers]) await running.end("SIGTERM");
  });

  test("routers in turn: sessions move to the other, kept connections of single calls too, and nobody loses a key", async () => {
    const people = Array.from({ length: 4 }, (_, number) => person(address, number));
    // A client of the compatible endpoint, whose connections are kept between its calls.
    let calling = true;
    const statuses = new Set<number>();
    const calls = (async () => {
      for (let n = 0; calling; n++) {
        const body = JSON.stringify({ prompt: `const w${n} = `, suffix: ";\n", max_tokens: 4 });
        const headers = { "content-type": "application/json" };
        const answer = await fetch(`${page}/v1/completions`, { method: "POST", headers, body });
        await answer.text();
        statuses.add(answer.status);
        await pause(30);
      }
    })();
    await until("all type", () => people.every(({ told }) => told.asked > 3));
    for (const router of routers) {
      const { code, out, err } = await slipstream(["drain", "--address", adminOf(router), "--leave", "300ms"]);
      expect({ code, err }).toEqual({ code: 0, err: "" });
      expect(out).toMatch(
        /^ +0\.0 s {2}router leaving: \d sessions? open, \d triggers? under way\n[\s\S]*router drained: 0 sessions open, 0/,
      );
      expect(await toldBy(router)).toEqual({ process: "router", state: "drained", sessions: 0, triggers: 0 });
      expect(await isReady(router)).toBe(false);
      // Each is at the other now, which it found before it let go of this one.
      const other = routers.find((each) => each !== router) as Started;
      expect(await toldBy(other)).toMatchObject({ state: "serving", sessions: people.length });
      const answered = people.map(({ told }) => told.asked);
      await until("all type on at the other", () => people.every(({ told }, i) => told.asked > (answered[i] as number) + 2));
      const undone = await slipstream(["drain", "--address", adminOf(router), "--undo"]);
      expect([undone.code, undone.out]).toEqual([0, expect.stringContaining("router serving: 0 sessions open")]);
      await until("it is ready again", () => isReady(router));
    }
    calling = false;
    await calls;
    const told = await Promise.all(people.map(({ stop }) => stop()));
    expect(told.flatMap(({ lost }) => lost)).toEqual([]);
    for (const { states } of told) expect(states).toEqual(["ready"]);
    expect([...statuses]).toEqual([200]);
  }, 120_000);

  test("a worker: its sessions are moved and it ends what runs, then it serves again", async () => {
    const people = Array.from({ length: 3 }, (_, number) => person(address, 10 + number));
    await until("all type", () => people.every(({ told }) => told.asked > 3));
    const [worker] = workers as [Started];
    const { code, out, err } = await slipstream(["drain", "--address", adminOf(worker), "--json"]);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    const lines = out.trim().split("\n");
    expect(JSON.parse(lines.at(-1) ?? "")).toEqual({ process: "worker", state: "drained", routers: 0, generations: 0 });
    const asked = people.map(({ told }) => told.asked);
    await until("all type on", () => people.every(({ told }, i) => told.asked > (asked[i] as number) + 2));
    expect((await slipstream(["drain", "--address", adminOf(worker), "--undo"])).code).toBe(0);
    expect(await toldBy(worker)).toMatchObject({ state: "serving" });
    const told = await Promise.all(people.map(({ stop }) => stop()));
    expect(told.flatMap(({ lost }) => lost)).toEqual([]);
  }, 120_000);

  test("where nobody else is, the deadline is said with what is left, the session is served on, and Ctrl-C ends the waiting alone", async () => {
    const [router] = routers as [Started];
    const lone = person(`127.0.0.1:${router.ports["grpc"]}`, 20);
    await until("they type", () => lone.told.asked > 3);
    const at = ["--address", adminOf(router), "--leave", "0"];
    const late = await slipstream(["drain", ...at, "--deadline", "1500ms"]);
    expect(late.out).not.toContain("drained");
    expect([late.code, late.err]).toEqual([
      75,
      expect.stringMatching(/not drained within 1\.5 s: 1 session open, .*goes on draining/),
    ]);
    const { asked } = lone.told;
    await until("they type on", () => lone.told.asked > asked + 3);
    const waiting = await start(process.execPath, ["bin/slipstream.js", "drain", ...at], /router moving/);
    expect(await waiting.end("SIGINT")).toBe(130);
    expect(waiting.out()).toContain("goes on draining (--undo takes it back)");
    expect(await toldBy(router)).toMatchObject({ state: "moving" });
    expect((await slipstream(["drain", ...at, "--undo"])).code).toBe(0);
    expect((await lone.stop()).lost).toEqual([]);
  }, 120_000);

  test("a web page beside an administrator drains nothing, and a wrong time is named", async () => {
    const [router] = routers as [Started];
    const from = await fetch(`http://${adminOf(router)}/drain`, { method: "POST", headers: { origin: "http://a.example" } });
    const wrong = await fetch(`http://${adminOf(router)}/drain?leave=soon`, { method: "POST" });
    expect([from.status, wrong.status, await wrong.text()]).toEqual([403, 400, expect.stringContaining("leave: is not a whole")]);
    expect(await toldBy(router)).toMatchObject({ state: "serving" });
  });
});
