// session-client: what a typist needs of an editor's client. `EditorClient` (editor-client.ts) fulfils it over any stream
// of the Session call: a pipe in the simulation, gRPC in a benchmark.
import { Outcome as OutcomeMessage, Reason as ReasonMessage } from "../proto/gen/slipstream/v1/completion_pb.ts";
import type { Outcome, Reason, Usage } from "../router/completion.ts";
import type { Origin, TraceDocument, TraceEdit } from "./trace/trace.ts";

export const askKinds = ["auto", "invoked", "preload", "speculative"] as const;
export type AskKind = (typeof askKinds)[number];

export const reactions = ["shown", "accepted", "partial", "rejected", "ignored", "superseded", "retained"] as const;
export type Reaction = (typeof reactions)[number];

const namesOf = (numbers: Readonly<Record<string, number>>) =>
  new Map(Object.entries(numbers).flatMap(([name, number]) => (number === 0 ? [] : [[number, name.toLowerCase()] as const])));
const outcomeNames = namesOf(OutcomeMessage);
const reasonNames = namesOf(ReasonMessage);

/** Our word for an outcome on the wire; undefined: not given. */
export const outcomeOf = (message: OutcomeMessage) => outcomeNames.get(message) as Outcome | undefined;
export const reasonOf = (message: ReasonMessage) => reasonNames.get(message) as Reason | undefined;

export interface Answer {
  /** "lost": the connection broke before the answer came. */
  readonly outcome: Outcome | "lost";
  readonly reason?: Reason;
  /** "" for nothing. */
  readonly text: string;
  /** Names the text in `react`; "" for nothing. */
  readonly completion: string;
  /** On the client's clock, from the trigger. */
  readonly firstTextMs?: number;
  readonly totalMs: number;
  /** On the router's clock, from receipt to the end. */
  readonly routerMs?: number;
  readonly usage: Usage;
  readonly worker: string;
  readonly detail: string;
}

export interface Asked {
  readonly id: string;
  readonly answer: Promise<Answer>;
  cancel(): void;
}

export interface SessionClient {
  open(document: TraceDocument): void;
  edit(document: string, edit: TraceEdit, origin: Origin): void;
  trigger(document: string, cursor: number, kind: AskKind): Asked;
  react(completion: string, reaction: Reaction, acceptedUtf16: number): void;
  close(): void;
}
