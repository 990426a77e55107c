// Two routers on a real nats-server: the measurement that shows it, and the operations page's commands as written.
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { create, fromBinary } from "@bufbuild/protobuf";
import { afterAll, expect, test } from "vitest";
import { GrpcClient } from "../../lib/grpc/client.ts";
import { packageRoot } from "../../lib/package-root.ts";
import { CompleteRequestSchema, CompletionService } from "../../proto/gen/slipstream/v1/completion_pb.ts";
import { OutcomeBatchSchema } from "../../proto/gen/slipstream/v1/fleet_pb.ts";
import { type Running, shell, slipstream, start } from "../support/command.ts";
import { defaultPorts } from "../support/default-ports.ts";
import { messagesIn, natsServer, startNats } from "../support/nats.ts";
import { freePort } from "../support/ports.ts";

const here = test.skipIf(natsServer.path === undefined);
const running: Running[] = [];
const folder = mkdtempSync(join(tmpdir(), "slipstream-routers-"));
let ports: AsyncDisposable | undefined;
afterAll(async () => {
  for (const each of running.reverse()) await each.end("SIGTERM");
  await ports?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

here("a key at one router ends the older text at the other, and NATS may die: every trigger has its one outcome", async () => {
  const words = ["--nats-server", natsServer.path as string, "--people", "4", "--duration", "12s", "--json"];
  const { code, out, err } = await slipstream(["bench", "fleet", ...words]);
  expect({ code, err: code === 0 ? "" : err + out }).toEqual({ code: 0, err: "" });
  const report = JSON.parse(out);
  expect(report).toMatchObject({ failed: 0, nats: { degraded_said: true }, stream: { equal: true, in_order: true } });
  expect(report.stream.outcomes).toBe(report.triggers);
  expect(report.supersede.pairs).toBeGreaterThan(5);
  // A machine that is busy lets some of the older texts end by themselves before the news.
  expect(report.supersede.missed).toBeLessThan(report.supersede.pairs / 2);
  expect(report.supersede.abort_ms.p50).toBeGreaterThan(0);
});

const page = readFileSync(join(packageRoot(), "docs/operations/several-routers.md"), "utf8");
const section = page.split(/^## /m).find((part) => part.startsWith("Try it\n")) ?? "";
const [nats = "", worker = "", first = "", second = "", use = "", ...more] = [...section.matchAll(/```sh\n([\s\S]*?)```/g)].map(
  (block) => (block[1] ?? "").trim(),
);

here("the commands of the page work as written, with NATS and after it was stopped", async () => {
  expect(more).toEqual([]);
  ports = await defaultPorts();
  for (const name of ["bin", "docs", "node_modules", "models", "package.json", "dist"])
    symlinkSync(join(packageRoot(), name), join(folder, name));
  const path = `${dirname(natsServer.path as string)}:${process.env["PATH"]}`;
  const inFolder = (line: string) => `cd ${folder} && export PATH=${path} && ${line}`;
  const server = await start("bash", ["-c", inFolder(nats)], /Server is ready/);
  running.push(server);
  running.push(await start("bash", ["-c", inFolder(worker)], /"listening"/));
  for (const router of [first, second]) running.push(await start("bash", ["-c", inFolder(router)], /worker joined/));
  const lines = use.split("\n");
  expect(lines).toHaveLength(3);
  for (const line of lines) {
    const { code, err, out } = await shell(inFolder(line));
    expect({ line, code, err: code === 0 ? "" : err }).toEqual({ line, code: 0, err: "" });
    expect(out.trim(), line).not.toBe("");
  }
  const status = async () => (await shell(inFolder(lines[2] as string))).out;
  await expect.poll(status, { timeout: 20_000 }).toContain("other routers: r1");
  await server.end("SIGKILL");
  await expect.poll(status, { timeout: 30_000 }).toContain("degraded: the bus is away");
  const { code, out } = await shell(inFolder(lines[1] as string));
  expect([code, out.trim() !== ""]).toEqual([0, true]);
  running.push(await start("bash", ["-c", inFolder(nats)], /Server is ready/));
  await expect.poll(status, { timeout: 30_000 }).toContain("other routers: r1");
});

here("outcomes of a router that was killed while NATS was away are stored once when both are back", async () => {
  const port = await freePort();
  const env = {
    ...{
      SLIPSTREAM_ROUTER_NAME: "r0",
      SLIPSTREAM_ROUTER_SPOOL: join(folder, "spool"),
      SLIPSTREAM_NATS_SERVERS: `127.0.0.1:${port}`,
    },
    ...{ SLIPSTREAM_ROUTER_GRPC_ADDRESS: "127.0.0.1:0", SLIPSTREAM_ROUTER_HTTP_ADDRESS: "127.0.0.1:0" },
    SLIPSTREAM_ROUTER_ADMIN_ADDRESS: "127.0.0.1:0",
  };
  const router = () => start(process.execPath, ["bin/slipstream.js", "router"], /"listening"/, env);
  const killed = await router();
  const client = new GrpcClient({ address: `127.0.0.1:${/"grpc":(\d+)/.exec(killed.out())?.[1]}` });
  const ids = Array.from({ length: 20 }, (_, i) => `t${i}`);
  for (const triggerId of ids) {
    // Without a worker each fails at once, and that is an outcome too.
    const calls = client.serverStream(CompletionService.method.complete, create(CompleteRequestSchema, { triggerId, prefix: "a" }));
    await expect(calls.next()).rejects.toMatchObject({ code: "no_worker" });
  }
  client.close();
  // Longer than what a kill may lose.
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  await killed.end("SIGKILL");
  await using nats = await startNats(port);
  await using _again = await router();
  const stored = async () => (await messagesIn(nats.address, "SLIPSTREAM_OUTCOMES").catch(() => [])).map(({ data }) => data);
  const told = async () =>
    (await stored()).flatMap((data) => fromBinary(OutcomeBatchSchema, data).outcomes.map(({ triggerId }) => triggerId));
  await expect.poll(told, { timeout: 20_000 }).toEqual(ids);
});
