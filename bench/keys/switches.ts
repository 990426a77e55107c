// switches: which of the router's mechanisms run, for ablation. The rooms of a router of this bench in, the same rooms with
// some doors shut out; the shipped router has no such switch. Each row of `ablations` changes one thing alone.
import { ContextRoom } from "../../router/context/context.ts";
import { dispatchDefaults } from "../../router/dispatch/dispatch.ts";
import type { Rooms } from "../../router/path.ts";
import { type LayoutRules, PromptRoom } from "../../router/prompt/prompt.ts";

export interface Switches {
  /** Off: an older trigger of the document runs on to its end. */
  readonly supersede: boolean;
  /** Off: text that was shown is never the answer to the keys that type it. */
  readonly reuse: boolean;
  /** Off: a generation under way is never read on by the keys that type it. */
  readonly follow: boolean;
  /** Off: an identical generation under way is not joined. */
  readonly join: boolean;
  readonly gate: boolean;
  /** Off: nothing is asked ahead of the person. */
  readonly ahead: boolean;
  readonly resultCache: boolean;
  /** Off: a worker that stalls is waited for; nobody else is asked beside it. */
  readonly hedge: boolean;
  /** "room": as the router does it; else this pause after every key. */
  readonly settleMs: "room" | number;
  /** Where the family allows both; which order the pretend model was trained for. */
  readonly layout: "suffix_first" | "prefix_first";
  /** "sliding": the window's start moves with every key. */
  readonly window: LayoutRules["window"];
  /** "fresh": the suffix is the document's at every key, however little it changed. */
  readonly suffix: LayoutRules["suffix"];
  /** Where the prefix comes first: what stands behind the middle token. */
  readonly typed: LayoutRules["typed"];
  /** "ranked": context is chosen anew at every key, the best first. */
  readonly context: "kept" | "ranked";
}

export const allOn: Switches = {
  supersede: true,
  reuse: true,
  follow: true,
  join: true,
  gate: true,
  ahead: true,
  resultCache: true,
  hedge: true,
  settleMs: "room",
  layout: "suffix_first",
  window: "anchored",
  suffix: "frozen",
  typed: "from_cut",
  context: "kept",
};

export const ablations = {
  supersede_off: { supersede: false },
  reuse_off: { reuse: false },
  follow_off: { follow: false },
  join_off: { join: false },
  gate_off: { gate: false },
  ahead_off: { ahead: false },
  settle_off: { settleMs: 0 },
  settle_75ms: { settleMs: 75 },
  prefix_first: { layout: "prefix_first" },
  sliding_window: { window: "sliding" },
  fresh_suffix: { suffix: "fresh" },
  prefix_first_line: { layout: "prefix_first", typed: "line" },
  prefix_first_nothing: { layout: "prefix_first", typed: "none" },
  context_ranked_anew: { context: "ranked" },
  result_cache_off: { resultCache: false },
  hedge_off: { hedge: false },
  requests_not_keystrokes: {
    supersede: false,
    reuse: false,
    follow: false,
    join: false,
    gate: false,
    ahead: false,
    resultCache: false,
    settleMs: 0,
    layout: "prefix_first",
    window: "sliding",
    suffix: "fresh",
    typed: "none",
    context: "ranked",
  },
} as const satisfies Record<string, Partial<Switches>>;
export type Ablation = keyof typeof ablations;

/** Shuts doors in place, before the first trigger. */
export function shut(rooms: Rooms, switches: Switches): void {
  const { reuse, gate, cache, settle, prompt, context, dispatch } = rooms;
  if (!switches.reuse) reuse.typedAhead = () => undefined;
  if (!switches.follow) reuse.followed = () => undefined;
  if (!switches.join) cache.join = () => undefined;
  if (!switches.gate) gate.judge = () => undefined;
  if (!switches.ahead) {
    const judge = gate.judge.bind(gate);
    const none = { reason: "gated", detail: "nothing is asked ahead in this run", retryAfterMs: 0 } as const;
    gate.judge = (trigger, ...rest) => (trigger.lane === "speculative" ? none : judge(trigger, ...rest));
  }
  if (!switches.resultCache) cache.find = () => undefined;
  if (!switches.hedge) {
    const generate = dispatch.generate.bind(dispatch);
    dispatch.generate = (work, prompt, booking, _second, watcher) => generate(work, prompt, booking, undefined, watcher);
  }
  if (!switches.supersede) {
    const take = settle.take.bind(settle);
    // Who is newest is kept, whom it would retire runs on.
    settle.take = (trigger) => take({ ...trigger, retire: () => {} });
  }
  const { settleMs } = switches;
  if (settleMs !== "room") {
    const take = settle.take.bind(settle);
    settle.take = (trigger) => {
      const turn = take(trigger);
      const settled = async () => {
        if (trigger.signal.aborted) throw trigger.signal.reason;
        const left = trigger.kind === "auto" ? settleMs - (rooms.clock.now() - trigger.receivedMs) : 0;
        if (left > 0) await rooms.clock.sleep(left, trigger.signal);
      };
      return { settled, [Symbol.dispose]: () => turn[Symbol.dispose]() };
    };
  }
  const { window, suffix, typed } = switches;
  if (window !== allOn.window || suffix !== allOn.suffix || typed !== allOn.typed) {
    // A room without a rule, behind the doors of the one that the router was wired with.
    const other = new PromptRoom({ rules: { window, suffix, typed } });
    prompt.contextBudget = other.contextBudget.bind(other);
    prompt.render = other.render.bind(other);
    prompt.send = other.send.bind(other);
  }
  if (switches.context === "ranked") {
    const other = new ContextRoom(
      { chunksMax: 6, scanUtf16Max: 64 << 10, scansBytes: 24 << 20, chosenBytes: 0, timeMs: 2, order: "ranked" },
      rooms,
    );
    context.gather = other.gather.bind(other);
  }
}

/** Before a router is wired: no second try, no silence and no missing answer noticed, nobody left alone for failing. */
export function shutFailover(): void {
  const never = 1e9;
  Object.assign(dispatchDefaults, {
    ...{ ackMaxMs: never, silentMinMs: never, awayMaxMs: never, hedging: { share: 0, burst: 0 } },
    breaker: { failuresMax: never, openMinMs: 1, openMaxMs: 1 },
  });
}
