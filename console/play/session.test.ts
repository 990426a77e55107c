import { expect, test } from "vitest";
import { FakeClock } from "../../lib/clock.fake.ts";
import type { Answered } from "./messages.ts";
import { type Listener, PlaySession, type SessionState } from "./session.ts";

type Said = Record<string, Record<string, unknown>>;

class Line {
  readonly said: Said[] = [];
  readonly listener: Listener;
  over = false;
  constructor(listener: Listener) {
    this.listener = listener;
  }
  send(text: string): void {
    this.said.push(JSON.parse(text) as Said);
  }
  close(): void {
    this.over = true;
  }
  greet(): void {
    this.listener.opened();
    this.hear({ welcome: { resumeToken: "r1" } }, { policy: { models: ["m"] } });
  }
  hear(...messages: readonly object[]): void {
    for (const message of messages) this.listener.said(JSON.stringify(message));
  }
  kinds(): string[] {
    return this.said.map((message) => Object.keys(message)[0] ?? "");
  }
}

function begin(key = "") {
  const clock = new FakeClock();
  const lines: Line[] = [];
  const states: SessionState[] = [];
  const answers: Answered[] = [];
  let given = key;
  const session = new PlaySession({
    clock,
    dial: (listener) => {
      const line = new Line(listener);
      lines.push(line);
      return line;
    },
    key: () => given,
    sessionId: "s",
    changed: (state) => void states.push(state),
    answered: (answered) => void answers.push(answered),
  });
  session.open({ path: "a.ts", language: "typescript", text: "ab" });
  const line = () => lines.at(-1) as Line;
  return { clock, session, lines, line, states, answers, give: (next: string) => (given = next) };
}

test("who calls is the first frame, then Hello, then the document as it is by then", () => {
  const { session, line, states } = begin("slp_key");
  session.edit([{ start: 2, end: 2, text: "c" }], "abc", "TYPED");
  line().greet();
  expect(line().said[0]).toEqual({ authorization: "Bearer slp_key" });
  expect(line().kinds()).toEqual(["authorization", "hello", "documentOpen"]);
  expect(line().said[2]).toMatchObject({ documentOpen: { text: "abc", version: "2" } });
  expect(states.at(-1)).toEqual({ is: "ready", models: ["m"] });
});

test("edits count versions; triggers count up from the clock, and name the version they were typed in", () => {
  const { clock, session, line } = begin();
  line().greet();
  session.edit([{ start: 2, end: 2, text: "c" }], "abc", "TYPED");
  const first = session.ask({ offset: 3, kind: "AUTO", model: "" });
  session.ask({ offset: 3, kind: "INVOKED", n: 3, model: "m" });
  const [edit, one, two] = line().said.slice(-3);
  expect(edit).toMatchObject({
    documentEdit: { baseVersion: "1", version: "2", edits: [{ startUtf16: 2, endUtf16: 2, text: "c" }] },
  });
  expect(one).toMatchObject({ trigger: { triggerId: first, version: "2", kind: "TRIGGER_KIND_AUTO", stream: true } });
  expect(two).toMatchObject({ trigger: { kind: "TRIGGER_KIND_INVOKED", n: 3, model: "m" } });
  expect(Number(two?.["trigger"]?.["sequence"])).toBe(Math.round(clock.wall()) + 2);
});

test("nobody is asked while nobody is there", () => {
  const { session, line } = begin();
  expect(session.ask({ offset: 1, kind: "AUTO", model: "" })).toBeUndefined();
  expect(line().said).toEqual([]);
});

test("answers are handed on; a lost mirror is sent again", () => {
  const { line, answers } = begin();
  line().greet();
  line().hear({ partial: { triggerId: "t" } }, { completion: { triggerId: "t" } }, { nothing: { triggerId: "u" } }, { resync: {} });
  expect(answers.map((answer) => Object.keys(answer)[0])).toEqual(["partial", "completion", "nothing"]);
  expect(line().kinds().at(-1)).toBe("documentOpen");
});

test("a broken connection is made anew, later and later, with the text and the token; a good one starts over", async () => {
  const { clock, lines, line, states } = begin();
  line().greet();
  for (const againInMs of [250, 500, 1_000, 2_000, 4_000, 5_000, 5_000]) {
    line().listener.closed(1006, "");
    expect(states.at(-1)).toEqual({ is: "lost", why: "the router cannot be reached", againInMs });
    await clock.advance(againInMs);
  }
  expect(lines).toHaveLength(8);
  line().greet();
  expect(line().said[1]).toMatchObject({ hello: { resumeToken: "r1" } });
  expect(line().kinds()).toContain("documentOpen");
  line().listener.closed(1006, "");
  expect(states.at(-1)).toMatchObject({ againInMs: 250 });
});

test("a router that does not greet is left", async () => {
  const { clock, lines, states } = begin();
  lines[0]?.listener.opened();
  await clock.advance(5_000);
  expect(lines[0]?.over).toBe(true);
  expect(states.at(-1)).toMatchObject({ is: "lost", why: "the router does not answer" });
  await clock.advance(250);
  expect(lines).toHaveLength(2);
});

test("a refused key waits for another one", async () => {
  const { clock, session, lines, line, states, give } = begin("slp_old");
  line().listener.closed(4000, "unauthenticated: authorization: unknown API key");
  expect(states.at(-1)).toEqual({ is: "refused", why: "authorization: unknown API key" });
  await clock.advance(60_000);
  expect(lines).toHaveLength(1);
  give("slp_new");
  session.again();
  line().greet();
  expect(line().said[0]).toEqual({ authorization: "Bearer slp_new" });
  expect(states.at(-1)).toMatchObject({ is: "ready" });
});

test.each(["KIND_DRAINING", "KIND_RECONNECT"])("%s is heeded: this connection is left for a new one", async (kind) => {
  const { clock, lines, line } = begin();
  line().greet();
  line().hear({ status: { kind, detail: "the router is going" } });
  expect(lines[0]?.over).toBe(true);
  await clock.advance(250);
  expect(lines).toHaveLength(2);
});
