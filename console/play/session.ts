// session: one session of the page with the router, over the WebSocket on its own port: the document as it is typed, triggers out,
// answers in. A connection that breaks is made anew with the whole text; a refused key waits for another. The text goes nowhere
// else. Bounded: one document, one trigger that is waited for.
import type { PageClock } from "../clock.ts";
import { bearer } from "../keys.ts";
import type { Answered, Feedback, ServerMessage, TextEdit, Wish } from "./messages.ts";

/** What a connection tells. */
export interface Listener {
  readonly opened: () => void;
  readonly said: (text: string) => void;
  readonly closed: (code: number, reason: string) => void;
}
export interface Socket {
  send(text: string): void;
  /** Tells nothing more. */
  close(): void;
}
export type Dial = (listener: Listener) => Socket;

export type SessionState =
  | { readonly is: "connecting" }
  | { readonly is: "ready"; readonly models: readonly string[] }
  | { readonly is: "lost"; readonly why: string; readonly againInMs: number }
  | { readonly is: "refused"; readonly why: string };

interface Deps {
  readonly clock: PageClock;
  readonly dial: Dial;
  /** Of a tenant; "": nobody asks. */
  readonly key: () => string;
  readonly sessionId: string;
  readonly changed: (state: SessionState) => void;
  readonly answered: (answered: Answered) => void;
}

export interface Opened {
  readonly path: string;
  readonly language: string;
  readonly text: string;
}

/** The router's own words for "not you". */
const notYou = /^(unauthenticated|permission_denied): (.*)/s;
const refusedCode = 4000;
const againMs = { first: 250, most: 5_000 } as const;
/** A router that cannot be heard may still hold a connection: the page asks anew. */
const greetMs = 5_000;

export class PlaySession {
  readonly #deps: Deps;
  #socket: Socket | undefined;
  #state: SessionState = { is: "connecting" };
  #document: (Opened & { readonly id: string; version: number }) | undefined;
  /** The router has greeted on this connection: it may be told things. */
  #greeted = false;
  #resumeToken = "";
  #failures = 0;
  #timer: Disposable | undefined;
  #greeting: Disposable | undefined;
  #triggers = 0;
  #documents = 0;
  /** Above that of an earlier page of the same name. */
  #sequence: number;

  constructor(deps: Deps) {
    this.#deps = deps;
    this.#sequence = Math.round(deps.clock.wall());
    this.#dial();
  }

  get state(): SessionState {
    return this.#state;
  }

  /** Another document takes the place of the one before. */
  open(opened: Opened): void {
    if (this.#document) this.#say({ documentClose: { documentId: this.#document.id } });
    this.#document = { ...opened, id: `d${++this.#documents}`, version: 1 };
    this.#sayDocument();
  }

  /** `text` is what the edits made of it. */
  edit(edits: readonly TextEdit[], text: string, origin: "TYPED" | "PASTE" | "UNDO" | "ACCEPT"): void {
    if (!this.#document) return;
    const { id, version } = this.#document;
    this.#document = { ...this.#document, text, version: version + 1 };
    this.#say({
      documentEdit: {
        documentId: id,
        baseVersion: String(version),
        version: String(version + 1),
        edits: edits.map(({ start, end, text: inserted }) => ({ startUtf16: start, endUtf16: end, text: inserted })),
        origin: `EDIT_ORIGIN_${origin}`,
        clientTimeUs: String(Math.round(this.#deps.clock.now() * 1_000)),
      },
    });
  }

  /** Returns the trigger's id; undefined: nobody was asked. */
  ask({ offset, kind, n, model }: Wish): string | undefined {
    if (this.#state.is !== "ready" || !this.#document) return undefined;
    const triggerId = `${this.#deps.sessionId}-${++this.#triggers}`;
    const { id: documentId, version } = this.#document;
    this.#say({
      trigger: {
        ...{ triggerId, documentId, version: String(version), offsetUtf16: offset, model, stream: true },
        ...{ kind: `TRIGGER_KIND_${kind}`, n: n ?? 0, sequence: String(++this.#sequence) },
      },
    });
    return triggerId;
  }

  cancel(triggerId: string): void {
    this.#say({ cancel: { triggerId } });
  }

  report({ completionId, event, acceptedUtf16 = 0 }: Feedback): void {
    this.#say({ feedback: { completionId, event: `FEEDBACK_EVENT_${event}`, acceptedUtf16 } });
  }

  /** Tries at once: another key, or a person who does not want to wait. */
  again(): void {
    this.#failures = 0;
    this.#hangUp();
    this.#dial();
  }

  close(): void {
    this.#hangUp();
  }

  #hangUp(): void {
    this.#timer?.[Symbol.dispose]();
    this.#greeting?.[Symbol.dispose]();
    this.#socket?.close();
    this.#socket = undefined;
    this.#greeted = false;
  }

  #dial(): void {
    this.#change({ is: "connecting" });
    const socket = this.#deps.dial({
      opened: () => {
        socket.send(JSON.stringify(bearer(this.#deps.key())));
        this.#send(socket, {
          hello: {
            ...{ protocol: "1", client: "slipstream-console", clientVersion: "1", sessionId: this.#deps.sessionId },
            ...{ resumeToken: this.#resumeToken, features: ["partial"] },
          },
        });
      },
      said: (text) => this.#heard(JSON.parse(text) as ServerMessage),
      closed: (code, reason) => this.#lost(code, reason),
    });
    this.#socket = socket;
    this.#greeting?.[Symbol.dispose]();
    this.#greeting = this.#deps.clock.timer(greetMs, () => {
      this.#hangUp();
      this.#lost(0, "the router does not answer");
    });
  }

  #lost(code: number, reason: string): void {
    this.#greeting?.[Symbol.dispose]();
    this.#socket = undefined;
    this.#greeted = false;
    const refusal = code === refusedCode ? notYou.exec(reason)?.[2] : undefined;
    if (refusal !== undefined) {
      this.#change({ is: "refused", why: refusal });
      return;
    }
    const againInMs = Math.min(againMs.most, againMs.first * 2 ** this.#failures++);
    this.#change({ is: "lost", why: reason === "" ? "the router cannot be reached" : reason, againInMs });
    this.#timer = this.#deps.clock.timer(againInMs, () => this.#dial());
  }

  #heard(message: ServerMessage): void {
    if (message.welcome) {
      this.#greeting?.[Symbol.dispose]();
      this.#failures = 0;
      this.#resumeToken = message.welcome.resumeToken ?? "";
    } else if (message.policy) {
      this.#greeted = true;
      this.#sayDocument();
      this.#change({ is: "ready", models: message.policy.models ?? [] });
    } else if (message.resync) this.#sayDocument();
    else if (message.status?.kind === "KIND_DRAINING" || message.status?.kind === "KIND_RECONNECT") {
      // What is under way is asked anew; the router of this connection is about to go.
      this.#hangUp();
      this.#lost(0, message.status.detail ?? "the router asks to connect anew");
    } else if (message.partial) this.#deps.answered({ partial: message.partial });
    else if (message.completion) this.#deps.answered({ completion: message.completion });
    else if (message.nothing) this.#deps.answered({ nothing: message.nothing });
  }

  #sayDocument(): void {
    if (!this.#document) return;
    const { id: documentId, path, language, version, text } = this.#document;
    this.#say({ documentOpen: { documentId, path, language, version: String(version), text } });
  }

  /** What nobody hears is told by the next DocumentOpen. */
  #say(message: object): void {
    if (this.#socket && this.#greeted) this.#send(this.#socket, message);
  }

  #send(socket: Socket, message: object): void {
    try {
      socket.send(JSON.stringify(message));
    } catch {
      // It is closing: its end says so.
    }
  }

  #change(state: SessionState): void {
    this.#state = state;
    this.#deps.changed(state);
  }
}
