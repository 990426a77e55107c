// scheduled-process: workers for measuring what a router costs: OpenAI-compatible servers that do nothing but keep time, each
// completion so many tokens at fixed moments, so that what is measured around them is not theirs.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { systemClock } from "../../lib/clock.ts";
import { runChild } from "../keys/child.ts";
import { textOf } from "../router/text.ts";

export interface ScheduledOrders {
  readonly workers: number;
  readonly firstMs: number;
  readonly everyMs: number;
  readonly tokens: number;
  readonly key: string;
}

const model = "scheduled";
const keepAliveMs = 120_000;

await runChild(async (given, lifecycle) => {
  const orders = given as ScheduledOrders;
  let generations = 0;
  const ports: number[] = [];
  for (let nth = 0; nth < orders.workers; nth++) {
    const server = createServer({ keepAliveTimeout: keepAliveMs, noDelay: true }, (request, response) => {
      if (request.method === "GET") return tell(request, response);
      if (!request.url?.startsWith("/v1/completions")) return json(response, {}, 404);
      request.resume();
      request.on("end", () => {
        generations += 1;
        say(orders, `w${nth} ${generations}`, response);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    ports.push((server.address() as AddressInfo).port);
    lifecycle.use({
      name: `scheduled ${nth}`,
      close: () => {
        server.closeAllConnections();
        server.close();
      },
    });
  }
  return { port: ports[0] ?? 0, ports, take: () => ({ generations }) };
});

function say({ firstMs, everyMs, tokens }: ScheduledOrders, id: string, response: ServerResponse): void {
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache" });
  response.flushHeaders();
  const startMs = systemClock.now();
  const next = (token: number) => {
    if (response.destroyed) return;
    const choices = [{ index: 0, text: textOf(token), logprobs: null, finish_reason: null }];
    response.write(`data: ${JSON.stringify({ id, object: "text_completion", created: 0, model, choices })}\n\n`);
    if (token + 1 === tokens) response.end("data: [DONE]\n\n");
    else systemClock.timer(startMs + firstMs + (token + 1) * everyMs - systemClock.now(), () => next(token + 1));
  };
  systemClock.timer(firstMs, () => next(0));
}

function tell({ url = "" }: IncomingMessage, response: ServerResponse): void {
  if (url === "/v1/models") json(response, { object: "list", data: [{ id: model, object: "model", created: 0, owned_by: "us" }] });
  else if (/^\/(get_)?(model|server)_info/.test(url))
    json(response, { model_path: model, served_model_name: model, is_generation: true });
  else if (/load/.test(url)) json(response, { load: 0, server_load: 0 });
  else json(response, {}, /health|ping|metrics/.test(url) ? 200 : 404);
}

function json(response: ServerResponse, value: object, status = 200): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(value));
}
