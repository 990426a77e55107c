// A policy document that changes under a running router: another pool and another quota hold from the next trigger on, an editor's
// session is not dropped, and a document with a mistake is kept out whole and said to be wrong.
import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { systemClock } from "../../lib/clock.ts";
import { GrpcClient } from "../../lib/grpc/client.ts";
import { CompletionService } from "../../proto/gen/slipstream/v1/completion_pb.ts";
import { EditorClient } from "../../sim/editor-client.ts";
import { type Running, start } from "../support/command.ts";
import { freePort } from "../support/ports.ts";

const folder = mkdtempSync(join(tmpdir(), "slipstream-policy-"));
const path = join(folder, "policy.yaml");
const running: Running[] = [];
let [admin, grpc] = [0, 0];
afterAll(async () => {
  await Promise.all(running.map((each) => each.end("SIGTERM")));
  rmSync(folder, { recursive: true, force: true });
});

/** As an editor or a ConfigMap brings it: another file in the old one's place. */
function write(version: number, pool: string, more = ""): void {
  writeFileSync(
    `${path}.new`,
    `version: ${version}\npools: { small: {}, large: {} }\ntiers: { inline: { pools: [${pool}] } }\n${more}`,
  );
  renameSync(`${path}.new`, path);
}

beforeAll(async () => {
  write(1, "small");
  const ports = await Promise.all(Array.from({ length: 5 }, freePort));
  const [small = 0, large = 0] = ports;
  [, , grpc = 0, , admin = 0] = ports;
  const program = (name: string, ready: RegExp, env: Record<string, string>) =>
    start(process.execPath, ["bin/slipstream.js", name], ready, env);
  const worker = (name: string, port: number) =>
    program("worker", /"listening"/, {
      SLIPSTREAM_WORKER_NAME: `${name}-1`,
      SLIPSTREAM_WORKER_POOL: name,
      SLIPSTREAM_WORKER_MODEL_NAME: `model-${name}`,
      SLIPSTREAM_WORKER_ENGINE: "simulated",
      SLIPSTREAM_WORKER_ADDRESS: `127.0.0.1:${port}`,
      SLIPSTREAM_WORKER_ADMIN_ADDRESS: "127.0.0.1:0",
    });
  running.push(...(await Promise.all([worker("small", small), worker("large", large)])));
  running.push(
    await program("router", /worker joined[\s\S]*worker joined/, {
      SLIPSTREAM_ROUTER_WORKERS: `127.0.0.1:${small},127.0.0.1:${large}`,
      SLIPSTREAM_ROUTER_POLICY: path,
      SLIPSTREAM_ROUTER_GRPC_ADDRESS: `127.0.0.1:${grpc}`,
      SLIPSTREAM_ROUTER_HTTP_ADDRESS: "127.0.0.1:0",
      SLIPSTREAM_ROUTER_ADMIN_ADDRESS: `127.0.0.1:${admin}`,
    }),
  );
});

const page = async (name: string) => (await fetch(`http://127.0.0.1:${admin}/${name}`)).text();
const policy = async () => JSON.parse(await page("status")).policy as { version: number; problem?: string };
const loads = async (result: string) =>
  Number(new RegExp(`policy_loads_total\\{result="${result}"\\} (\\d+)`).exec(await page("metrics"))?.[1] ?? 0);

test("a changed document holds from the next trigger on, one with a mistake does not, and the session goes on", async () => {
  const channel = new GrpcClient({ address: `127.0.0.1:${grpc}` });
  const client = new EditorClient(
    { session: "s", workspace: "w", deadlineMs: 10_000, maxTokens: 16, stream: true, reconnectMs: 50 },
    { clock: systemClock, connect: () => channel.duplex(CompletionService.method.session) },
  );
  client.open({ id: "d", path: "a.ts", language: "typescript", text: "" });
  let length = 0;
  /** A new line each time: nothing of an earlier answer is one to this. */
  const ask = (name: string) => {
    const text = `const ${name} = compute(${name.length}, `;
    client.edit("d", { startUtf16: length, endUtf16: length, text: `${length === 0 ? "" : "1);\n"}${text}` }, "typed");
    length += text.length + (length === 0 ? 0 : 4);
    return client.trigger("d", length, "invoked").answer;
  };
  expect(await ask("first")).toMatchObject({ outcome: "generated", worker: "small-1" });

  write(2, "large");
  await expect.poll(policy, { timeout: 10_000 }).toMatchObject({ version: 2 });
  expect(await ask("second")).toMatchObject({ outcome: "generated", worker: "large-1" });

  // Its first half is right, and would be seen.
  write(3, "small", 'tenants: { "*": { models: [inline], quotas: { triggersPerSecond: -1 } } }\n');
  await expect
    .poll(policy, { timeout: 10_000 })
    .toMatchObject({ version: 2, problem: expect.stringContaining("triggersPerSecond") });
  expect([await loads("applied"), await loads("refused")]).toEqual([2, 1]);
  expect(await ask("third")).toMatchObject({ outcome: "generated", worker: "large-1" });

  write(4, "small", 'tenants: { "*": { quotas: { triggersPerSecond: 0.01, triggersBurst: 1 } } }\n');
  await expect.poll(policy, { timeout: 10_000 }).toMatchObject({ version: 4 });
  expect(await policy()).not.toHaveProperty("problem");
  expect(await ask("fourth")).toMatchObject({ outcome: "generated", worker: "small-1" });
  expect(await ask("fifth")).toMatchObject({
    outcome: "refused",
    reason: "quota",
    detail: expect.stringContaining("0.01 triggers"),
  });

  expect(JSON.parse(await page("status"))).toMatchObject({ ready: true });
  expect([client.connections, client.resyncs, client.violations, await loads("applied")]).toEqual([1, 0, [], 3]);
  client.close();
  channel.close();
});
