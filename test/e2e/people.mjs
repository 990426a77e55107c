// people: some of them type at a service through sessions that come back by themselves, until standard input ends; then one line of
// JSON says how each of their triggers ended. Run "outside" a cluster, from the build, as an editor would.
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { connect } from "../../dist/editor/sdk/sdk.js";

const [address, people, caFile, keyFile] = process.argv.slice(2);
const options = {
  address,
  token: () => readFileSync(keyFile, "utf8").trim(),
  tls: { ca: readFileSync(caFile, "utf8") },
  client: { name: "people", version: "1" },
};
let typing = true;
process.stdin.on("end", () => {
  typing = false;
});
process.stdin.resume();

const tally = { asked: 0, failed: 0, reconnects: 0, ended: {}, failures: [] };

async function person(number) {
  let connected = 0;
  const session = connect(options, {
    state: ({ is }) => {
      if (is === "ready" && ++connected > 1) tally.reconnects += 1;
    },
  });
  const text = `export function add${number}(a: number, b: number) {\n  \n}\n`;
  const document = session.open({ id: `${number}.ts`, path: `src/${number}.ts`, language: "typescript", text });
  let cursor = text.indexOf("\n}");
  for (let n = 0; typing; n++) {
    // Never the same text, so that workers are asked.
    const typed = `const v${n} = `;
    for (const key of typed) {
      document.edit([{ start: cursor, end: cursor, text: key }]);
      cursor += 1;
    }
    tally.asked += 1;
    const answer = await session.ask(document, { offset: cursor, kind: "invoked", deadlineMs: 5_000 }).answer;
    const end = answer.type === "completion" ? answer.outcome : `${answer.outcome}/${answer.reason}`;
    tally.ended[end] = (tally.ended[end] ?? 0) + 1;
    // Text, or an honest nothing; else somebody's key was lost.
    const lost = answer.type === "nothing" && (answer.outcome === "failed" || /^(offline|lost|busy)$/.test(answer.reason));
    if (lost) tally.failures.push({ at: new Date().toISOString(), end, detail: answer.detail });
    if (lost) tally.failed += 1;
    cursor -= typed.length;
    document.edit([{ start: cursor, end: cursor + typed.length, text: "" }]);
    await sleep(150);
  }
  session.close();
}

await Promise.all(Array.from({ length: Number(people) }, (_, i) => person(i)));
process.stdout.write(`${JSON.stringify(tally)}\n`);
process.exit(0);
