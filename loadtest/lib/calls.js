// calls: what products ask beside editors: chat by Generate over gRPC, and completions over HTTP without a session. Times run from the
// moment at which the call was due: the begin of its iteration, which is on time or dropped.
import exec from "k6/execution";
import http from "k6/http";
import grpc from "k6/net/grpc";
import { now } from "./clock.js";
import { answered } from "./measures.js";
import { channel } from "./session.js";
import { traces } from "./trace.js";

const authorization = __ENV.TOKEN ? { authorization: `Bearer ${__ENV.TOKEN}` } : {};
const question = (nth) => `Question ${nth}: what does this do?\n\n${traces[nth % traces.length].documents[0].text.slice(0, 1500)}`;

export function chat({ maxTokens }) {
  const dueMs = now();
  const nth = exec.scenario.iterationInTest;
  const on = channel();
  const stream = new grpc.Stream(on, "slipstream.v1.CompletionService/Generate", { metadata: authorization });
  const sentMs = now();
  let firstMs;
  let done = false;
  const end = (outcome) => {
    if (done) return;
    done = true;
    answered({ tier: "chat", kind: "chat", outcome, dueMs, sentMs, firstMs, endMs: now() });
  };
  stream.on("data", ({ text, end: over }) => {
    if (text && firstMs === undefined) firstMs = now();
    if (over) end(String(over.outcome).replace("OUTCOME_", "").toLowerCase());
  });
  stream.on("error", () => end("failed"));
  stream.on("end", () => end("lost"));
  stream.write({
    request_id: `chat-${nth}`,
    messages: [{ role: "ROLE_USER", content: question(nth) }],
    sampling: { max_tokens: maxTokens },
  });
  stream.end();
}

/** One cursor of a trace, as a client asks that has no session: whole prefix and suffix. */
export function complete({ maxTokens }) {
  const dueMs = now();
  const nth = exec.scenario.iterationInTest;
  const { text } = traces[nth % traces.length].documents[0];
  const at = (nth * 977) % Math.max(1, text.length);
  const model = __ENV.MODEL ? { model: __ENV.MODEL } : {};
  const body = { ...model, prompt: text.slice(0, at), suffix: text.slice(at), max_tokens: maxTokens };
  const headers = { "content-type": "application/json", ...authorization };
  const sentMs = now();
  const response = http.post(`http://${__ENV.HTTP}/v1/completions`, JSON.stringify(body), {
    headers,
    tags: { name: "completions" },
  });
  const endMs = now();
  const said = response.status === 200 ? response.json("choices.0.text") : undefined;
  const outcome = response.status !== 200 ? "failed" : said ? "generated" : "empty";
  answered({ tier: "http", kind: "invoked", outcome, dueMs, sentMs, firstMs: said ? endMs : undefined, endMs });
}
