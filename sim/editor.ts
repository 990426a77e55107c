// editor: one simulated person: a generated trace, a client that connects to one router after another, and the typist who
// plays it. Tells the books what was asked and answered. Can vanish, and its connection can break.
import type { Clock } from "../lib/clock.ts";
import { digestOf } from "../lib/keys/key.ts";
import { below, fork, type Random } from "../lib/random.ts";
import { type Books, tokensMax } from "./books.ts";
import { EditorClient } from "./editor-client.ts";
import type { Network, SessionHandler } from "./network.ts";
import type { SessionClient } from "./session-client.ts";
import { generateTrace, type Source } from "./trace/generate.ts";
import type { Typing } from "./trace/parameters.ts";
import { type TriggerRecord, Typist } from "./typist.ts";

export interface EditorOptions {
  readonly name: string;
  readonly tenant: string;
  readonly traceSeed: number;
  readonly source: Source;
  readonly keys: number;
  readonly typing: Partial<Typing>;
  readonly deadlineMs: number;
  readonly maxTokens?: number;
  readonly agreement: number;
  readonly escape: number;
}

interface Deps {
  readonly clock: Clock;
  readonly random: Random;
  readonly network: Network;
  readonly routers: readonly { readonly name: string; readonly session: SessionHandler; readonly listens: boolean }[];
  /** A worker that this router could have asked for a while. */
  readonly living: (router: string) => string | undefined;
  readonly books: Books;
  readonly note: (line: string) => void;
  readonly violate: (what: string) => void;
}

export class Editor {
  readonly name: string;
  readonly #client: EditorClient;
  readonly #typist: Typist;
  readonly #deps: Deps;
  readonly #gone = new AbortController();
  /** Triggers without an answer, in the order they were asked, and when a newer one of the document had its answer. */
  readonly #waiting = new Map<string, { readonly document: string; outdoneMs?: number }>();
  typing = true;

  constructor(options: EditorOptions, deps: Deps) {
    const { clock, random, network, routers, books, note } = deps;
    this.name = options.name;
    this.#deps = deps;
    let turn = below(random, routers.length);
    let router = "";
    this.#client = new EditorClient(
      {
        ...{
          session: options.name,
          workspace: "w",
          deadlineMs: options.deadlineMs,
          maxTokens: options.maxTokens ?? tokensMax.inline,
          reconnectMs: 100,
        },
        stream: random.next() < 0.5,
      },
      {
        clock,
        connect: () => {
          const next = routers[turn++ % routers.length] as (typeof routers)[number];
          if (!next.listens) return undefined;
          router = next.name;
          return network.session(this.name, router, { authorization: bearer(options.tenant) }, next.session);
        },
      },
    );
    const told: SessionClient = {
      open: (document) => this.#client.open(document),
      edit: (document, edit, origin) => this.#client.edit(document, edit, origin),
      react: (completion, reaction, utf16) => this.#client.react(completion, reaction, utf16),
      close: () => this.#client.close(),
      trigger: (document, cursor, kind) => {
        const asked = this.#client.trigger(document, cursor, kind);
        this.#waiting.set(asked.id, { document });
        books.asked(asked.id, options.tenant);
        void asked.answer.then((answer) => {
          this.#inTurn(asked.id, answer.outcome === "lost");
          note(`${asked.id} ${answer.outcome} ${answer.reason ?? ""} ${answer.text.length} ${answer.totalMs.toFixed(3)}`);
          const leftMs = options.deadlineMs - answer.totalMs - leftMinMs;
          books.answered(asked.id, answer, { leftMs, worker: deps.living(router) });
        });
        return asked;
      },
    };
    const { path, language, text } = options.source;
    const trace = generateTrace({
      seed: options.traceSeed,
      keys: options.keys,
      path,
      language,
      text,
      typing: { typoProbability: 0.02 },
    });
    this.#typist = new Typist(
      { trace, agreement: options.agreement, escape: options.escape },
      { clock, random: fork(random), client: told },
    );
    void this.#typist.play(this.#gone.signal).then(
      () => {
        this.typing = false;
      },
      () => {
        this.typing = false;
      },
    );
  }

  /** A newer trigger retires the older one: that one's end is not later than the newer one's. */
  #inTurn(id: string, lost: boolean): void {
    const { clock, violate } = this.#deps;
    const own = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (!own || lost) return;
    const lateMs = clock.now() - (own.outdoneMs ?? clock.now());
    if (lateMs > turnSlackMs) violate(`${id} ended ${lateMs.toFixed(1)} ms after a newer trigger of its document`);
    for (const [older, place] of this.#waiting) {
      if (numberOf(older) < numberOf(id) && place.document === own.document) place.outdoneMs ??= clock.now();
    }
  }

  get records(): readonly TriggerRecord[] {
    return this.#typist.records;
  }

  cut(): void {
    this.#deps.network.editor(this.name)?.cut();
  }

  stall(ms: number): void {
    this.#deps.network.editor(this.name)?.stall(ms);
  }

  stopReading(ms: number): void {
    this.#deps.network.editor(this.name)?.stopReading(ms);
  }

  vanish(): void {
    this.#gone.abort(new Error("vanished"));
    this.#client.vanish();
  }

  /** The window is closed in good order; says what the router did that it must not. */
  finish(): void {
    if (this.#client.pending > 0) this.#deps.violate(`${this.name} waits for ${this.#client.pending} answers at rest`);
    for (const what of this.#client.violations) this.#deps.violate(`${this.name}: ${what}`);
    this.#client.close();
  }
}

/** An answer travels, and what is left at its end is of no use. */
const leftMinMs = 50;
/** Both answers leave in one tick; on the way they may be apart by what a frame's latency varies. */
const turnSlackMs = 20;
const numberOf = (trigger: string) => Number(trigger.slice(trigger.lastIndexOf("-") + 1));

/** Each tenant's secret, as the routers of a world are told it. */
/** An API key by the tenant's name: worlds of one seed are the same. */
export function keyOf(tenant: string): string {
  const digits = digestOf(tenant).toString("hex");
  return `slp_${digits.slice(0, 12)}_${digits.slice(12, 60)}`;
}
const bearer = (tenant: string) => `Bearer ${keyOf(tenant)}`;
