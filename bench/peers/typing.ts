// typing: one typist of this bench: the trace of their seed through a client of whatever kind, and the score of it. The same seed
// types the same keys at the same times whoever answers.
import type { Clock } from "../../lib/clock.ts";
import { fork, seeded } from "../../lib/random.ts";
import type { Answer, SessionClient } from "../../sim/session-client.ts";
import { generateTrace, type Source } from "../../sim/trace/generate.ts";
import type { TraceEdit } from "../../sim/trace/trace.ts";
import { Typist } from "../../sim/typist.ts";
import type { Mark, Scores } from "./scores.ts";

export interface TypingOptions {
  readonly seed: number;
  readonly sources: readonly Source[];
  /** They begin at moments of their own within this time. */
  readonly startWithinMs: number;
}

interface Deps {
  readonly clock: Clock;
  readonly client: SessionClient;
  readonly scores: Scores;
}

const keysPerTrace = 600;
/** Slips of the finger, taken back within a few keys; assumed, as in the simulation. */
const typoProbability = 0.02;

/** An answer whose client says when it sent the request, if that was later: after a pause of its own, or never. */
export type Sent = Answer & { readonly sentMs?: number; readonly unasked?: true };

export class Typing {
  readonly #over = new AbortController();
  readonly #client: SessionClient;
  readonly finished: Promise<void>;

  constructor(options: TypingOptions, deps: Deps) {
    this.#client = deps.client;
    this.finished = this.#type(options, deps).catch(() => {});
  }

  close(): void {
    this.#over.abort(new Error("the bench is over"));
    this.#client.close();
  }

  async #type({ seed, sources, startWithinMs }: TypingOptions, deps: Deps): Promise<void> {
    const { clock } = deps;
    const random = seeded(seed);
    await clock.sleep(random.next() * startWithinMs, this.#over.signal);
    for (let turn = 0; ; turn++) {
      const source = sources[(seed + turn * 7) % sources.length] as Source;
      const made = generateTrace({ ...source, seed: seed * 1_000 + turn, keys: keysPerTrace, typing: { typoProbability } });
      const id = `${source.path}#${turn}`;
      const trace = {
        ...made,
        documents: made.documents.map((document) => ({ ...document, id })),
        events: made.events.map((event) => ({ ...event, document: id })),
      };
      await new Typist({ trace }, { clock, random: fork(random), client: scored(deps) }).play(this.#over.signal);
    }
  }
}

/** The same client, and the score of what it answers. */
function scored({ client, clock, scores }: Deps): SessionClient {
  let newest: Mark | undefined;
  /** Text that stands after a place. */
  let shown: { readonly at: number; readonly text: string } | undefined;
  const along = ({ startUtf16: at, endUtf16, text }: TraceEdit): boolean => {
    const rest = shown && at === endUtf16 ? shown.text.slice(at - shown.at) : "";
    const follows = rest !== "" && rest.startsWith(text);
    if (!follows) shown = undefined;
    return follows;
  };
  return {
    open: (document) => client.open(document),
    react: (completion, reaction, utf16) => client.react(completion, reaction, utf16),
    close: () => client.close(),
    edit: (document, edit, origin) => {
      scores.key(along(edit));
      if (newest) {
        newest.retiredMs = clock.now();
        scores.decide(newest);
        newest = undefined;
      }
      client.edit(document, edit, origin);
    },
    trigger: (document, cursor, kind) => {
      const mark: Mark = { askedMs: clock.now(), retiredMs: undefined, came: undefined, counted: false };
      newest = mark;
      const asked = client.trigger(document, cursor, kind);
      void asked.answer.then((answer: Sent) => {
        mark.came = cameOf(answer, mark);
        scores.decide(mark);
        if (newest === mark && answer.text !== "") shown = { at: cursor, text: answer.text };
      });
      return asked;
    },
  };
}

function cameOf({ outcome, reason, firstTextMs, sentMs, unasked }: Sent, mark: Mark): Mark["came"] {
  if (sentMs !== undefined) mark.askedMs = sentMs;
  if (firstTextMs !== undefined) return { kind: "text", ms: firstTextMs };
  if (unasked) return { kind: "unasked" };
  if (outcome === "empty") return { kind: "empty" };
  return reason === "gated" ? { kind: "gated" } : { kind: "nothing", why: reason ?? outcome };
}
