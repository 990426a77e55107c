// waiting: the nouns of the queue: what a place is tried with, what waits, and what is known of a lane.
import type { SlipstreamError } from "../../lib/errors.ts";
import { Ewma } from "../../lib/structures/ewma.ts";
import type { Booking, Hold, Late, Work } from "../completion.ts";
import { type Entry, Line } from "./line.ts";

/** What a place is tried with: how long it was waited for, whether its tenant has more than its share of the slots, and how many
 * that come first hold out for a worker. */
export interface Waited {
  readonly waitedMs: number;
  readonly greedy: boolean;
  readonly ahead: (worker: string) => number;
}

/** Finds a worker and books it. A Hold says for whom it is worth waiting and until when, Late that it cannot be in time. */
export type Place = (waited: Waited) => Booking | Hold | Late;

/** What waits, as the queue counts it: bytes it keeps in memory, the worker time it will take, and of which model's workers (of one pool,
 * where it may have no other). */
export interface Size {
  readonly bytes: number;
  readonly costMs: number;
  readonly model: string;
}

export interface Waiting extends Entry, Size {
  readonly work: Work;
  readonly sinceMs: number;
  readonly place: Place;
  /** The worker it holds out for, and when it must have begun, as last thought over. */
  holds: string | undefined;
  startByMs: number | undefined;
  /** When the last of its readers had no more use for it, then. */
  dueMs: number;
  readonly go: (booking: Booking) => void;
  readonly refuse: (error: SlipstreamError) => void;
}

/** One lane: who waits, what of late became of those who no longer do, and who of them holds a slot of which model. */
export interface LaneState {
  readonly line: Line<Waiting>;
  readonly serviceMs: Ewma;
  held: number;
  readonly heldOf: Map<string, number>;
}

const serviceHalfLifeMs = 10_000;

export function newLane(quantumMs: number): LaneState {
  return { line: new Line({ quantumMs }), serviceMs: new Ewma({ halfLifeMs: serviceHalfLifeMs }), held: 0, heldOf: new Map() };
}

/** A slot of the lane is taken for a model, or given back. */
export function count(state: LaneState, model: string, by: 1 | -1): void {
  state.held += by;
  const ofModel = (state.heldOf.get(model) ?? 0) + by;
  if (ofModel > 0) state.heldOf.set(model, ofModel);
  else state.heldOf.delete(model);
}
