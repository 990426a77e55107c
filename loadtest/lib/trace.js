// trace: a trace file (docs/reference/trace-format.md) in, what to do and when out: documents, and events with offsets. The files
// are those that `slipstream trace generate` writes; named by TRACES, separated by commas. Read once for all virtual users.
import { SharedArray } from "k6/data";

export const traces = new SharedArray("traces", () =>
  (__ENV.TRACES || "")
    .split(",")
    .filter(Boolean)
    .map((path) => decoded(open(path))),
);

function decoded(text) {
  const lines = text
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line));
  const documents = lines.slice(1, 1 + lines[0].documents);
  const events = [];
  let [atMs, document, cursor] = [0, 0, 0];
  for (const [sinceMs, word, ...cells] of lines.slice(1 + documents.length)) {
    atMs += sinceMs;
    const besides = cells.find((cell) => cell !== null && typeof cell === "object") || {};
    if (besides.d !== undefined) document = besides.d;
    let edit;
    if (word === "k") edit = [cursor, cursor, cells[0], "typed"];
    if (word === "x") edit = [cursor - cells[0], cursor, "", "typed"];
    if (word === "e") edit = cells.slice(0, 4);
    cursor = word === "c" ? cells[0] : besides.c !== undefined ? besides.c : edit[0] + edit[2].length;
    events.push({ atMs, document, edit, cursor, trigger: word === "k" || word === "x" ? "auto" : besides.t });
  }
  return { documents, events };
}
