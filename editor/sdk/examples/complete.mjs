// Opens a document at a router, types into it, shows a completion as it comes and accepts it.
// Usage: node complete.mjs [HOST:PORT]          ("slipstream up" is one at 127.0.0.1:7411)
import { connect } from "@slipstream/sdk";

const address = process.argv[2] ?? "127.0.0.1:7411";
const session = connect(
  { address, token: process.env.SLIPSTREAM_TOKEN ?? "", client: { name: "example", version: "1" } },
  { state: (state) => console.error(`connection: ${state.is}`) },
);
const text = "export function add(a: number, b: number) {\n  \n}\n";
const document = session.open({ id: "add.ts", path: "src/add.ts", language: "typescript", text });

// A person types; every edit is a few bytes on the wire.
let cursor = text.indexOf("\n}");
for (const key of "return ") {
  document.edit([{ start: cursor, end: cursor, text: key }]);
  cursor += 1;
}
const asked = session.ask(document, { offset: cursor, kind: "invoked", deadlineMs: 10_000, stream: true });
for await (const piece of asked.pieces) process.stdout.write(piece);
const answer = await asked.answer;
if (answer.type === "completion") {
  const [item] = answer.items;
  session.feedback.shown(answer.completionId);
  document.edit([{ start: item.start, end: item.end, text: item.text }], "accept");
  session.feedback.accepted(answer.completionId, { document, start: item.start, text: item.text });
  console.log(`\n${answer.outcome} in ${answer.cost.totalMs} ms by ${answer.cost.model}`);
} else console.log(`nothing: ${answer.reason} ${answer.detail}`);
session.close();
