// Editors as they are: the bodies that named clients send (test/golden/http, written as their sources build them), asked of
// `slipstream up` with the built-in model. Each gets text where it looks for it, in the shape that it reads.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { packageRoot } from "../../lib/package-root.ts";
import { anyPorts, portsOf, type Running, start } from "../support/command.ts";
import { eventsOf, HttpPort, linesOf, read } from "../support/http.ts";

interface Recorded {
  readonly client: string;
  readonly source: string;
  readonly habit: string;
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body: object;
  readonly status?: number;
  /** Where its text is, by slashes; or where there must be none. */
  readonly text?: string;
  readonly empty?: string;
  /** Where an event of a stream, or a line of it, has text, and what its last one holds. */
  readonly events?: string;
  readonly lines?: string;
  readonly last?: unknown;
  /** The very fields of its answer. */
  readonly fields?: readonly string[];
}

const folder = join(packageRoot(), "test/golden/http");
const recorded = readdirSync(folder)
  .sort()
  .map((name) => [name.replace(".json", ""), JSON.parse(readFileSync(join(folder, name), "utf8")) as Recorded] as const);

let up: Running;
let port: HttpPort;
beforeAll(async () => {
  up = await start(process.execPath, ["bin/slipstream.js", "up", ...anyPorts], /Ctrl-C/);
  port = new HttpPort(portsOf(up.out()).http);
});
afterAll(async () => void (await up?.end()));

const at = (value: unknown, path: string): unknown =>
  path.split("/").reduce((inner: unknown, key) => (inner as Record<string, unknown> | undefined)?.[key], value);

test("there are recorded bodies", () => expect(recorded.length).toBeGreaterThan(4));

test.each(recorded)("%s", async (_, { path, headers, body, status = 200, text, empty, events, lines, last, fields }) => {
  const answered = await read(await port.post(path, body, headers));
  expect({ status: answered.status, said: answered.status === status ? "" : answered.text }).toEqual({ status, said: "" });
  if (text) expect(at(answered.json, text)).toMatch(/\S/);
  if (empty) expect(at(answered.json, empty)).toBe("");
  if (fields)
    expect(Object.keys(answered.json as object)).toEqual(fields.length > 1 ? fields : expect.arrayContaining([...fields]));
  if (events ?? lines) {
    const pieces = lines
      ? linesOf(answered.text)
      : eventsOf(answered.text)
          .filter((data) => data !== "[DONE]")
          .map((data) => JSON.parse(data));
    const said = pieces.map((piece) => at(piece, events ?? lines ?? "") ?? "").join("");
    expect(said).toMatch(/\S/);
    if (last) expect(pieces.at(-1)).toMatchObject(last);
  }
});
