// path: the rooms as the router's path asks them. Rooms is what the wiring makes; Path is as little of each as pipeline.ts,
// generating.ts and in-time.ts call, so that explained.ts can stand in between, and tests can stand in for a room.
import type { Clock } from "../lib/clock.ts";
import type { Cache } from "./cache/cache.ts";
import type { Asking, Bill, Hold, Late, Placement, Prediction, Prompt, Trigger, Work } from "./completion.ts";
import type { ContextRoom } from "./context/context.ts";
import type { Dispatch } from "./dispatch/dispatch.ts";
import type { Fleet } from "./fleet/fleet.ts";
import type { Gate } from "./gate/gate.ts";
import type { Shortening } from "./in-time.ts";
import type { Quotas } from "./ingress/ingress.ts";
import type { Prewarm } from "./prewarm/prewarm.ts";
import type { PromptRoom } from "./prompt/prompt.ts";
import type { Queue } from "./queue/queue.ts";
import type { Reuse } from "./reuse/reuse.ts";
import type { Settle } from "./settle/settle.ts";
import type { Stream } from "./stream/stream.ts";

export interface Rooms {
  readonly clock: Clock;
  readonly reuse: Reuse;
  readonly gate: Gate;
  readonly settle: Settle;
  readonly context: ContextRoom;
  readonly prompt: PromptRoom;
  readonly cache: Cache;
  readonly queue: Queue;
  readonly fleet: Fleet;
  /** schedule.place on what the fleet knows now, with this process's options and chance. */
  readonly place: (asking: Asking, avoid: ReadonlySet<string>) => Placement | Hold | Late;
  /** How long an answer would take from now, without the queue. */
  readonly predict: (asking: Asking) => Prediction | undefined;
  /** Pools that a tenant's calls by this name fall back to, the nearest first. */
  readonly fallbacks: (tenant: string, model: string) => readonly string[];
  readonly dispatch: Dispatch;
  readonly prewarm: Prewarm;
  readonly quotas: Pick<Quotas, "generation">;
  readonly stream: Stream;
  /** Who pays for a generation of this trigger, on a worker of this pool. */
  readonly bill: (trigger: Trigger, pool: string) => Bill;
  readonly retried: (when: "before_text" | "after_text") => void;
  /** Told of each generation that a worker ended badly. */
  readonly failedAt: (worker: string, work: Pick<Work, "lane">, prompt: Pick<Prompt, "model">) => void;
  /** Told how a trigger was shortened so that it can be in time, and of one that cannot. */
  readonly shortened: (how: Shortening) => void;
  readonly late: (lane: Trigger["lane"]) => void;
}

/** What the path asks of the rooms; what stands in between (explained.ts) answers no more. */
export interface Path
  extends Pick<
    Rooms,
    "clock" | "place" | "predict" | "fallbacks" | "bill" | "retried" | "failedAt" | "quotas" | "shortened" | "late"
  > {
  readonly reuse: Pick<Reuse, "typedAhead" | "followed" | "drop" | "watch" | "remember">;
  readonly gate: Pick<Gate, "judge">;
  readonly settle: Pick<Settle, "take">;
  readonly context: Pick<ContextRoom, "gather">;
  readonly prompt: Pick<PromptRoom, "contextBudget" | "render" | "send">;
  readonly cache: Pick<Cache, "find" | "join" | "launch" | "keep">;
  readonly queue: Pick<Queue, "length" | "isGreedy" | "predictedWaitMs" | "serviceMs" | "next">;
  readonly fleet: Pick<Fleet, "model" | "snapshot" | "hasRoom" | "book" | "answered">;
  readonly dispatch: Pick<Dispatch, "generate" | "bars">;
  readonly prewarm: Pick<Prewarm, "sent">;
  readonly stream: Pick<Stream, "shape" | "withholds">;
}
