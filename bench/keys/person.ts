// person: one typist of this bench on a connection of their own: traces of the sources one after the other, typed at the pace
// they have, until stopped. What came of each trigger goes to the tally.
import type { Clock } from "../../lib/clock.ts";
import type { Duplex } from "../../lib/grpc/duplex.ts";
import { fork, seeded } from "../../lib/random.ts";
import type { ClientMessage, ServerMessage } from "../../proto/gen/slipstream/v1/completion_pb.ts";
import { EditorClient } from "../../sim/editor-client.ts";
import type { SessionClient } from "../../sim/session-client.ts";
import { generateTrace, type Source } from "../../sim/trace/generate.ts";
import { begunAt } from "../../sim/trace/replay.ts";
import type { Trace, TraceEdit } from "../../sim/trace/trace.ts";
import { Typist } from "../../sim/typist.ts";
import type { Tally } from "./tally.ts";

export interface PersonOptions {
  readonly name: string;
  readonly seed: number;
  readonly sources: readonly Source[];
  readonly keysPerTrace: number;
  readonly maxTokens: number;
  /** What is typed, one after the other, instead of traces of the sources. */
  readonly traces?: readonly Trace[];
  /** Of each trigger; absent: the pool's. */
  readonly deadlineMs?: number;
  /** Before the person sits down. */
  readonly delayMs?: number;
}

/** Slips of the finger, taken back within a few keys; assumed, as in the simulation. */
const typoProbability = 0.02;
const startWithinMs = 1_500;

export interface Connection {
  connect(): Duplex<ServerMessage, ClientMessage> | undefined;
  close(): void;
}

interface Deps {
  readonly clock: Clock;
  readonly tally: Tally;
  readonly connection: Connection;
}

export class Person {
  readonly #deps: Deps;
  readonly #client: EditorClient;
  readonly #over = new AbortController();
  readonly finished: Promise<void>;

  constructor(options: PersonOptions, deps: Deps) {
    const { clock, connection } = deps;
    this.#deps = deps;
    this.#client = new EditorClient(
      {
        ...{ session: options.name, workspace: "bench", deadlineMs: options.deadlineMs ?? 0, maxTokens: options.maxTokens },
        ...{ stream: true, reconnectMs: 250 },
      },
      { clock, connect: () => connection.connect() },
    );
    this.finished = this.#type(options).catch(() => {});
  }

  get violations(): readonly string[] {
    return this.#client.violations;
  }

  /** Types no more; what is asked is still answered. */
  stop(): void {
    this.#over.abort(new Error("the bench is over"));
  }

  close(): void {
    this.stop();
    this.#client.close();
    this.#deps.connection.close();
  }

  async #type(options: PersonOptions): Promise<void> {
    const { seed } = options;
    const { clock, tally } = this.#deps;
    const random = seeded(seed);
    await clock.sleep((options.delayMs ?? 0) + random.next() * startWithinMs, this.#over.signal);
    for (let turn = 0; ; turn++) {
      const made = traceOf(options, turn);
      // The documents of a turn are the turn's own.
      const trace = {
        ...made,
        documents: made.documents.map((document) => ({ ...document, id: `${document.id}#${turn}` })),
        events: made.events.map((event) => ({ ...event, document: `${event.document}#${turn}` })),
      };
      const client = counted(this.#client, { tally, clock });
      await new Typist({ trace }, { clock, random: fork(random), client }).play(this.#over.signal);
    }
  }
}

/** Of given traces each person begins somewhere else: nobody types what another one types at the same time. */
function traceOf({ seed, sources, keysPerTrace: keys, traces = [] }: PersonOptions, turn: number): Trace {
  const given = traces[(seed + turn) % Math.max(1, traces.length)];
  if (given) return begunAt(given, turn === 0 ? Math.floor(given.events.length * ((seed * goldenRatio) % 1)) : 0);
  const source = sources[(seed + turn * 7) % sources.length] as Source;
  return generateTrace({ ...source, seed: seed * 1_000 + turn, keys, typing: { typoProbability } });
}

/** Its multiples fall evenly between whole numbers. */
const goldenRatio = 0.618_033_988_749_895;

/** Text that stands after a place, and how much of it was typed. */
interface Latest {
  readonly order: number;
  readonly at: number;
  readonly text: string;
}

/** The same client; its tally hears of keys, of answers, and of whether keys follow the latest text. */
function counted(client: EditorClient, { tally, clock }: { readonly tally: Tally; readonly clock: Clock }): SessionClient {
  let latest: Latest | undefined;
  let asked = 0;
  let typedAt = 0;
  const key = ({ startUtf16: at, endUtf16, text }: TraceEdit) => {
    tally.key();
    typedAt += 1;
    if (!latest) return;
    const rest = at === endUtf16 ? latest.text.slice(at - latest.at) : "";
    if (rest === "") latest = undefined;
    else {
      tally.followed(rest.startsWith(text));
      if (!rest.startsWith(text)) latest = undefined;
    }
  };
  return {
    open: (document) => client.open(document),
    react: (completion, reaction, utf16) => client.react(completion, reaction, utf16),
    close: () => client.close(),
    edit: (document, edit, origin) => {
      key(edit);
      client.edit(document, edit, origin);
    },
    trigger: (document, cursor, kind) => {
      const order = ++asked;
      const keysBefore = typedAt;
      const askedMs = clock.now();
      const one = client.trigger(document, cursor, kind);
      void one.answer.then((answer) => {
        tally.answer(answer, typedAt === keysBefore, { id: one.id, kind, askedMs });
        if (answer.text === "" || order <= (latest?.order ?? 0) || typedAt !== keysBefore) return;
        latest = { order, at: cursor, text: answer.text };
      });
      return one;
    },
  };
}
