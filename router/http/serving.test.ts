import fastify from "fastify";
import { expect, test } from "vitest";
import { routed } from "../../test/support/routed.ts";
import { serve } from "./serving.ts";

const asks: readonly (readonly [string, object])[] = [
  ["/v1/completions", { prompt: "let a = " }],
  ["/v1/chat/completions", { messages: [{ role: "user", content: "Hello." }] }],
  ["/infill", { input_prefix: "let a = ", input_suffix: "" }],
  ["/completion", { prompt: "let a = " }],
  ["/v1/fim/completions", { prompt: "let a = " }],
  ["/beta/completions", { prompt: "let a = " }],
  ["/api/generate", { prompt: "let a = " }],
  ["/v1/completions", { segments: { prefix: "let a = " } }],
];

test.each(asks)("%s without a worker: 503, and when to ask again", async (url, payload) => {
  const made = routed();
  const app = fastify();
  serve(app, made.router);
  const answer = await app.inject({ method: "POST", url, payload });
  expect([answer.statusCode, answer.headers["retry-after"]]).toEqual([503, "1"]);
  expect(answer.body).toContain("no worker is connected");
  await made.router.close();
});

test("health says so too, to whom it is open and to whom it is not", async () => {
  const made = routed();
  const app = fastify();
  serve(app, made.router);
  for (const url of ["/health", "/v1/health"]) expect((await app.inject(url)).statusCode).toBe(503);
  await made.workers.welcome("w1");
  for (const url of ["/health", "/v1/health"]) {
    const answer = await app.inject(url);
    expect([answer.statusCode, answer.json<{ status: string }>().status]).toEqual([200, "ok"]);
  }
  await made.router.close();
});

test("what ingress refuses is an outcome", async () => {
  const made = routed();
  const app = fastify();
  serve(app, made.router);
  await app.inject({ method: "POST", url: "/infill", payload: { input_prefix: "a", input_suffix: "", temperature: 9 } });
  expect(made.router.explain.last(1)).toMatchObject([
    { outcome: "refused", detail: expect.stringContaining("temperature") as string },
  ]);
  await made.router.close();
});
