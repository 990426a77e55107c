// callers: two ways into a router, each asked for one generation at a time by the bench: a session of an editor that typed a
// name and wants the line (the answer is one text), and a Generate call (each token is a message). Bounded by `sessions`.
import { create } from "@bufbuild/protobuf";
import { systemClock } from "../../lib/clock.ts";
import { GrpcClient } from "../../lib/grpc/client.ts";
import { CompletionService, GenerateRequestSchema, Outcome, Role } from "../../proto/gen/slipstream/v1/completion_pb.ts";
import { EditorClient } from "../../sim/editor-client.ts";
import type { Answer } from "../../sim/session-client.ts";
import type { Times } from "./direct.ts";

export const ways = ["session", "generate"] as const;
export type Way = (typeof ways)[number];

export interface Callers {
  /** The nth generation of the run; undefined: it did not end in text. */
  ask(nth: number): Promise<Times | undefined>;
  close(): void;
}

interface Options {
  readonly address: string;
  readonly key: string;
  readonly sessions: number;
  readonly tokens: number;
  readonly documentBytes: number;
}

const patience = 5_000;
const nameLength = 8;
/** A new name for each key, of one length: no prompt is like another, and the document does not grow. */
const name = (nth: number) => `v${nth.toString(36).padStart(nameLength - 1, "0")}`;

export const callers: Readonly<Record<Way, (options: Options) => Callers>> = { session: sessions, generate };

/** One trigger and what came of it. */
export interface Answered {
  readonly askedMs: number;
  readonly outcome: Answer["outcome"];
  readonly text: boolean;
  readonly totalMs: number;
}

/** Sessions that ask in turn, `rate` times a second all together, until the signal; each answer is told. */
export async function askSessions(
  options: Options & { readonly rate: number; readonly deadlineMs: number },
  { answered, signal }: { readonly answered: (answer: Answered) => void; readonly signal: AbortSignal },
): Promise<void> {
  const all = openSessions(options, options.deadlineMs);
  const startMs = systemClock.now();
  try {
    for (let nth = 0; !signal.aborted; nth++) {
      const dueMs = startMs + (nth * 1_000) / options.rate;
      if (dueMs > systemClock.now()) await systemClock.sleep(dueMs - systemClock.now(), signal);
      const askedMs = systemClock.now();
      void askOne(all, nth).then(({ outcome, text, totalMs }) => answered({ askedMs, outcome, text: text !== "", totalMs }));
    }
  } catch {
    // Told to stop.
  } finally {
    closeSessions(all);
  }
}

type Sessions = readonly { readonly grpc: GrpcClient; readonly client: EditorClient; readonly at: number }[];

function askOne(all: Sessions, nth: number): Promise<Answer> {
  const { client, at } = all[nth % all.length] as Sessions[number];
  client.edit("d", { startUtf16: at, endUtf16: at + nameLength, text: name(nth + 1) }, "typed");
  return client.trigger("d", at + nameLength + 3, "invoked").answer;
}

function closeSessions(all: Sessions): void {
  for (const { client, grpc } of all) {
    client.close();
    grpc.close();
  }
}

function sessions(options: Options): Callers {
  const all = openSessions(options, patience);
  return {
    async ask(nth) {
      const { outcome, totalMs, firstTextMs } = await askOne(all, nth);
      return outcome === "generated" && firstTextMs !== undefined ? { firstMs: firstTextMs, totalMs } : undefined;
    },
    close: () => closeSessions(all),
  };
}

function openSessions({ address, key, sessions: count, tokens, documentBytes }: Options, deadlineMs: number): Sessions {
  const line = "const before = compute(first, second, third);\n";
  const head = line.repeat(Math.ceil((documentBytes * 3) / 4 / line.length));
  const tail = ";\n".concat(line.repeat(Math.ceil(documentBytes / 4 / line.length)));
  return Array.from({ length: count }, (_, i) => {
    const grpc = new GrpcClient({ address });
    const client = new EditorClient(
      { session: `s${i}`, workspace: "bench", deadlineMs, maxTokens: tokens, stream: true, reconnectMs: 250 },
      { clock: systemClock, connect: () => grpc.duplex(CompletionService.method.session, { metadata: bearer(key) }) },
    );
    // Its own first line keeps its prompts apart from the others'.
    const before = `// session ${i}\n${head}const `;
    client.open({ id: "d", path: `src/${i}.ts`, language: "typescript", text: `${before}${name(0)} = ${tail}` });
    return { grpc, client, at: before.length };
  });
}

function generate({ address, key, sessions: count, tokens, documentBytes }: Options): Callers {
  const all = Array.from({ length: Math.min(count, 16) }, () => new GrpcClient({ address }));
  const text = "What does this do? ".repeat(Math.ceil(documentBytes / 19));
  return {
    async ask(nth) {
      const sinceMs = systemClock.now();
      const request = create(GenerateRequestSchema, {
        requestId: `g${nth}`,
        messages: [{ role: Role.USER, content: `${name(nth)} ${text}` }],
        sampling: { maxTokens: tokens },
        deadlineMs: patience,
      });
      let firstMs: number | undefined;
      try {
        const client = all[nth % all.length] as GrpcClient;
        const messages = client.serverStream(CompletionService.method.generate, request, { metadata: bearer(key) });
        for await (const { message } of messages) {
          if (message.case === "text") firstMs ??= systemClock.now() - sinceMs;
          else if (message.value?.outcome !== Outcome.GENERATED) return undefined;
        }
      } catch {
        return undefined;
      }
      return firstMs === undefined ? undefined : { firstMs, totalMs: systemClock.now() - sinceMs };
    },
    close() {
      for (const client of all) client.close();
    },
  };
}

const bearer = (key: string) => ({ authorization: `Bearer ${key}` });
