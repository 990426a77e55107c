// small-engine: an engine in a process of its own, as small as one can be: usage: small-engine.mjs PORT [MODEL] [DELAY_MS].
// It ends itself when it is asked for more than 900 tokens, as one does that is out of memory.
import { createServer } from "node:http";

const [port, model = "tiny", delay = "0"] = process.argv.slice(2);
const readyMs = performance.now() + Number(delay);
const answers = {
  "/version": { version: "0.32.0" },
  "/v1/models": { data: [{ id: model, root: "/nowhere", parent: null, max_model_len: 4096 }] },
};

createServer(async (request, response) => {
  let text = "";
  for await (const part of request) text += part;
  const body = text === "" ? {} : JSON.parse(text);
  const say = (status, answer) => response.writeHead(status).end(JSON.stringify(answer));
  if (request.url === "/health") return say(performance.now() < readyMs ? 503 : 200, {});
  if (request.url === "/tokenize") return say(200, { tokens: [...Buffer.from(body.prompt)], token_strs: [...body.prompt] });
  if (request.url !== "/v1/completions") return say(answers[request.url] ? 200 : 404, answers[request.url] ?? {});
  if (body.max_tokens > 900) {
    console.error("torch.OutOfMemoryError: CUDA out of memory");
    process.exit(137);
  }
  const usage = { prompt_tokens: body.prompt.length, completion_tokens: 1 };
  const choice = { index: 0, text: `${process.pid}`, finish_reason: "stop" };
  if (!body.stream) return say(200, { choices: [choice], usage });
  response.writeHead(200, { "content-type": "text/event-stream" });
  response.end(`data: ${JSON.stringify({ choices: [choice], usage })}\n\ndata: [DONE]\n\n`);
}).listen(Number(port), "127.0.0.1");
