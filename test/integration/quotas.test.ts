// Quotas and models of tenants as calls without a session meet them: gRPC's status with its retry time, HTTP's 429 and 403.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { afterAll, beforeAll, expect, test } from "vitest";
import { SlipstreamError } from "../../lib/errors.ts";
import { GrpcClient } from "../../lib/grpc/client.ts";
import {
  CompleteRequestSchema,
  CompletionService,
  GenerateRequestSchema,
  Role,
  TriggerKind,
} from "../../proto/gen/slipstream/v1/completion_pb.ts";
import { folderOf, keyFile } from "../support/keys.ts";
import { type Platform, startPlatform } from "../support/platform.ts";
import { until } from "../support/until.ts";

const { path, keys } = keyFile("acme", "beta", "free");
const policy = join(folderOf("policy"), "policy.yaml");
const write = (version: number, acme: string) =>
  writeFileSync(
    policy,
    `version: ${version}\npools: { p: { model: m }, big: { model: huge } }\ntenants: { acme: { models: [p], quotas: { ${acme} } }, beta: { models: [p] }, free: {} }\n`,
  );
const slow = "triggersPerSecond: 0.01, triggersBurst: 2";
let platform: Platform;
let client: GrpcClient;

beforeAll(async () => {
  write(1, "triggersPerSecond: 1000");
  platform = await startPlatform({ SLIPSTREAM_ROUTER_KEYS_FILE: path, SLIPSTREAM_ROUTER_POLICY: policy });
  client = new GrpcClient({ address: `127.0.0.1:${platform.ports.grpc}` });
});
afterAll(async () => {
  client?.close();
  await platform?.end();
});

type Tenant = keyof typeof keys;
const of = (tenant: Tenant) => ({ metadata: { authorization: `Bearer ${keys[tenant].text}` } });
let asked = 0;
async function complete(tenant: Tenant, given: object = {}): Promise<string | SlipstreamError> {
  const request = create(CompleteRequestSchema, {
    prefix: `let a${++asked} = `,
    kind: TriggerKind.INVOKED,
    deadlineMs: 20_000,
    ...given,
  });
  try {
    for await (const { message } of client.serverStream(CompletionService.method.complete, request, of(tenant)))
      if (message.case === "completion" || message.case === "nothing") return message.case;
    return "no end";
  } catch (thrown) {
    return SlipstreamError.from(thrown);
  }
}
const post = (tenant: Tenant, body: object) =>
  fetch(`http://127.0.0.1:${platform.ports.http}/v1/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", "api-key": keys[tenant].text },
    body: JSON.stringify({ prompt: `const b${++asked} = `, suffix: ";", max_tokens: 4, ...body }),
  });
const models = async (tenant: Tenant) => {
  const response = await fetch(`http://127.0.0.1:${platform.ports.http}/v1/models`, {
    headers: { "x-api-key": keys[tenant].text },
  });
  return ((await response.json()) as { data: { id: string }[] }).data.map(({ id }) => id);
};

test("a model that is not for the tenant is PERMISSION_DENIED and 403; what it may use is listed", async () => {
  expect(await complete("acme", { model: "big" })).toMatchObject({
    code: "permission_denied",
    field: "model",
    message: expect.stringMatching(/"big" is not for this tenant; it may use p$/),
  });
  const chat = create(GenerateRequestSchema, { messages: [{ role: Role.USER, content: "hi" }], model: "huge" });
  const generated = async () => {
    for await (const _ of client.serverStream(CompletionService.method.generate, chat, of("acme")));
  };
  await expect(generated()).rejects.toMatchObject({ code: "permission_denied", field: "model" });
  const response = await post("acme", { model: "big" });
  expect([response.status, await response.json()]).toMatchObject([403, { error: { code: "permission_denied", param: "model" } }]);
  expect([await models("acme"), await models("free")]).toEqual([["p"], ["p", "big"]]);
  expect(await complete("acme", { model: "m" })).toBe("completion");
  expect((await post("acme", { model: "p" })).status).toBe(200);
});

test("past its triggers a tenant gets RESOURCE_EXHAUSTED and 429 with a time, and others go on", async () => {
  write(2, slow);
  await until("the policy holds", () => platform.router.policy.state.version === 2);
  const ends = [await complete("acme"), await complete("acme"), await complete("acme")];
  expect(ends.slice(0, 2)).toEqual(["completion", "completion"]);
  expect(ends[2]).toMatchObject({ code: "overloaded", message: expect.stringMatching(/quota of 0\.01 triggers a second/) });
  expect((ends[2] as SlipstreamError).retryAfterMs).toBeGreaterThan(10_000);
  const response = await post("acme", {});
  expect(response.status).toBe(429);
  expect(Number(response.headers.get("retry-after"))).toBeGreaterThan(10);
  expect(await response.json()).toMatchObject({ error: { code: "overloaded" } });
  expect(await complete("beta")).toBe("completion");
  expect((await post("beta", {})).status).toBe(200);
  const { outcomes } = await platform.status();
  expect(outcomes["refused"]).toBeGreaterThanOrEqual(2);
});
