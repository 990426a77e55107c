// What the SDK mends by itself before a real router: an edit that was lost on the way, and a connection that broke while a person
// waited.
import { afterAll, beforeAll, expect, test } from "vitest";
import { Session, type SessionOptions } from "../../editor/sdk/session.ts";
import { systemClock } from "../../lib/clock.ts";
import { seeded } from "../../lib/random.ts";
import { type Platform, startPlatform } from "../support/platform.ts";
import { Tapped } from "../support/tapped.ts";

let platform: Platform;
beforeAll(async () => {
  platform = await startPlatform({});
});
afterAll(async () => void (await platform?.end()));

function tapped(): { session: Session; lines: Tapped[] } {
  const lines: Tapped[] = [];
  const dial = () => {
    const line = new Tapped(`127.0.0.1:${platform.ports.grpc}`);
    lines.push(line);
    return line;
  };
  const options: SessionOptions = { client: { name: "test", version: "1" }, backoff: { firstMs: 20, maxMs: 100 } };
  return { session: new Session(options, {}, { clock: systemClock, random: seeded(1), dial }), lines };
}

const text = "export function add(a: number, b: number) {\n  return \n}\n";
const offset = text.indexOf("\n}");
const wish = { kind: "invoked", deadlineMs: 10_000 } as const;

test("an edit that was lost is found by the next one, the text is sent again and the trigger answered", async () => {
  const { session, lines } = tapped();
  const document = session.open({ id: "lost.ts", path: "lost.ts", language: "typescript", text: `// lost\n${text}` });
  const at = offset + "// lost\n".length;
  await expect.poll(() => session.state.is, { timeout: 10_000 }).toBe("ready");
  const [line] = lines as [Tapped];
  line.drops = (message) => message.message.case === "documentEdit";
  document.edit([{ start: at, end: at, text: "a" }]);
  line.drops = () => false;
  document.edit([{ start: at + 1, end: at + 1, text: " " }]);
  const answer = await session.ask(document, { offset: at + 2, ...wish }).answer;
  expect(answer).toMatchObject({ type: "completion" });
  expect(line.said.filter(({ message }) => message.case === "documentOpen").length).toBeGreaterThanOrEqual(2);
  session.close();
  line.leave();
});

test("a connection that breaks under a waiting person is made anew, and the person is answered there", async () => {
  const { session, lines } = tapped();
  const document = session.open({ id: "broken.ts", path: "broken.ts", language: "typescript", text: `// broken\n${text}` });
  await expect.poll(() => session.state.is, { timeout: 10_000 }).toBe("ready");
  const asked = session.ask(document, { offset: offset + "// broken\n".length, ...wish, maxTokens: 200 });
  (lines[0] as Tapped).break();
  expect(await asked.answer).toMatchObject({ type: "completion", triggerId: asked.triggerId });
  expect(lines).toHaveLength(2);
  // The router had it: it is not sent again.
  expect(lines[1]?.said.map(({ message }) => message.case)).not.toContain("documentOpen");
  session.close();
  for (const line of lines) line.leave();
});
