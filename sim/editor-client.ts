// editor-client: a typist's actions in, Session messages out, and one Answer a trigger back (answers.ts). Keeps the documents so
// that a Resync or a broken connection is healed as an editor would: resume, open again what the router does not hold, go on; one
// that the router asks for is made anew. Unanswered triggers: `pendingMax`.
import { createHash } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import type { Clock } from "../lib/clock.ts";
import { SlipstreamError } from "../lib/errors.ts";
import type { Duplex } from "../lib/grpc/duplex.ts";
import {
  type ClientMessage,
  ClientMessageSchema,
  type ServerMessage,
  Status_Kind,
  type Welcome,
} from "../proto/gen/slipstream/v1/completion_pb.ts";
import { Answers } from "./answers.ts";
import { type Asked, type AskKind, askKinds, type Reaction, reactions, type SessionClient } from "./session-client.ts";
import { applyEdit } from "./trace/replay.ts";
import { type Origin, origins, type TraceDocument, type TraceEdit } from "./trace/trace.ts";

export interface EditorClientOptions {
  readonly session: string;
  readonly workspace: string;
  /** Of each trigger; 0: the pool's. */
  readonly deadlineMs: number;
  readonly maxTokens: number;
  /** Ask for Partial messages. */
  readonly stream: boolean;
  /** Before a broken connection is made anew. */
  readonly reconnectMs: number;
  readonly pendingMax?: number;
}

interface Deps {
  readonly clock: Clock;
  /** A new Session stream; undefined: nobody listens now. */
  readonly connect: () => Duplex<ServerMessage, ClientMessage> | undefined;
}

interface Mirror {
  readonly document: TraceDocument;
  text: string;
  version: bigint;
}

type Body = ClientMessage["message"];

export class EditorClient implements SessionClient {
  readonly #options: EditorClientOptions;
  readonly #deps: Deps;
  readonly #mirrors = new Map<string, Mirror>();
  readonly #answers: Answers;
  #stream: Duplex<ServerMessage, ClientMessage> | undefined;
  #resumeToken = "";
  /** After a reconnect nothing is said before it is known which documents the router still holds. */
  #welcomed = false;
  #triggers = 0;
  /** Of the newest trigger: higher than that of an earlier client of the same session, whose count may still be remembered. */
  #sequence: bigint;
  #closed = false;
  #gone = false;
  resyncs = 0;
  connections = 0;
  /** Documents that a router still held after a reconnect. */
  resumed = 0;

  constructor(options: EditorClientOptions, deps: Deps) {
    this.#options = options;
    this.#deps = deps;
    this.#sequence = BigInt(Math.max(0, Math.round(deps.clock.wall())));
    this.#answers = new Answers(deps);
    this.#connect();
  }

  get pending(): number {
    return this.#answers.pending;
  }

  get violations(): readonly string[] {
    return this.#answers.violations;
  }

  open(document: TraceDocument): void {
    const mirror = { document, text: document.text, version: 1n };
    this.#mirrors.set(document.id, mirror);
    this.#sendOpen(mirror);
  }

  edit(document: string, edit: TraceEdit, origin: Origin): void {
    const mirror = this.#mirror(document);
    const baseVersion = mirror.version;
    mirror.version += 1n;
    mirror.text = applyEdit(mirror.text, edit);
    this.#send("documentEdit", {
      documentId: document,
      baseVersion,
      version: mirror.version,
      edits: [edit],
      sha256After: sha256(mirror.text),
      origin: origins.indexOf(origin) + 1,
      clientTimeUs: BigInt(Math.round(this.#deps.clock.now() * 1_000)),
    });
  }

  trigger(document: string, cursor: number, kind: AskKind): Asked {
    const id = `${this.#options.session}-${++this.#triggers}`;
    const { stream, deadlineMs, maxTokens, pendingMax = 1_000 } = this.#options;
    const sequence = ++this.#sequence;
    const answer = this.#answers.expect(id);
    if (!this.#stream || !this.#welcomed) this.#answers.refuse(id);
    else if (this.#answers.pending > pendingMax) this.#answers.refuse(id, "too many triggers without an answer");
    else {
      this.#send("trigger", {
        triggerId: id,
        documentId: document,
        version: this.#mirror(document).version,
        offsetUtf16: cursor,
        kind: askKinds.indexOf(kind) + 1,
        deadlineMs,
        stream,
        sampling: { maxTokens },
        sequence,
      });
    }
    return { id, answer, cancel: () => void (this.#answers.has(id) && this.#send("cancel", { triggerId: id })) };
  }

  react(completion: string, reaction: Reaction, acceptedUtf16: number): void {
    this.#send("feedback", { completionId: completion, event: reactions.indexOf(reaction) + 1, acceptedUtf16 });
  }

  close(): void {
    this.#closed = true;
    this.#stream?.end();
  }

  /** The editor's process dies: nothing more is said, what is unanswered is lost. */
  vanish(): void {
    this.#closed = true;
    this.#gone = true;
    this.#stream?.end(new SlipstreamError("cancelled", "the editor went away"));
    this.#answers.lose();
  }

  #connect(): void {
    if (this.#closed) return;
    const stream = this.#deps.connect();
    if (!stream) {
      this.#deps.clock.timer(this.#options.reconnectMs, () => this.#connect());
      return;
    }
    this.#stream = stream;
    this.connections += 1;
    const { session, workspace } = this.#options;
    this.#welcomed = true;
    this.#send("hello", {
      protocol: "1",
      client: "typist",
      sessionId: session,
      workspaceId: workspace,
      resumeToken: this.#resumeToken,
    });
    this.#welcomed = this.#resumeToken === "";
    if (this.#welcomed) for (const mirror of this.#mirrors.values()) this.#sendOpen(mirror);
    void this.#read(stream);
  }

  async #read(stream: Duplex<ServerMessage, ClientMessage>): Promise<void> {
    try {
      for await (const { message } of stream.frames) {
        // What had arrived is read by nobody.
        if (this.#gone) break;
        this.#receive(message);
      }
    } catch {
      // However it broke, the way on is the same: connect anew.
    }
    this.#stream = undefined;
    this.#answers.lose();
    if (!this.#closed) this.#deps.clock.timer(this.#options.reconnectMs, () => this.#connect());
  }

  #receive(message: ServerMessage["message"]): void {
    if (message.case === "welcome") this.#resume(message.value);
    else if (message.case === "partial") this.#answers.part(message.value.triggerId, message.value.text);
    else if (message.case === "completion") this.#answers.complete(message.value);
    else if (message.case === "nothing") this.#answers.nothing(message.value);
    else if (message.case === "resync") {
      this.resyncs += 1;
      const mirror = this.#mirrors.get(message.value.documentId);
      if (mirror) this.#sendOpen(mirror);
    } else if (message.case === "status") {
      if (message.value.field) this.#answers.violate(`refused: ${message.value.detail}`);
      // What is under way is still answered; the next stream is made when this one is over.
      else if (leaving.has(message.value.kind)) this.#stream?.end();
    }
  }

  /** Opens what the router does not hold as it is here. */
  #resume({ resumeToken, held }: Welcome): void {
    this.#resumeToken = resumeToken;
    if (this.#welcomed) return;
    this.#welcomed = true;
    for (const [id, mirror] of this.#mirrors) {
      const same = held.find((document) => document.documentId === id && document.version === mirror.version);
      if (same && Buffer.from(same.sha256).equals(sha256(mirror.text))) this.resumed += 1;
      else this.#sendOpen(mirror);
    }
  }

  #sendOpen({ document: { id, path, language }, text, version }: Mirror): void {
    this.#send("documentOpen", { documentId: id, path, language, version, text, sha256: sha256(text) });
  }

  #send<C extends NonNullable<Body["case"]>>(name: C, value: object): void {
    if (this.#welcomed) this.#stream?.send(create(ClientMessageSchema, { message: { case: name, value } as never }));
  }

  #mirror(document: string): Mirror {
    const mirror = this.#mirrors.get(document);
    if (!mirror) throw new SlipstreamError("not_found", `document ${document} is not open`);
    return mirror;
  }
}

const leaving: ReadonlySet<Status_Kind> = new Set([Status_Kind.DRAINING, Status_Kind.RECONNECT]);

function sha256(text: string): Uint8Array {
  return createHash("sha256").update(text).digest();
}
