// What clients of plain HTTP are in the habit of, and what becomes of it, told by what the router says of each trigger: the same
// request three times, requests that are never taken back, prompts for another model, connections that are closed.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { HttpPort, read } from "../support/http.ts";
import { type Platform, startPlatform } from "../support/platform.ts";

let platform: Platform;
let port: HttpPort;
beforeAll(async () => {
  platform = await startPlatform({});
  port = new HttpPort(platform.ports.http);
});
afterAll(async () => void (await platform?.end()));

let asked = 0;
/** A file that no other test has. */
const file = () => `// file ${++asked}\n${"// one of many lines\n".repeat(20)}function add(a: number, b: number) {\n  return `;
const suffix = "\n}\n";
const outcomes = (count: number) => platform.router.explain.last(count).map(({ outcome }) => outcome);
const ended = (count: number) => expect.poll(() => outcomes(count).includes("under_way"), { timeout: 10_000 }).toBe(false);

test("minuet asks three times at once: one generation, read by three", async () => {
  const body = { model: "slipstream", stream: true, max_tokens: 32, prompt: file(), suffix };
  const answers = await Promise.all([1, 2, 3].map(async () => (await port.post("/v1/completions", body)).text()));
  const textOf = (answer: string) => [...answer.matchAll(/"text":"((?:[^"\\]|\\.)*)"/g)].map(([, text]) => text).join("");
  expect(new Set(answers.map(textOf)).size).toBe(1);
  await ended(3);
  const told = platform.router.explain.last(3);
  expect(told.map(({ outcome }) => outcome).sort()).toEqual(["generated", "joined", "joined"]);
  // Its tokens are booked once.
  expect(told.filter(({ usage }) => (usage?.completionTokens ?? 0) > 0)).toHaveLength(1);
});

describe("llama.vscode never takes a request back", () => {
  const vscode = { "user-agent": "axios/1.8.4" };
  const infill = (prompt: string, typed: string) => {
    const at = prompt.lastIndexOf("\n") + 1;
    const body = { input_prefix: prompt.slice(0, at), prompt: prompt.slice(at) + typed, input_suffix: suffix, n_predict: 200 };
    return { ...body, temperature: 1, seed: 7, id_slot: 0, stream: false };
  };

  test("its next key retires the request before, which ends with an empty text", async () => {
    const prompt = file();
    const first = port.post("/infill", infill(prompt, ""), vscode);
    await expect.poll(() => platform.router.explain.last(1)[0]?.outcome, { timeout: 10_000, interval: 1 }).toBe("under_way");
    const second = port.post("/infill", infill(prompt, "x"), vscode);
    const [before, after] = [await read(await first), await read(await second)];
    expect([before.status, before.headers.get("slipstream-outcome"), before.json]).toMatchObject([
      200,
      "superseded",
      { content: "" },
    ]);
    expect([after.status, after.headers.get("slipstream-outcome")]).toEqual([200, "generated"]);
    expect(outcomes(2).sort()).toEqual(["generated", "superseded"]);
  });

  test("two people behind one proxy, both at slot 0, leave each other alone", async () => {
    const prompt = file();
    const of = (who: string) => ({ ...vscode, "x-forwarded-for": who });
    const answers = await Promise.all([
      port.post("/infill", infill(prompt, ""), of("10.0.0.1")),
      port.post("/infill", { ...infill(prompt, "y"), seed: 8 }, of("10.0.0.2")),
    ]);
    expect(answers.map(({ status, headers }) => [status, headers.get("slipstream-outcome")])).toEqual([
      [200, "generated"],
      [200, "generated"],
    ]);
  });

  test("n_predict 0 computes the prompt ahead: the key after it finds it", async () => {
    const body = { input_prefix: "", prompt: "", input_suffix: suffix };
    const warm = async () => {
      const prompt = file();
      const at = prompt.lastIndexOf("\n") + 1;
      Object.assign(body, { input_prefix: prompt.slice(0, at), prompt: prompt.slice(at) });
      const { status, headers, json } = await read(
        await port.post("/infill", { ...body, n_predict: 0, samplers: [], t_max_predict_ms: 1 }, vscode),
      );
      expect([status, json]).toMatchObject([200, { content: "", stop: true }]);
      return headers.get("slipstream-outcome");
    };
    // A machine that is busy may be too late for it, and says so.
    await expect.poll(warm, { timeout: 20_000 }).toBe("empty");
    const { json } = await read(await port.post("/infill", { ...body, n_predict: 16 }, vscode));
    const { prompt_n, cache_n } = (json as { timings: { prompt_n: number; cache_n: number } }).timings;
    expect(cache_n).toBeGreaterThan(100);
    expect(prompt_n).toBeLessThanOrEqual(32);
  });
});

test("a prompt that was rendered for another model is put right: it is the prompt that is known already", async () => {
  const prefix = file();
  await port.post("/v1/completions", { prompt: prefix, suffix, max_tokens: 16 });
  const rendered = [
    ["/v1/completions", { prompt: `<｜fim▁begin｜>${prefix}<｜fim▁hole｜>${suffix}<｜fim▁end｜>`, max_tokens: 16 }],
    ["/api/generate", { prompt: `<PRE> ${prefix} <SUF>${suffix} <MID>`, stream: false, raw: true, options: { num_predict: 16 } }],
    ["/completion", { prompt: `[SUFFIX]${suffix}[PREFIX]${prefix}`, n_predict: 16 }],
    ["/v1/fim/completions", { prompt: prefix, suffix, max_tokens: 16 }],
  ] as const;
  for (const [path, body] of rendered) {
    const answered = await port.post(path, body);
    expect([path, answered.status, answered.headers.get("slipstream-outcome")]).toEqual([path, 200, "cached"]);
  }
});

describe("a connection that is closed takes its generation with it", () => {
  const many = { max_tokens: 250, temperature: 1 };
  const rows: readonly (readonly [string, (prefix: string, stream: boolean) => object])[] = [
    ["/v1/completions", (prompt, stream) => ({ prompt, suffix, stream, ...many })],
    ["/v1/chat/completions", (content, stream) => ({ messages: [{ role: "user", content }], stream, ...many })],
    ["/completion", (prompt, stream) => ({ prompt, stream, n_predict: 250, temperature: 1 })],
    ["/v1/fim/completions", (prompt, stream) => ({ prompt, suffix, stream, ...many })],
    ["/beta/completions", (prompt, stream) => ({ prompt, suffix, stream, ...many })],
    ["/api/generate", (prompt, stream) => ({ prompt, suffix, stream, options: { num_predict: 250, temperature: 1 } })],
  ];

  test.each(rows)("%s", async (path, body) => {
    for (const stream of [true, false]) {
      const leaving = new AbortController();
      const answer = port.post(path, body(file(), stream), {}, leaving.signal);
      if (stream) await (await answer).body?.getReader().read();
      else await expect.poll(() => platform.router.explain.last(1)[0]?.outcome, { timeout: 10_000, interval: 1 }).toBe("under_way");
      leaving.abort();
      await answer.catch(() => {});
      await expect.poll(() => outcomes(1), { timeout: 10_000 }).toEqual(["cancelled"]);
    }
  });

  test("one that stays open for the next request is no client that left", async () => {
    for (let i = 0; i < 15; i++) {
      const { status } = await port.post("/v1/completions", { prompt: file(), suffix, max_tokens: 2 });
      expect(status).toBe(200);
    }
    expect(new Set(outcomes(15))).toEqual(new Set(["generated"]));
  });
});

describe("what a Tabby client tells of a completion is its feedback", () => {
  const figure = async (name: string, labels: string) =>
    Number(new RegExp(`${name}\\{${labels}[^}]*\\} (\\d+)`).exec(await platform.registry.metrics())?.[1] ?? 0);
  const completed = async () => {
    const { json } = await read(await port.post("/v1/completions", { segments: { prefix: file(), suffix } }));
    return json as { id: string; choices: { text: string }[] };
  };
  const tell = (body: object, query = "") => port.post(`/v1/events${query}`, { choice_index: 0, ...body });

  test("seen, then taken whole", async () => {
    const before = await figure("slipstream_router_accepted_characters_total", 'shape="auto"');
    const { id, choices } = await completed();
    expect(id).toMatch(/^cmpl-/);
    for (const type of ["view", "select"])
      expect((await tell({ type, completion_id: id, view_id: "v1", elapsed: 900 })).status).toBe(200);
    const after = await figure("slipstream_router_accepted_characters_total", 'shape="auto"');
    expect(after - before).toBe(choices[0]?.text.length);
  });

  test("its first line alone, as both spellings say it", async () => {
    for (const [more, query] of [
      [{ kind: "line" }, ""],
      [{}, "?select_kind=line"],
    ] as const) {
      const before = await figure("slipstream_router_accepted_characters_total", 'shape="auto"');
      const { id, choices } = await completed();
      await tell({ type: "view", completion_id: id });
      await tell({ type: "select", completion_id: id, ...more }, query);
      const after = await figure("slipstream_router_accepted_characters_total", 'shape="auto"');
      const text = choices[0]?.text ?? "";
      const line = /^\n*[^\n]*/.exec(text)?.[0].length ?? 0;
      expect(after - before).toBe(line);
    }
  });

  test("let go; and of a completion that nobody knows, without an error", async () => {
    const before = await figure("slipstream_router_feedback_total", 'event="rejected"');
    const { id } = await completed();
    await tell({ type: "view", completion_id: id });
    await tell({ type: "dismiss", completion_id: id, elapsed: 300 });
    expect(await figure("slipstream_router_feedback_total", 'event="rejected"')).toBe(before + 1);
    expect((await tell({ type: "select", completion_id: "cmpl-nobody-knows" })).status).toBe(200);
  });
});
