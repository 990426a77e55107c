import { createHash } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { FakeClock } from "../lib/clock.fake.ts";
import type { Duplex } from "../lib/grpc/duplex.ts";
import { seeded } from "../lib/random.ts";
import {
  type ClientMessage,
  ClientMessageSchema,
  Outcome,
  Reason,
  type ServerMessage,
  ServerMessageSchema,
  Status_Kind,
} from "../proto/gen/slipstream/v1/completion_pb.ts";
import { EditorClient } from "./editor-client.ts";
import { type Pipe, pipe } from "./pipe.ts";
import type { Answer } from "./session-client.ts";

type Router = Duplex<ClientMessage, ServerMessage>;
type Say = (name: string, value: object) => void;

/** A client over pipes, and a router played by `on` for each trigger id; it holds `held` of what was before. */
function world(on: (trigger: string, say: Say, stream: Router) => void, held: object[] = [], clock = new FakeClock()) {
  const pipes: Pipe<typeof ClientMessageSchema, typeof ServerMessageSchema>[] = [];
  const heard: ClientMessage["message"][] = [];
  const serve = async (stream: Router) => {
    const say: Say = (name, value) => void stream.send(create(ServerMessageSchema, { message: { case: name, value } as never }));
    for await (const { message } of stream.frames) {
      heard.push(message);
      if (message.case === "hello") say("welcome", { resumeToken: "again", held });
      if (message.case === "trigger") on(message.value.triggerId, say, stream);
    }
  };
  const client = new EditorClient(
    { session: "s", workspace: "w", deadlineMs: 100, maxTokens: 8, stream: true, reconnectMs: 50 },
    {
      clock,
      connect: () => {
        const made = pipe(
          { up: ClientMessageSchema, down: ServerMessageSchema, latencyMs: 1, jitterMs: 0 },
          { clock, random: seeded(1) },
        );
        pipes.push(made);
        serve(made.server).catch(() => {});
        return made.client;
      },
    },
  );
  client.open({ id: "a", path: "a.ts", language: "typescript", text: "let x" });
  const ask = () => {
    const answers: Answer[] = [];
    const asked = client.trigger("a", 5, "auto");
    void asked.answer.then((answer) => answers.push(answer));
    return { asked, answers };
  };
  return { clock, client, heard, pipes, ask };
}

test("parts and a completion become one answer with the time of the first text", async () => {
  const { clock, client, ask } = world((triggerId, say) => {
    say("partial", { triggerId, text: " = " });
    clock.timer(10, () => {
      say("partial", { triggerId, text: "1;" });
      say("completion", {
        ...{ triggerId, completionId: "c", items: [{ insertText: " = 1;" }], outcome: Outcome.GENERATED },
        cache: { promptTokens: 9, worker: "w" },
      });
    });
  });
  const { answers } = ask();
  await clock.advance(20);
  expect(answers[0]).toMatchObject({
    outcome: "generated",
    text: " = 1;",
    completion: "c",
    firstTextMs: 2,
    totalMs: 12,
    worker: "w",
  });
  expect(answers[0]?.usage.promptTokens).toBe(9);
  expect([client.violations, client.pending]).toEqual([[], 0]);
});

test("triggers are counted over all streams, and above those of an earlier client of the session", async () => {
  const { clock, client, heard, pipes, ask } = world((triggerId, say) =>
    say("nothing", { triggerId, reason: Reason.EMPTY, outcome: Outcome.EMPTY }),
  );
  const counted = () => heard.flatMap((message) => (message.case === "trigger" ? [message.value.sequence] : []));
  ask();
  await clock.advance(5);
  pipes[0]?.cut();
  await clock.advance(100);
  ask();
  ask();
  await clock.advance(5);
  const [first = 0n, second = 0n, third = 0n, ...more] = counted();
  expect([first > 0n, second - first, third - second, more]).toEqual([true, 1n, 1n, []]);
  client.close();
  await clock.advance(1_000);
  const later = world(() => {}, [], clock);
  later.ask();
  await clock.advance(5);
  const [again] = later.heard.flatMap((message) => (message.case === "trigger" ? [message.value] : []));
  expect([again?.triggerId, (again?.sequence ?? 0n) > third]).toEqual(["s-1", true]);
});

test("a reason for nothing is told by name", async () => {
  const { clock, ask } = world((triggerId, say) =>
    say("nothing", { triggerId, reason: Reason.RESYNC_NEEDED, outcome: Outcome.REFUSED, detail: "why" }),
  );
  const { answers } = ask();
  await clock.advance(5);
  expect(answers[0]).toMatchObject({ outcome: "refused", reason: "resync_needed", text: "", detail: "why" });
});

test("what a router must never do is noted", async () => {
  const completion = (triggerId: string, text: string) => ({
    triggerId,
    items: [{ insertText: text }],
    outcome: Outcome.GENERATED,
  });
  const cases: [string, (id: string, say: Say) => void][] = [
    [
      "an answer for s-1, which has its answer or was never asked",
      (id, say) => [1, 2].forEach(() => void say("completion", completion(id, "x"))),
    ],
    [
      "text for s-1, which has its answer or was never asked",
      (id, say) => {
        say("completion", completion(id, "x"));
        say("partial", { triggerId: id, text: "x" });
      },
    ],
    [
      "parts of s-1 do not make its text",
      (id, say) => {
        say("partial", { triggerId: id, text: "y" });
        say("completion", completion(id, "x"));
      },
    ],
    ["completion without text for s-1", (id, say) => say("completion", completion(id, ""))],
    ["nothing without a reason for s-1", (id, say) => say("nothing", { triggerId: id, outcome: Outcome.EMPTY })],
  ];
  for (const [violation, act] of cases) {
    const { clock, client, ask } = world(act);
    ask();
    await clock.advance(5);
    expect(client.violations).toEqual([violation]);
  }
});

test("a broken connection loses what was asked, is made anew and opens the documents as they are now", async () => {
  const { clock, client, heard, pipes, ask } = world(() => {});
  const { answers } = ask();
  await clock.advance(5);
  pipes[0]?.cut();
  await clock.advance(1);
  expect(answers[0]?.outcome).toBe("lost");
  client.edit("a", { startUtf16: 5, endUtf16: 5, text: ";" }, "typed");
  const offline = ask();
  await clock.advance(1);
  expect(offline.answers[0]?.outcome).toBe("lost");
  heard.length = 0;
  await clock.advance(60);
  expect(heard.map((message) => message.case)).toEqual(["hello", "documentOpen"]);
  const [hello, opened] = heard.map((message) => message.value) as unknown as [
    { resumeToken: string },
    { text: string; sha256: Uint8Array },
  ];
  expect(hello.resumeToken).toBe("again");
  expect(opened.text).toBe("let x;");
  expect(Buffer.from(opened.sha256)).toEqual(createHash("sha256").update("let x;").digest());
});

test.each<[name: string, held: { version: bigint; text: string }, said: string[]]>([
  ["holds it as it is here is not sent the document again", { version: 1n, text: "let x" }, ["hello"]],
  ["holds another version is sent the document", { version: 2n, text: "let x" }, ["hello", "documentOpen"]],
  ["holds another text is sent the document", { version: 1n, text: "let y" }, ["hello", "documentOpen"]],
])("a router that after a reconnect %s", async (_, { version, text }, said) => {
  const digest = createHash("sha256").update(text).digest();
  const { clock, client, heard, pipes, ask } = world(
    (triggerId, say) => say("nothing", { triggerId, reason: Reason.EMPTY, outcome: Outcome.EMPTY }),
    [{ documentId: "a", version, sha256: new Uint8Array(digest) }],
  );
  await clock.advance(5);
  pipes[0]?.cut();
  heard.length = 0;
  await clock.advance(60);
  expect(heard.map((message) => message.case)).toEqual(said);
  expect(client.resumed).toBe(said.length === 1 ? 1 : 0);
  const { answers } = ask();
  await clock.advance(5);
  expect([answers[0]?.outcome, client.violations]).toEqual(["empty", []]);
});

test("a client that is asked to connect anew waits for what is under way, then does", async () => {
  const { clock, client, heard, ask } = world((triggerId, say, stream) => {
    say("status", { kind: Status_Kind.RECONNECT, graceMs: 100 });
    say("nothing", { triggerId, reason: Reason.EMPTY, outcome: Outcome.EMPTY });
    stream.end();
  });
  const { answers } = ask();
  await clock.advance(60);
  expect([answers[0]?.outcome, client.connections]).toEqual(["empty", 2]);
  expect(heard.map((message) => message.case)).toEqual(["hello", "documentOpen", "trigger", "hello", "documentOpen"]);
});

test("a resync is answered with the document", async () => {
  const { clock, client, heard, ask } = world((_, say) => say("resync", { documentId: "a" }));
  ask();
  await clock.advance(5);
  expect(heard.at(-1)?.case).toBe("documentOpen");
  expect(client.resyncs).toBe(1);
});

test("Cancel is said only for what has no answer yet", async () => {
  const { clock, heard, ask } = world((triggerId, say) => {
    if (triggerId === "s-1") say("nothing", { triggerId, reason: Reason.GATED, outcome: Outcome.GATED });
  });
  const [first, second] = [ask(), ask()];
  await clock.advance(5);
  first.asked.cancel();
  second.asked.cancel();
  await clock.advance(5);
  expect(heard.filter((message) => message.case === "cancel").map((message) => message.value)).toMatchObject([
    { triggerId: "s-2" },
  ]);
});

test("an editor that is gone reads no answer that had come while it did not read", async () => {
  const { clock, client, pipes, ask } = world((trigger, say) =>
    say("nothing", { triggerId: trigger, reason: Reason.GATED, outcome: Outcome.GATED }),
  );
  await clock.advance(10);
  pipes[0]?.stopReading(500);
  const { answers } = ask();
  await clock.advance(10);
  client.vanish();
  await clock.advance(1_000);
  expect(answers.map(({ outcome }) => outcome)).toEqual(["lost"]);
  expect(client.violations).toEqual([]);
});
