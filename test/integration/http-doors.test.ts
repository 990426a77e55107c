// Who is let in at the HTTP port, from where, and how much of it: keys in every form that clients know, pages of other origins,
// bodies, headers and connections that are too much.
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { errorAnswers } from "../../router/http/refusals.ts";
import { routes } from "../../router/http/routes.ts";
import { start } from "../support/command.ts";
import { HttpPort, read } from "../support/http.ts";
import { keyFile } from "../support/keys.ts";
import { type Platform, startPlatform } from "../support/platform.ts";

const { path, keys } = keyFile("acme");
let platform: Platform;
let port: HttpPort;
beforeAll(async () => {
  platform = await startPlatform({
    SLIPSTREAM_ROUTER_KEYS_FILE: path,
    SLIPSTREAM_ROUTER_HTTP_ORIGINS: "https://ide.example",
    SLIPSTREAM_ROUTER_HTTP_CONNECTIONS_MAX: "40",
    SLIPSTREAM_ROUTER_DOCUMENT_BYTES_MAX: "64KiB",
  });
  port = new HttpPort(platform.ports.http);
});
afterAll(async () => void (await platform?.end()));

const body = { prompt: "let a = ", suffix: "\n", max_tokens: 4 };

test.each([
  ["Bearer", () => ({ authorization: `Bearer ${keys.acme.text}` })],
  ["X-API-Key, as llama.cpp's clients send it", () => ({ "X-Api-Key": keys.acme.text })],
  ["api-key, as Azure's clients send it", () => ({ "api-key": keys.acme.text })],
])("a key as %s is let in", async (_, headers) => {
  expect((await port.post("/v1/completions", body, headers())).status).toBe(200);
});

test.each([
  ["no key", {}],
  ["an unknown key", { authorization: "Bearer slp_000000000000_nobody" }],
  ["a key in another form", { authorization: "Basic abc" }],
])("%s is refused before the body is read", async (_, headers) => {
  const { status, json } = await read(await port.post("/v1/completions", "{no json", headers));
  expect(status).toBe(401);
  expect(json).toMatchObject({ error: { type: "authentication_error", code: "unauthenticated", param: "authorization" } });
});

test("what is open asks nobody; all else does, and tells in its API's own shape", async () => {
  const open = ["/health", "/api/version", "/openapi.json"];
  for (const path of open) expect([path, (await port.ask("GET", path)).status]).toEqual([path, 200]);
  const asking = routes.filter(({ open: everyone }) => !everyone);
  expect(asking.length).toBeGreaterThan(20);
  for (const route of asking) {
    const { status, json, text } = await port.ask(route.method, route.path.replace(/:\w+/, "any"));
    expect([route.path, status]).toEqual([route.path, 401]);
    // Whose the path is is known before the body is: Tabby's completions are OpenAI's path.
    const api = route.path === "/v1/completions" ? "openai" : route.api;
    expect(errorAnswers[api].safeParse(json ?? text).success, route.path).toBe(true);
  }
});

describe("pages in a browser", () => {
  const preflight = (origin: string) =>
    fetch(`${port.url}/v1/completions`, {
      method: "OPTIONS",
      headers: {
        origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,x-stainless-os",
      },
    });

  test("of a listed origin may call and read", async () => {
    const asked = await preflight("https://ide.example");
    expect(asked.status).toBe(204);
    expect(Object.fromEntries(asked.headers)).toMatchObject({
      "access-control-allow-origin": "https://ide.example",
      "access-control-allow-headers": "authorization,x-stainless-os",
      vary: "Origin",
    });
    const headers = { origin: "https://ide.example", authorization: `Bearer ${keys.acme.text}` };
    for (const stream of [false, true]) {
      const answered = await port.post("/v1/completions", { ...body, stream }, headers);
      expect(answered.status).toBe(200);
      expect(answered.headers.get("access-control-allow-origin")).toBe("https://ide.example");
    }
  });

  test.each(["https://other.example", "null", "https://ide.example.evil.example", "http://ide.example"])(
    "of %s may not",
    async (origin) => {
      const asked = await preflight(origin);
      expect([asked.status, asked.headers.get("access-control-allow-origin")]).toEqual([403, null]);
    },
  );

  test("of this machine may call, but no other page reads for them", async () => {
    const headers = { origin: "http://localhost:3000", authorization: `Bearer ${keys.acme.text}` };
    const answered = await port.post("/v1/completions", body, headers);
    expect([answered.status, answered.headers.get("access-control-allow-origin")]).toEqual([200, null]);
  });
});

test("`slipstream router` takes its addresses as options, any free port among them", async () => {
  const worker = ["--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0", "--admin", "127.0.0.1:0"];
  const env = { SLIPSTREAM_ROUTER_WORKERS: `127.0.0.1:${platform.worker}` };
  await using router = await start(process.execPath, ["bin/slipstream.js", "router", ...worker], /"listening"/, env);
  const http = Number(/"http":(\d+)/.exec(router.out())?.[1]);
  await expect.poll(() => new HttpPort(http).ask("GET", "/health").then(({ status }) => status), { timeout: 10_000 }).toBe(200);
});

describe("bounds", () => {
  const key = () => ({ authorization: `Bearer ${keys.acme.text}` });

  test("a document that is too large names its field; a body beyond all bounds is not read", async () => {
    const large = await read(await port.post("/v1/completions", { ...body, prompt: "x".repeat(70_000) }, key()));
    expect([large.status, large.json]).toMatchObject([400, { error: { param: "prompt" } }]);
    const huge = await read(await port.post("/v1/completions", { ...body, prompt: "x".repeat(4 << 20) }, key()));
    expect([huge.status, huge.json]).toMatchObject([400, { error: { param: "body" } }]);
  });

  test("headers are bounded", async () => {
    const answered = await fetch(`${port.url}/v1/models`, { headers: { ...key(), "x-large": "x".repeat(20_000) } });
    expect(answered.status).toBe(431);
  });

  test("connections beyond the bound are closed, and counted; those within are served", async () => {
    const sockets = Array.from({ length: 60 }, () => connect(platform.ports.http, "127.0.0.1"));
    const closed = sockets.map(
      (socket) => new Promise<boolean>((resolve) => socket.once("error", () => {}).once("close", () => resolve(true))),
    );
    await expect
      .poll(async () => /http_connections_dropped_total (\d+)/.exec(await platform.registry.metrics())?.[1], { timeout: 10_000 })
      .toMatch(/^[1-9]/);
    for (const socket of sockets) socket.destroy();
    await Promise.all(closed);
    await expect
      .poll(
        () =>
          port.post("/v1/completions", body, key()).then(
            ({ status }) => status,
            () => 0,
          ),
        { timeout: 10_000 },
      )
      .toBe(200);
  });
});
