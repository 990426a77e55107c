import { afterEach, expect, test } from "vitest";
import { systemClock } from "../../lib/clock.ts";
import { seeded } from "../../lib/random.ts";
import { SimulatedEngine } from "../../workers/engine/simulated/simulated.ts";
import { Front } from "./front.ts";
import { HttpEndpoint, keptAlive } from "./http-endpoint.ts";
import { Serving } from "./serving.ts";

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function front(options: { slots?: number; key?: string } = {}) {
  const engine = new SimulatedEngine(
    { profile: "h100-7b-eagle3", profileEnd: "fast", seed: 1, slots: options.slots ?? 4 },
    { clock: systemClock, random: seeded(1) },
  );
  const serving = new Serving("w0", engine, { clock: systemClock });
  const made = new Front(serving, options.key === undefined ? {} : { key: options.key });
  const port = await made.listen();
  const agent = keptAlive();
  closers.push(
    () => made.close(),
    () => agent.destroy(),
  );
  const endpoint = (key?: string) => new HttpEndpoint({ port, model: serving.model, ...(key !== undefined && { key }) }, { agent });
  return { serving, endpoint, url: `http://127.0.0.1:${port}` };
}

const ask = (prompt: string, more = {}) => ({ prompt, maxTokens: 8, stop: [], session: "p0", ...more });
const never = new AbortController().signal;

test("a streamed completion comes in chunks of one generation, and a prompt that is known costs little", async () => {
  const { serving, endpoint } = await front();
  const prompt = `<|fim_suffix|>end();<|fim_prefix|>${"const a = compute(b);\n".repeat(40)}`;
  for (const more of ["", "x"]) {
    const ids = new Set<string>();
    let text = "";
    await endpoint().complete(ask(prompt + more), never, (chunk) => {
      ids.add(chunk.id);
      text += chunk.text;
    });
    expect([ids.size, text.length > 0]).toEqual([1, true]);
  }
  const { costs, requests, hitTokens, promptTokens } = serving.take();
  expect([requests, costs.length]).toEqual([2, 2]);
  expect(costs[1]?.recomputed).toBeLessThan(20);
  expect(hitTokens / promptTokens).toBeGreaterThan(0.4);
});

test("a client that goes away ends its generation and frees its seat, also in the queue", async () => {
  const { serving, endpoint } = await front({ slots: 1 });
  const ends = [new AbortController(), new AbortController()];
  const outcomes = ends.map(({ signal }, nth) =>
    endpoint()
      .complete(ask(`${nth} ${"word ".repeat(200)}`, { maxTokens: 2_000 }), signal, () => {})
      .then(
        () => "done",
        () => "ended",
      ),
  );
  await expect.poll(() => [serving.running, serving.waiting]).toEqual([1, 1]);
  for (const end of ends) end.abort();
  expect(await Promise.all(outcomes)).toEqual(["ended", "ended"]);
  await expect.poll(() => [serving.running, serving.waiting]).toEqual([0, 0]);
  expect(serving.take().aborted).toBe(2);
});

test("a stop string ends the text before it", async () => {
  const { endpoint } = await front();
  let text = "";
  await endpoint().complete(ask("const a = ", { maxTokens: 64, stop: ["\n"] }), never, (chunk) => {
    text += chunk.text;
  });
  expect(text).not.toContain("\n");
});

test("routers are told what they ask, and a path that is unknown is a 404", async () => {
  const { url } = await front();
  for (const path of ["/health", "/v1/models", "/get_server_info", "/get_load", "/metrics"])
    expect((await fetch(url + path)).status, path).toBe(200);
  expect((await fetch(`${url}/v1/completions/render`, { method: "POST", body: "{}" })).status).toBe(404);
  expect(await (await fetch(`${url}/metrics`)).text()).toContain("vllm:num_requests_running");
});

test.each([
  ["no JSON", "{", 400],
  ["no prompt", '{"stream":true}', 400],
  ["a prompt of token ids", '{"prompt":[1,2],"stream":true}', 400],
])("%s is refused", async (_, body, status) => {
  const { url } = await front();
  const response = await fetch(`${url}/v1/completions`, { method: "POST", body });
  expect(response.status).toBe(status);
});

test("with a key, who does not show it is refused", async () => {
  const { endpoint } = await front({ key: "k" });
  await expect(endpoint().complete(ask("a"), never, () => {})).rejects.toThrow("401");
  await endpoint("k").complete(ask("a"), never, () => {});
});

test("a connection outlives the signal of a request that it carried", async () => {
  const { endpoint } = await front();
  const to = endpoint();
  const first = new AbortController();
  await to.complete(ask("a"), first.signal, () => {});
  const second = to.complete(ask("b", { maxTokens: 64 }), never, () => {});
  first.abort();
  await second;
});
